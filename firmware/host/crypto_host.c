/* The crypto port of a machine with an operating system: its random, and the rest as images have it. */
#include <sodium.h>

#include "crypto_mbedtls.h"
#include "host.h"

static lg_result host_random(void *context, uint8_t *out, size_t n)
{
    (void)context;
    randombytes_buf(out, n);
    return LG_OK;
}

const lg_crypto *host_crypto(void)
{
    static lg_crypto crypto = {.random = host_random};
    crypto_mbedtls(&crypto);
    return sodium_init() < 0 ? NULL : &crypto;
}
