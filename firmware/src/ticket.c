#include "liftgate/ticket.h"

#include <string.h>

#include "liftgate/base45.h"

enum {
    CLAIM_EXP = 4,
    CLAIM_NBF = 5,
    CLAIM_CTI = 7,
    CLAIM_LOT = -65537,
    CLAIM_CLASS = -65538,
    CLAIM_SINGLE_USE = -65539,
    CBOR_FALSE = 20,
    CBOR_TRUE = 21,
    CTI_BYTES = 8,
    PREFIX_BYTES = 4
};

static bool read_time(lg_cbor *cursor, uint64_t *out)
{
    /* RFC 8392 would let it be a float: no issuer of ours writes one, and it would cost a soft-float library.
     */
    return lg_cbor_expect(cursor, LG_CBOR_UINT, out);
}

static bool read_flag(lg_cbor *cursor, bool *out)
{
    uint64_t value;

    if (!lg_cbor_expect(cursor, LG_CBOR_SIMPLE, &value) || (value != CBOR_TRUE && value != CBOR_FALSE))
        return false;
    *out = value == CBOR_TRUE;
    return true;
}

/* The bit of a claim of ours, to see one that comes twice; 0 for others. */
static unsigned bit_of(int32_t claim)
{
    static const int32_t ours[] = {CLAIM_EXP, CLAIM_NBF, CLAIM_CTI, CLAIM_LOT, CLAIM_CLASS, CLAIM_SINGLE_USE};

    for (unsigned i = 0; i < sizeof ours / sizeof *ours; i++)
        if (claim == ours[i])
            return 1u << i;
    return 0;
}

static bool read_claim(lg_cbor *cursor, int32_t claim, lg_ticket *out)
{
    switch (claim) {
    case CLAIM_EXP: return read_time(cursor, &out->exp_s);
    case CLAIM_NBF: return read_time(cursor, &out->nbf_s);
    case CLAIM_CTI: return lg_cbor_string(cursor, LG_CBOR_BYTES, &out->cti);
    case CLAIM_LOT: return lg_cbor_string(cursor, LG_CBOR_TEXT, &out->lot);
    case CLAIM_CLASS: return lg_cbor_string(cursor, LG_CBOR_TEXT, &out->spot_class);
    case CLAIM_SINGLE_USE: return read_flag(cursor, &out->single_use);
    default: return lg_cbor_skip(cursor);
    }
}

bool lg_ticket_claims(lg_bytes claims, lg_ticket *out)
{
    lg_cbor cursor = {claims.data, claims.data + claims.n};
    uint64_t pairs;
    unsigned seen = 0;

    if (!lg_cbor_expect(&cursor, LG_CBOR_MAP, &pairs))
        return false;
    while (pairs-- > 0) {
        int32_t claim = 0;
        bool named = lg_cbor_peek(&cursor) <= LG_CBOR_NEGATIVE;
        if (named ? !lg_cbor_int(&cursor, &claim) : !lg_cbor_skip(&cursor))
            return false;
        if ((seen & bit_of(claim)) != 0 || !read_claim(&cursor, claim, out))
            return false;
        seen |= bit_of(claim);
    }
    return cursor.at == cursor.end;
}

bool lg_is_ticket(const uint8_t *token, size_t length)
{
    return length > PREFIX_BYTES && memcmp(token, "LG1:", PREFIX_BYTES) == 0;
}

bool lg_ticket_parse(const uint8_t *token, size_t length, uint8_t *room, lg_ticket *out)
{
    int decoded;

    memset(out, 0, sizeof *out);
    if (!lg_is_ticket(token, length))
        return false;
    decoded = lg_base45_decode(token + PREFIX_BYTES, length - PREFIX_BYTES, room, LG_TICKET_BYTES_MAX);
    if (decoded < 0 || !lg_cose_parse(room, (size_t)decoded, &out->cose))
        return false;
    return lg_ticket_claims(out->cose.payload, out) && out->cti.n == CTI_BYTES && out->exp_s != 0 &&
           out->lot.n != 0;
}

int lg_ticket_when(const lg_ticket *ticket, uint64_t now_ms)
{
    uint64_t now_s = now_ms / 1000;

    if (now_s < ticket->nbf_s)
        return -1;
    return now_s >= ticket->exp_s ? 1 : 0;
}
