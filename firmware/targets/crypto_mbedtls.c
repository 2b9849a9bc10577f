/* Built with the configuration of its image, or of the host's package: what that lacks stays NULL. */
#include "crypto_mbedtls.h"

#if defined(MBEDTLS_CONFIG_FILE)
#include MBEDTLS_CONFIG_FILE
#else
#include <mbedtls/config.h>
#endif
#include <mbedtls/md.h>
#include <mbedtls/sha256.h>
#include <sodium/crypto_sign_ed25519.h>
#include <string.h>
#if defined(MBEDTLS_CMAC_C)
#include <mbedtls/aes.h>
#include <mbedtls/cipher.h>
#include <mbedtls/cmac.h>
#endif
#if defined(MBEDTLS_ECDSA_C)
#include <mbedtls/ecdsa.h>
#endif

static lg_result outcome(int failed)
{
    return failed == 0 ? LG_OK : LG_CRYPTO_FAULT;
}

static lg_result sha256(void *context, const lg_bytes *parts, size_t count, uint8_t digest[32])
{
    mbedtls_sha256_context state;
    int failed;

    (void)context;
    mbedtls_sha256_init(&state);
    failed = mbedtls_sha256_starts_ret(&state, 0);
    for (size_t i = 0; failed == 0 && i < count; i++)
        failed = mbedtls_sha256_update_ret(&state, parts[i].data, parts[i].n);
    if (failed == 0)
        failed = mbedtls_sha256_finish_ret(&state, digest);
    mbedtls_sha256_free(&state);
    return outcome(failed);
}

static lg_result hmac_sha256(void *context, lg_bytes key, const lg_bytes *parts, size_t count,
                             uint8_t mac[32])
{
    mbedtls_md_context_t state;
    int failed;

    (void)context;
    mbedtls_md_init(&state);
    failed = mbedtls_md_setup(&state, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    if (failed == 0)
        failed = mbedtls_md_hmac_starts(&state, key.data, key.n);
    for (size_t i = 0; failed == 0 && i < count; i++)
        failed = mbedtls_md_hmac_update(&state, parts[i].data, parts[i].n);
    if (failed == 0)
        failed = mbedtls_md_hmac_finish(&state, mac);
    mbedtls_md_free(&state);
    return outcome(failed);
}

static lg_result ed25519_verify(void *context, const uint8_t public_key[32], lg_bytes message,
                                const uint8_t signature[64])
{
    (void)context;
    return crypto_sign_ed25519_verify_detached(signature, message.data, message.n, public_key) == 0
               ? LG_OK
               : LG_REFUSED;
}

#if defined(MBEDTLS_CMAC_C)
enum { KEY_BITS = 128 };

static lg_result aes128_cmac(void *context, const uint8_t key[16], lg_bytes message, uint8_t mac[16])
{
    static const uint8_t nothing[1];
    const uint8_t *data = message.n == 0 ? nothing : message.data; /* it refuses NULL, even for no bytes */

    (void)context;
    return outcome(mbedtls_cipher_cmac(mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_128_ECB), key,
                                       KEY_BITS, data, message.n, mac));
}

static lg_result cbc(const uint8_t *key, const uint8_t *iv, const uint8_t *in, size_t n, uint8_t *out,
                     int direction)
{
    mbedtls_aes_context state;
    uint8_t chained[16];
    int failed;

    memcpy(chained, iv, sizeof chained);
    mbedtls_aes_init(&state);
    failed = direction == MBEDTLS_AES_ENCRYPT ? mbedtls_aes_setkey_enc(&state, key, KEY_BITS)
                                              : mbedtls_aes_setkey_dec(&state, key, KEY_BITS);
    if (failed == 0)
        failed = mbedtls_aes_crypt_cbc(&state, direction, n, chained, in, out);
    mbedtls_aes_free(&state);
    return outcome(failed);
}

static lg_result aes128_cbc_encrypt(void *context, const uint8_t key[16], const uint8_t iv[16],
                                    const uint8_t *in, size_t n, uint8_t *out)
{
    (void)context;
    return cbc(key, iv, in, n, out, MBEDTLS_AES_ENCRYPT);
}

static lg_result aes128_cbc_decrypt(void *context, const uint8_t key[16], const uint8_t iv[16],
                                    const uint8_t *in, size_t n, uint8_t *out)
{
    (void)context;
    return cbc(key, iv, in, n, out, MBEDTLS_AES_DECRYPT);
}
#endif

#if defined(MBEDTLS_ECDSA_C)
static lg_result es256_verify(void *context, const uint8_t public_key[64], lg_bytes message,
                              const uint8_t signature[64])
{
    uint8_t digest[32], point[65] = {4}; /* an uncompressed point */
    mbedtls_ecp_group group;
    mbedtls_ecp_point key;
    mbedtls_mpi r, s;
    int failed;

    memcpy(point + 1, public_key, 64);
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&key);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    failed = sha256(context, &message, 1, digest) != LG_OK;
    failed |= mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) |
              mbedtls_ecp_point_read_binary(&group, &key, point, sizeof point) |
              mbedtls_mpi_read_binary(&r, signature, 32) | mbedtls_mpi_read_binary(&s, signature + 32, 32);
    if (failed == 0)
        failed =
            mbedtls_ecp_check_pubkey(&group, &key) | mbedtls_ecdsa_verify(&group, digest, 32, &key, &r, &s);
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&key);
    mbedtls_ecp_group_free(&group);
    return failed == 0 ? LG_OK : LG_REFUSED;
}
#endif

void crypto_mbedtls(lg_crypto *crypto)
{
    crypto->sha256 = sha256;
    crypto->hmac_sha256 = hmac_sha256;
    crypto->ed25519_verify = ed25519_verify;
#if defined(MBEDTLS_CMAC_C)
    crypto->aes128_cmac = aes128_cmac;
    crypto->aes128_cbc_encrypt = aes128_cbc_encrypt;
    crypto->aes128_cbc_decrypt = aes128_cbc_decrypt;
#endif
#if defined(MBEDTLS_ECDSA_C)
    crypto->es256_verify = es256_verify;
#endif
}
