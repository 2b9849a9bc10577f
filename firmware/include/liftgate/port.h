/* What a board gives the library: its crypto and its flash. Nothing else of the machine is known here.
 *
 * Every function of a port returns LG_OK or says what failed; the library never calls one again in a loop to
 * make it succeed.
 */
#ifndef LIFTGATE_PORT_H
#define LIFTGATE_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Anything but LG_OK means that what was asked for did not happen, and why. */
typedef enum lg_result {
    LG_OK = 0,
    LG_EMPTY,        /* there is no more */
    LG_FULL,         /* the event log has no room: nothing was recorded, tell a person */
    LG_BUSY,         /* as many events await their answer as are allowed: nothing was recorded, ask again */
    LG_ALONE,        /* no engine, and nothing here may decide: nothing was recorded */
    LG_BAD,          /* an argument or a field is out of its range, or bytes are not what they claim */
    LG_FLASH_FAULT,  /* the flash port failed, or what it gave back is damaged */
    LG_CRYPTO_FAULT, /* the crypto port failed, or does not have this */
    LG_REFUSED       /* a signature, a MAC or a policy is not accepted */
} lg_result;

typedef struct lg_bytes {
    const uint8_t *data;
    size_t n;
} lg_bytes;

/* None of these is written by hand: mbed TLS and libsodium on the host (host/crypto_host.c).
 * What a port does not have is NULL, and what needs it is refused; hmac_sha256, sha256 and random must be
 * there. */
typedef struct lg_crypto {
    void *context;
    /* Fill out with n bytes that nobody can foresee: nonces, the name of a numbering, jitter. */
    lg_result (*random)(void *context, uint8_t *out, size_t n);
    /* The parts are taken as one message. */
    lg_result (*sha256)(void *context, const lg_bytes *parts, size_t count, uint8_t digest[32]);
    lg_result (*hmac_sha256)(void *context, lg_bytes key, const lg_bytes *parts, size_t count,
                             uint8_t mac[32]);
    /* LG_OK where the signature holds, LG_REFUSED where not. */
    lg_result (*ed25519_verify)(void *context, const uint8_t public_key[32], lg_bytes message,
                                const uint8_t signature[64]);
    /* ECDSA with P-256 and SHA-256; the key is its two coordinates, the signature r and s. */
    lg_result (*es256_verify)(void *context, const uint8_t public_key[64], lg_bytes message,
                              const uint8_t signature[64]);
    lg_result (*aes128_cmac)(void *context, const uint8_t key[16], lg_bytes message, uint8_t mac[16]);
    /* No padding; n is a multiple of 16; in and out may be the same. */
    lg_result (*aes128_cbc_encrypt)(void *context, const uint8_t key[16], const uint8_t iv[16],
                                    const uint8_t *in, size_t n, uint8_t *out);
    lg_result (*aes128_cbc_decrypt)(void *context, const uint8_t key[16], const uint8_t iv[16],
                                    const uint8_t *in, size_t n, uint8_t *out);
} lg_crypto;

/* The largest program page that the library can serve. A board with larger ones raises it. */
#ifndef LG_PAGE_BYTES_MAX
#define LG_PAGE_BYTES_MAX 256u
#endif

/* A part of NOR flash, addressed from 0. Bits go from 1 to 0 by program, a whole block back to 1 by erase.
 * The library programs a page at most once between two erases of its block, and pages of a block in ascending
 * order. */
typedef struct lg_flash {
    void *context;
    uint32_t page_bytes;  /* what is programmed at once: 8 to LG_PAGE_BYTES_MAX, a power of two */
    uint32_t block_bytes; /* what is erased at once: at least 1,024 and 8 pages, a multiple of page_bytes */
    uint32_t block_count; /* at least 3 for a log */
    lg_result (*read)(void *context, uint32_t at, uint8_t *out, size_t n);
    /* at is a page's; data is exactly one page. Returns when it is in the flash. */
    lg_result (*program)(void *context, uint32_t at, const uint8_t *data);
    lg_result (*erase)(void *context, uint32_t block);
} lg_flash;

#endif
