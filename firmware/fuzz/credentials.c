/* What a stranger may hold before a reader: the parsers of base45, CBOR, COSE, tickets and tags. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "liftgate/base45.h"
#include "liftgate/ntag424.h"
#include "liftgate/ticket.h"

static void inside(lg_bytes part, const uint8_t *bytes, size_t n)
{
    CHECK(part.n == 0 || (part.data >= bytes && part.data + part.n <= bytes + n));
}

static void message(const uint8_t *bytes, size_t n)
{
    lg_cose cose;
    uint8_t over[64];
    lg_cbor cursor = {bytes, bytes + n};

    (void)lg_cbor_skip(&cursor);
    CHECK(cursor.at <= cursor.end);
    if (!lg_cose_parse(bytes, n, &cose))
        return;
    inside(cose.kid, bytes, n);
    inside(cose.kid_open, bytes, n);
    inside(cose.protected_header, bytes, n);
    inside(cose.payload, bytes, n);
    inside(cose.proof, bytes, n);
    CHECK(lg_cose_signed_bytes(&cose, (lg_bytes){NULL, 0}, over, sizeof over) <= sizeof over);
    lg_ticket ticket;
    memset(&ticket, 0, sizeof ticket);
    if (lg_ticket_claims(cose.payload, &ticket)) {
        inside(ticket.cti, bytes, n);
        inside(ticket.lot, bytes, n);
    }
}

static void scanned(const uint8_t *token, size_t n)
{
    static uint8_t room[LG_TICKET_BYTES_MAX];
    lg_ticket ticket;
    uint8_t picc[LG_PICC_BYTES], mac[LG_SDMMAC_BYTES];

    if (lg_ticket_parse(token, n, room, &ticket)) {
        inside(ticket.cti, room, sizeof room);
        inside(ticket.lot, room, sizeof room);
        inside(ticket.cose.proof, room, sizeof room);
        CHECK(ticket.cti.n == 8 && ticket.exp_s != 0);
    }
    (void)lg_sun_token((lg_bytes){token, n}, "e", "c", picc, mac);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *own = malloc(size > 0 ? size : 1); /* so that a byte too far is seen */

    CHECK(own);
    memcpy(own, data, size);
    message(own, size);
    scanned(own, size);
    free(own);
    return 0;
}
