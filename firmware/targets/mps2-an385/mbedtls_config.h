/* What this image needs of mbed TLS 2.28, and no more. */
#ifndef MBEDTLS_IMAGE_CONFIG_H
#define MBEDTLS_IMAGE_CONFIG_H

#define MBEDTLS_SHA256_C
#define MBEDTLS_SHA256_SMALLER
#define MBEDTLS_MD_C

/* Its HMAC asks for memory: it gets a pool of a fixed size (crypto_start), for there is no heap. */
#define MBEDTLS_PLATFORM_C
#define MBEDTLS_PLATFORM_MEMORY
#define MBEDTLS_PLATFORM_NO_STD_FUNCTIONS
#define MBEDTLS_MEMORY_BUFFER_ALLOC_C

#include <mbedtls/check_config.h>

#endif
