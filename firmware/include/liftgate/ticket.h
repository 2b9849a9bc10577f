/* Tickets: `LG1:` + base45 of a CWT (RFC 8392), signed with Ed25519 (a lone reader can check those) or MACed.
 */
#ifndef LIFTGATE_TICKET_H
#define LIFTGATE_TICKET_H

#include "liftgate/cose.h"

enum {
    LG_TICKET_BYTES_MAX = 344, /* of a token's 512: (512 - 4) / 3 * 2 and what is over */
    LG_TICKET_SIGNED_MAX =
        LG_TICKET_BYTES_MAX + 24 /* "Signature1" and heads, without the proof: never more */
};

typedef struct lg_ticket {
    lg_cose cose;
    lg_bytes cti; /* 8 bytes: the credential's identity */
    lg_bytes lot;
    lg_bytes spot_class; /* length 0: any */
    uint64_t nbf_s;      /* Unix seconds; good from here on */
    uint64_t exp_s;      /* and no longer here */
    bool single_use;
} lg_ticket;

/* True where a scanned token claims to be a ticket at all. */
bool lg_is_ticket(const uint8_t *token, size_t length);

/* Read a token as scanned. `room` holds LG_TICKET_BYTES_MAX bytes; what `out` names is inside it.
 * False: not base45, not COSE, no cti of 8 bytes, no exp, no lot, a claim of ours twice or of another type.
 * Claims that mean nothing here are passed over. Nothing is proven yet. */
bool lg_ticket_parse(const uint8_t *token, size_t length, uint8_t *room, lg_ticket *out);

/* Read claims as they stand in a CWT's payload; `out->cose` is left alone. cti, exp and lot may be missing.
 */
bool lg_ticket_claims(lg_bytes claims, lg_ticket *out);

/* 0 now, -1 not yet, 1 no longer. */
int lg_ticket_when(const lg_ticket *ticket, uint64_t now_ms);

#endif
