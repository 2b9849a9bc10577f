#include "ticket_maker.h"

#include <sodium.h>
#include <string.h>

#include "check.h"

typedef struct bytes {
    uint8_t at[400];
    size_t n;
} bytes;

static void raw(bytes *to, const void *from, size_t n)
{
    CHECK(to->n + n <= sizeof to->at);
    memcpy(to->at + to->n, from, n);
    to->n += n;
}

static void head(bytes *to, unsigned major, uint64_t argument)
{
    uint8_t made[9];
    int more = argument < 24 ? 0 : argument < 256 ? 1 : argument < 65536 ? 2 : argument <= UINT32_MAX ? 4 : 8;
    unsigned info = more == 0 ? (unsigned)argument : more == 1 ? 24 : more == 2 ? 25 : more == 4 ? 26 : 27;
    made[0] = (uint8_t)(major << 5 | info);
    for (int i = 0; i < more; i++)
        made[1 + i] = (uint8_t)(argument >> 8 * (more - 1 - i));
    raw(to, made, 1 + (size_t)more);
}

static void string(bytes *to, unsigned major, const void *from, size_t n)
{
    head(to, major, n);
    raw(to, from, n);
}

static void number(bytes *to, int64_t value)
{
    head(to, value < 0 ? 1 : 0, value < 0 ? (uint64_t)(-1 - value) : (uint64_t)value);
}

static bytes claims_of(const ticket_spec *spec)
{
    bytes out = {{0}, 0};
    uint8_t cti[8];
    for (int i = 0; i < 8; i++)
        cti[i] = (uint8_t)(spec->cti >> 8 * i);
    head(&out, 5, 4u + spec->single_use + spec->doubled_exp);
    number(&out, 4);
    number(&out, spec->exp_s);
    if (spec->doubled_exp) {
        number(&out, 4);
        number(&out, (int64_t)spec->exp_s + 100000);
    }
    number(&out, 5);
    number(&out, spec->nbf_s);
    number(&out, 7);
    string(&out, 2, cti, sizeof cti);
    number(&out, -65537);
    string(&out, 3, spec->lot, strlen(spec->lot));
    if (spec->single_use) {
        number(&out, -65539);
        raw(&out, "\xF5", 1);
    }
    return out;
}

static void signing_key(uint8_t public_key[32], uint8_t secret_key[64])
{
    static const uint8_t seed[32] = "a seed of thirty-two bytes, fix";
    CHECK(crypto_sign_ed25519_seed_keypair(public_key, secret_key, seed) == 0);
}

void maker_public_key(uint8_t key[32])
{
    uint8_t secret[64];
    signing_key(key, secret);
}

static bytes header_of(const ticket_spec *spec)
{
    bytes out = {{0}, 0};
    head(&out, 5, spec->kid_unsigned ? 1 : 2);
    number(&out, 1);
    number(&out, spec->mac ? 4 : -8);
    if (!spec->kid_unsigned) {
        number(&out, 4);
        string(&out, 2, spec->kid, strlen(spec->kid));
    }
    return out;
}

static size_t base45(const bytes *from, uint8_t *out)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    size_t n = 0;
    for (size_t i = 0; i < from->n; i += 2) {
        bool pair = i + 1 < from->n;
        unsigned value = pair ? from->at[i] * 256u + from->at[i + 1] : from->at[i];
        for (int digit = 0; digit < (pair ? 3 : 2); digit++, value /= 45)
            out[n++] = (uint8_t)alphabet[value % 45];
    }
    return n;
}

size_t make_ticket(const ticket_spec *spec, uint8_t token[TOKEN_MAX])
{
    bytes header = header_of(spec), claims = claims_of(spec), over = {{0}, 0}, message = {{0}, 0};
    uint8_t public_key[32], secret_key[64], signature[64];

    head(&over, 4, 4);
    string(&over, 3, "Signature1", 10);
    string(&over, 2, header.at, header.n);
    string(&over, 2, "", 0);
    string(&over, 2, claims.at, claims.n);
    signing_key(public_key, secret_key);
    CHECK(crypto_sign_ed25519_detached(signature, NULL, over.at, over.n, secret_key) == 0);
    if (spec->tagged) {
        head(&message, 6, 61);
        head(&message, 6, spec->mac ? 17 : 18);
    }
    head(&message, 4, 4);
    string(&message, 2, header.at, header.n);
    head(&message, 5, spec->kid_unsigned ? 1 : 0);
    if (spec->kid_unsigned) {
        number(&message, 4);
        string(&message, 2, spec->kid, strlen(spec->kid));
    }
    string(&message, 2, claims.at, claims.n);
    string(&message, 2, signature, spec->mac ? 8 : 64);
    memcpy(token, "LG1:", 4);
    return 4 + base45(&message, token + 4);
}
