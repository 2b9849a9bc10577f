/* The crypto port over mbed TLS 2.28 (Ed25519: libsodium, since mbed TLS has none). */
#ifndef CRYPTO_MBEDTLS_H
#define CRYPTO_MBEDTLS_H

#include "liftgate/port.h"

/* Fill in what this build of mbed TLS has; `random` stays the board's. */
void crypto_mbedtls(lg_crypto *crypto);

#endif
