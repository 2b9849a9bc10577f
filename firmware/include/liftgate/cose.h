/* COSE_Sign1 and COSE_Mac0 (RFC 9052): their parts, and the bytes that a signature or a MAC is over. */
#ifndef LIFTGATE_COSE_H
#define LIFTGATE_COSE_H

#include "liftgate/cbor.h"

enum {
    LG_COSE_ES256 = -7,
    LG_COSE_EDDSA = -8,
    LG_COSE_HMAC_256_64 = 4,
    LG_COSE_ALG_NONE = 0 /* names none, or one that is not a number */
};

typedef struct lg_cose {
    int32_t alg;  /* of the protected header */
    lg_bytes kid; /* likewise; n 0: none */
    int32_t
        alg_open; /* of the unprotected header, for which nobody vouches: whoever takes these must know why */
    lg_bytes kid_open;
    bool mac;                  /* by its tag, or without one by its alg: a COSE_Mac0 */
    lg_bytes protected_header; /* as the signature sees it: an empty map is no bytes */
    lg_bytes payload;
    lg_bytes proof; /* signature or MAC */
} lg_cose;

/* Take a message apart, with or without its tag (18, 17), and that of a CWT (61) around it.
 * Bytes behind it, another tag, a detached payload, a header with a key of ours twice: false. */
bool lg_cose_parse(const uint8_t *bytes, size_t length, lg_cose *out);

/* Write Sig_structure or MAC_structure into `out`. Returns its length, or 0 where `size` is too small. */
size_t lg_cose_signed_bytes(const lg_cose *cose, lg_bytes external_aad, uint8_t *out, size_t size);

#endif
