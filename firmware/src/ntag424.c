#include "liftgate/ntag424.h"

#include <string.h>

enum {
    BLOCK = 16,
    PICC_TAG = 0xC7,      /* UID and counter mirrored, 7 bytes of UID */
    SESSION_MAC = 0x3CC3, /* of NXP's AN12196 */
    SESSION_ENC = 0xC33C
};

static int hex_digit(uint8_t character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool from_hex(const uint8_t *text, size_t bytes, uint8_t *out)
{
    for (size_t i = 0; i < bytes; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* The value of `name` in a query, if it is exactly `bytes` in hex. */
static bool parameter(lg_bytes query, const char *name, size_t bytes, uint8_t *out)
{
    size_t named = strlen(name), at = 0;

    while (at < query.n) {
        const uint8_t *field = query.data + at;
        const uint8_t *stop = memchr(field, '&', query.n - at);
        size_t length = stop == NULL ? query.n - at : (size_t)(stop - field);

        if (length == named + 1 + 2 * bytes && memcmp(field, name, named) == 0 && field[named] == '=')
            return from_hex(field + named + 1, bytes, out);
        at += length + 1;
    }
    return false;
}

bool lg_sun_token(lg_bytes token, const char *picc_name, const char *mac_name, uint8_t picc[LG_PICC_BYTES],
                  uint8_t mac[LG_SDMMAC_BYTES])
{
    const uint8_t *mark;

    if (token.n == LG_PICC_BYTES + LG_SDMMAC_BYTES) {
        memcpy(picc, token.data, LG_PICC_BYTES);
        memcpy(mac, token.data + LG_PICC_BYTES, LG_SDMMAC_BYTES);
        return true;
    }
    mark = token.n == 0 ? NULL : memchr(token.data, '?', token.n);
    if (mark != NULL) {
        token.n -= (size_t)(mark + 1 - token.data);
        token.data = mark + 1;
    }
    return parameter(token, picc_name, LG_PICC_BYTES, picc) &&
           parameter(token, mac_name, LG_SDMMAC_BYTES, mac);
}

static void put_counter(uint32_t counter, uint8_t *out)
{
    out[0] = (uint8_t)counter;
    out[1] = (uint8_t)(counter >> 8);
    out[2] = (uint8_t)(counter >> 16);
}

static lg_result cmac(const lg_crypto *crypto, const uint8_t *key, lg_bytes message, uint8_t *mac)
{
    if (crypto->aes128_cmac == NULL)
        return LG_CRYPTO_FAULT;
    return crypto->aes128_cmac(crypto->context, key, message, mac);
}

static lg_result session_key(const lg_crypto *crypto, const uint8_t *file_key, unsigned purpose,
                             const lg_tag *tag, uint8_t *key)
{
    uint8_t vector[BLOCK] = {(uint8_t)(purpose >> 8), (uint8_t)purpose, 0, 1, 0, 0x80};

    memcpy(vector + 6, tag->uid, LG_UID_BYTES);
    put_counter(tag->counter, vector + 6 + LG_UID_BYTES);
    return cmac(crypto, file_key, (lg_bytes){vector, sizeof vector}, key);
}

lg_result lg_sun_check_plain(const lg_crypto *crypto, const uint8_t file_key[16], const lg_tag *tag,
                             lg_bytes mac_input, const uint8_t mac[LG_SDMMAC_BYTES])
{
    uint8_t key[BLOCK], full[BLOCK], differ = 0;

    if (session_key(crypto, file_key, SESSION_MAC, tag, key) != LG_OK ||
        cmac(crypto, key, mac_input, full) != LG_OK)
        return LG_CRYPTO_FAULT;
    for (size_t i = 0; i < LG_SDMMAC_BYTES; i++) /* the odd bytes; all of them, whatever the first says */
        differ |= (uint8_t)(full[2 * i + 1] ^ mac[i]);
    return differ == 0 ? LG_OK : LG_REFUSED;
}

lg_result lg_sun_check(const lg_crypto *crypto, const uint8_t meta_key[16], const uint8_t file_key[16],
                       const uint8_t picc[LG_PICC_BYTES], lg_bytes mac_input,
                       const uint8_t mac[LG_SDMMAC_BYTES], lg_tag *tag)
{
    static const uint8_t no_iv[BLOCK];
    uint8_t plain[LG_PICC_BYTES];
    const uint8_t *counter = plain + 1 + LG_UID_BYTES;

    if (crypto->aes128_cbc_decrypt == NULL ||
        crypto->aes128_cbc_decrypt(crypto->context, meta_key, no_iv, picc, sizeof plain, plain) != LG_OK)
        return LG_CRYPTO_FAULT;
    if (plain[0] != PICC_TAG)
        return LG_BAD;
    memcpy(tag->uid, plain + 1, LG_UID_BYTES);
    tag->counter = (uint32_t)counter[0] | (uint32_t)counter[1] << 8 | (uint32_t)counter[2] << 16;
    return lg_sun_check_plain(crypto, file_key, tag, mac_input, mac);
}

lg_result lg_sun_file_data(const lg_crypto *crypto, const uint8_t file_key[16], const lg_tag *tag,
                           lg_bytes in, uint8_t *out)
{
    static const uint8_t no_iv[BLOCK];
    uint8_t key[BLOCK], iv[BLOCK] = {0};

    if (in.n % BLOCK != 0)
        return LG_BAD;
    if (crypto->aes128_cbc_encrypt == NULL || crypto->aes128_cbc_decrypt == NULL)
        return LG_CRYPTO_FAULT;
    put_counter(tag->counter, iv);
    /* One block under an IV of zeros is the block cipher itself: no further function in the port. */
    if (session_key(crypto, file_key, SESSION_ENC, tag, key) != LG_OK ||
        crypto->aes128_cbc_encrypt(crypto->context, key, no_iv, iv, sizeof iv, iv) != LG_OK ||
        crypto->aes128_cbc_decrypt(crypto->context, key, iv, in.data, in.n, out) != LG_OK)
        return LG_CRYPTO_FAULT;
    return LG_OK;
}
