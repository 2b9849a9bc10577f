/* The crypto port of a machine with libraries: mbed TLS 2.28 and libsodium, which has the Ed25519 that mbed
 * TLS lacks. */
#include <mbedtls/aes.h>
#include <mbedtls/cmac.h>
#include <mbedtls/ecdsa.h>
#include <mbedtls/md.h>
#include <mbedtls/sha256.h>
#include <sodium.h>

#include "host.h"

static lg_result told(int failed)
{
    return failed ? LG_CRYPTO_FAULT : LG_OK;
}

static lg_result host_random(void *context, uint8_t *out, size_t n)
{
    (void)context;
    randombytes_buf(out, n);
    return LG_OK;
}

static lg_result host_sha256(void *context, const lg_bytes *parts, size_t count, uint8_t digest[32])
{
    (void)context;
    mbedtls_sha256_context sha;
    mbedtls_sha256_init(&sha);
    int failed = mbedtls_sha256_starts_ret(&sha, 0);
    for (size_t i = 0; i < count && !failed; i++)
        failed = mbedtls_sha256_update_ret(&sha, parts[i].data, parts[i].n);
    if (!failed)
        failed = mbedtls_sha256_finish_ret(&sha, digest);
    mbedtls_sha256_free(&sha);
    return told(failed);
}

static lg_result host_hmac(void *context, lg_bytes key, const lg_bytes *parts, size_t count, uint8_t mac[32])
{
    (void)context;
    mbedtls_md_context_t md;
    mbedtls_md_init(&md);
    int failed = mbedtls_md_setup(&md, mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), 1);
    if (!failed)
        failed = mbedtls_md_hmac_starts(&md, key.data, key.n);
    for (size_t i = 0; i < count && !failed; i++)
        failed = mbedtls_md_hmac_update(&md, parts[i].data, parts[i].n);
    if (!failed)
        failed = mbedtls_md_hmac_finish(&md, mac);
    mbedtls_md_free(&md);
    return told(failed);
}

static lg_result host_ed25519(void *context, const uint8_t public_key[32], lg_bytes message,
                              const uint8_t signature[64])
{
    (void)context;
    return crypto_sign_verify_detached(signature, message.data, message.n, public_key) == 0 ? LG_OK
                                                                                            : LG_REFUSED;
}

/* mbed TLS speaks of a point as 4, x, y. */
static lg_result host_es256(void *context, const uint8_t public_key[64], lg_bytes message,
                            const uint8_t signature[64])
{
    uint8_t digest[32], point_bytes[65] = {4};
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi r, s;
    for (size_t i = 0; i < 64; i++)
        point_bytes[1 + i] = public_key[i];
    mbedtls_ecp_group_init(&group);
    mbedtls_ecp_point_init(&point);
    mbedtls_mpi_init(&r);
    mbedtls_mpi_init(&s);
    bool failed = host_sha256(context, &message, 1, digest) != LG_OK ||
                  mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) != 0 ||
                  mbedtls_mpi_read_binary(&r, signature, 32) != 0 ||
                  mbedtls_mpi_read_binary(&s, signature + 32, 32) != 0;
    bool good = !failed &&
                mbedtls_ecp_point_read_binary(&group, &point, point_bytes, sizeof point_bytes) == 0 &&
                mbedtls_ecp_check_pubkey(&group, &point) == 0 &&
                mbedtls_ecdsa_verify(&group, digest, sizeof digest, &point, &r, &s) == 0;
    mbedtls_mpi_free(&s);
    mbedtls_mpi_free(&r);
    mbedtls_ecp_point_free(&point);
    mbedtls_ecp_group_free(&group);
    return failed ? LG_CRYPTO_FAULT : good ? LG_OK : LG_REFUSED;
}

static lg_result host_cmac(void *context, const uint8_t key[16], lg_bytes message, uint8_t mac[16])
{
    (void)context;
    const mbedtls_cipher_info_t *aes = mbedtls_cipher_info_from_type(MBEDTLS_CIPHER_AES_128_ECB);
    return told(mbedtls_cipher_cmac(aes, key, 128, message.data, message.n, mac));
}

static lg_result host_cbc(void *context, const uint8_t key[16], const uint8_t iv[16], const uint8_t *in,
                          size_t n, uint8_t *out)
{
    (void)context;
    uint8_t chain[16];
    for (size_t i = 0; i < sizeof chain; i++)
        chain[i] = iv[i];
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    int failed = mbedtls_aes_setkey_dec(&aes, key, 128);
    if (!failed)
        failed = mbedtls_aes_crypt_cbc(&aes, MBEDTLS_AES_DECRYPT, n, chain, in, out);
    mbedtls_aes_free(&aes);
    return told(failed);
}

const lg_crypto *host_crypto(void)
{
    static const lg_crypto crypto = {
        .random = host_random,
        .sha256 = host_sha256,
        .hmac_sha256 = host_hmac,
        .ed25519_verify = host_ed25519,
        .es256_verify = host_es256,
        .aes128_cmac = host_cmac,
        .aes128_cbc_decrypt = host_cbc,
    };
    return sodium_init() < 0 ? NULL : &crypto;
}
