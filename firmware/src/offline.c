#include "liftgate/offline.h"

#include <string.h>

#include "bytes.h"
#include "liftgate/pack.h"

enum {
    HOUR_MS = 3600000,
    /* A mark of when the engine was there last is written so often: a power cut during a long connection
     * costs a lone reader at most that much of its hours, and the flash 24 pages a day. */
    MARK_MS = HOUR_MS,
    SKEW_MS = 10000,
    MODES_AT = 8
};

static void make_mark(const lg_alone *alone, uint8_t mark[LG_MARK_BYTES])
{
    lg_store64(mark, alone->connected_ms);
    memcpy(mark + MODES_AT, alone->modes, LG_LANES_MAX);
}

static uint64_t marked_ms(const lg_store *store)
{
    return lg_load64(store->mark);
}

static lg_result keep_mark(lg_alone *alone)
{
    uint8_t mark[LG_MARK_BYTES];

    make_mark(alone, mark);
    return lg_store_mark(&alone->store, mark);
}

static int lane_index(const lg_alone *alone, uint64_t lane)
{
    for (uint32_t i = 0; i < alone->lane_count; i++)
        if (alone->lanes[i].number == lane)
            return (int)i;
    return -1;
}

static bool is_used(const lg_alone *alone, const uint8_t *cti)
{
    for (uint32_t i = 0; i < alone->used_count && i < LG_USED_MAX; i++)
        if (memcmp(alone->used[i], cti, LG_CTI_BYTES) == 0)
            return true;
    return false;
}

static void note_used(lg_alone *alone, const lg_ticket *ticket)
{
    if (alone->used_count < LG_USED_MAX)
        memcpy(alone->used[alone->used_count], ticket->cti.data, LG_CTI_BYTES);
    alone->used_count++;
}

/* A scan as the log has it: [no, at_ms, lane, kind, token]. */
static bool logged_scan(lg_bytes body, uint64_t *lane, uint64_t *kind, lg_bytes *token)
{
    lg_unpacker u;
    lg_item item;

    lg_unpack_begin(&u, body);
    for (int skip = 0; skip < 3; skip++) /* the array's head, no, at_ms */
        if (lg_unpack(&u, &item) != LG_OK)
            return false;
    if (lg_unpack(&u, &item) != LG_OK)
        return false;
    *lane = item.number;
    if (lg_unpack(&u, &item) != LG_OK)
        return false;
    *kind = item.number;
    if (lg_unpack(&u, &item) != LG_OK || item.kind != LG_ITEM_BIN)
        return false;
    *token = item.bytes;
    return true;
}

/* What the log holds of openings alone that the engine does not know yet: how many at entries, and which
 * single-use tickets. */
static lg_result look_back(lg_alone *alone, uint32_t *entered)
{
    lg_cursor cursor;
    lg_entry entry;
    lg_ticket ticket;
    lg_result result;

    *entered = 0;
    alone->used_count = 0;
    lg_log_first(alone->log, &cursor);
    while ((result = lg_log_next(alone->log, &cursor, &entry)) == LG_OK) {
        uint64_t lane, kind;
        lg_bytes token;
        int index;

        if (entry.type != LG_SCAN || entry.verdict != LG_OPEN)
            continue;
        if (lg_log_read(alone->log, &entry, alone->work) != LG_OK ||
            !logged_scan((lg_bytes){alone->work, entry.n}, &lane, &kind, &token))
            return LG_FLASH_FAULT;
        index = lane_index(alone, lane);
        if (index >= 0 && alone->lanes[index].direction != LG_ENTRY)
            continue;
        (*entered)++;
        if (kind == LG_QR && lg_ticket_parse(token.data, token.n, alone->ticket, &ticket) &&
            ticket.single_use)
            note_used(alone, &ticket);
    }
    return result == LG_EMPTY ? LG_OK : result;
}

lg_result lg_alone_init(lg_alone *alone, const lg_crypto *crypto, lg_log *log, const lg_flash *flash,
                        const lg_alone_lane *lanes, size_t lane_count)
{
    lg_result result;

    memset(alone, 0, sizeof *alone);
    alone->crypto = crypto;
    alone->log = log;
    if (lane_count > LG_LANES_MAX)
        return LG_BAD;
    alone->lane_count = (uint32_t)lane_count;
    if (lane_count > 0)
        memcpy(alone->lanes, lanes, lane_count * sizeof *lanes);
    memset(alone->modes, LG_NORMAL, sizeof alone->modes);
    result = lg_store_mount(&alone->store, flash);
    if (result != LG_OK)
        return result;
    if (alone->store.sequence == 0) { /* the first time: nothing, but marks can stand beside it */
        uint8_t mark[LG_MARK_BYTES];
        make_mark(alone, mark);
        result = lg_store_begin(&alone->store, 0, mark);
        if (result == LG_OK)
            result = lg_store_commit(&alone->store);
        if (result != LG_OK)
            return result;
    }
    alone->connected_ms = marked_ms(&alone->store);
    memcpy(alone->modes, alone->store.mark + MODES_AT, LG_LANES_MAX);
    result = lg_policy_load(&alone->policy, &alone->store);
    /* Openings from before an engine was there last may be among them, if it was there too briefly: counted
     * once too often, never too seldom. */
    return result == LG_OK ? look_back(alone, &alone->entered) : result;
}

lg_result lg_alone_set_mode(lg_alone *alone, uint8_t lane, uint8_t mode)
{
    int index = lane_index(alone, lane);

    if (index < 0)
        return LG_BAD;
    if (alone->modes[index] == mode)
        return LG_OK;
    alone->modes[index] = mode;
    return keep_mark(alone);
}

static lg_result take_policy(void *context, lg_bytes body, const char **text)
{
    lg_alone *alone = context;
    uint8_t mark[LG_MARK_BYTES];
    lg_result result;

    make_mark(alone, mark);
    result = lg_policy_take(&alone->policy, &alone->store, alone->crypto, body, mark);
    *text = result == LG_OK        ? ""
            : result == LG_REFUSED ? "not a policy"
            : result == LG_FULL    ? "too long to be kept"
                                   : "could not be kept";
    return result;
}

static void connected(void *context, uint64_t at_ms)
{
    lg_alone *alone = context;
    uint32_t before;

    alone->connected_ms = at_ms;
    /* What was replayed has left the log. A log that cannot be read now lets no single-use ticket in. */
    if (look_back(alone, &before) != LG_OK)
        alone->used_count = LG_USED_MAX;
    alone->entered = 0;
    if (at_ms - marked_ms(&alone->store) >= MARK_MS)
        (void)keep_mark(
            alone); /* if flash refuses, the older mark holds: fewer hours after a power cut, not more */
}

static lg_result proven(lg_alone *alone, const lg_ticket *ticket)
{
    uint8_t key[32];
    size_t n;
    lg_result result;

    if (ticket->cose.mac || ticket->cose.alg != LG_COSE_EDDSA || ticket->cose.proof.n != 64)
        return LG_REFUSED; /* a MAC's key must not lie in a reader */
    if (alone->crypto->ed25519_verify == NULL)
        return LG_CRYPTO_FAULT;
    result = lg_policy_key(&alone->policy, &alone->store, ticket->cose.kid, key);
    if (result != LG_OK)
        return result;
    n = lg_cose_signed_bytes(&ticket->cose, (lg_bytes){NULL, 0}, alone->work, sizeof alone->work);
    if (n == 0)
        return LG_REFUSED;
    return alone->crypto->ed25519_verify(alone->crypto->context, key, (lg_bytes){alone->work, n},
                                         ticket->cose.proof.data);
}

static uint16_t listed(lg_alone *alone, uint8_t kind, lg_bytes identity, bool *known)
{
    uint8_t digest[LG_DIGEST_BYTES];
    lg_result denied, found;

    if (lg_policy_digest(alone->crypto, kind, identity, digest) != LG_OK)
        return LG_REASON_HELP;
    denied = lg_policy_denies(&alone->policy, &alone->store, digest);
    found = lg_policy_knows(&alone->policy, &alone->store, digest);
    *known = found == LG_OK;
    if (denied == LG_OK)
        return LG_REASON_DENIED;
    return denied == LG_EMPTY ? LG_REASON_FINE : LG_REASON_HELP;
}

static uint16_t judge_ticket(lg_alone *alone, const lg_alone_scan *scan, uint8_t mode)
{
    lg_ticket ticket;
    bool known;
    uint16_t reason;

    if (!lg_ticket_parse(scan->token.data, scan->token.n, alone->ticket, &ticket))
        return LG_REASON_PROOF;
    reason = listed(alone, scan->kind, ticket.cti, &known);
    if (reason != LG_REASON_FINE)
        return reason;
    if (proven(alone, &ticket) != LG_OK)
        return LG_REASON_PROOF;
    if (ticket.lot.n != alone->policy.lot_bytes ||
        memcmp(ticket.lot.data, alone->policy.lot, ticket.lot.n) != 0)
        return LG_REASON_UNKNOWN;
    if (lg_ticket_when(&ticket, scan->at_ms) != 0)
        return LG_REASON_TIME;
    if (mode == LG_KNOWN_ONLY && !known)
        return LG_REASON_UNKNOWN;
    if (!ticket.single_use)
        return LG_REASON_FINE;
    if (is_used(alone, ticket.cti.data))
        return LG_REASON_USED;
    if (alone->used_count >= LG_USED_MAX)
        return LG_REASON_HELP;
    note_used(alone, &ticket);
    return LG_REASON_FINE;
}

/* Cards, plates, and codes that are no tickets. A tag's message cannot be proven without its key. */
static uint16_t judge_token(lg_alone *alone, const lg_alone_scan *scan, uint8_t mode)
{
    bool known = false;
    uint16_t reason;

    if (scan->kind == LG_SUN || alone->policy.cards == LG_CARDS_OFF)
        return LG_REASON_KIND;
    reason = listed(alone, scan->kind, scan->token, &known);
    if (reason != LG_REASON_FINE)
        return reason;
    if (known || (scan->kind == LG_CARD && alone->policy.cards == LG_CARDS_OPEN && mode != LG_KNOWN_ONLY))
        return LG_REASON_FINE;
    return LG_REASON_UNKNOWN;
}

/* Without a clock neither hours nor a ticket's time can be told; one that went back is none either, but for
 * what a clock on a battery may differ from the engine's. */
static bool clock_allows(const lg_alone *alone, const lg_alone_scan *scan)
{
    uint64_t hours_ms = (uint64_t)alone->policy.hours * HOUR_MS;

    return scan->clock_known && scan->at_ms + SKEW_MS >= alone->connected_ms &&
           scan->at_ms < alone->connected_ms + hours_ms;
}

static uint16_t judge_entry(lg_alone *alone, const lg_alone_scan *scan, uint8_t mode)
{
    uint16_t reason;

    if (mode == LG_CLOSED)
        return LG_REASON_CLOSED;
    if (!clock_allows(alone, scan) || alone->entered >= alone->policy.entries)
        return LG_REASON_HELP;
    reason = scan->kind == LG_QR && lg_is_ticket(scan->token.data, scan->token.n)
                 ? judge_ticket(alone, scan, mode)
                 : judge_token(alone, scan, mode);
    if (reason == LG_REASON_FINE)
        alone->entered++;
    return reason;
}

static const char *text_of(uint16_t reason)
{
    switch (reason) {
    case LG_REASON_FINE: return "Welcome";
    case LG_REASON_CLOSED: return "Closed";
    case LG_REASON_TIME: return "Not valid now";
    case LG_REASON_USED: return "Used before";
    case LG_REASON_HELP: return "No network: please call";
    default: return "Not valid here";
    }
}

static void decide(void *context, const lg_alone_scan *scan, lg_alone_answer *answer)
{
    lg_alone *alone = context;
    int index = lane_index(alone, scan->lane);
    uint8_t mode = index < 0 ? LG_NORMAL : alone->modes[index];

    if (index < 0)
        answer->reason = LG_REASON_CLOSED;
    else if (mode == LG_CLOSED_TO_ALL)
        answer->reason = LG_REASON_CLOSED;
    else if (mode == LG_HELD_OPEN || alone->lanes[index].direction != LG_ENTRY)
        answer->reason = LG_REASON_FINE; /* whoever wants out gets out */
    else
        answer->reason = judge_entry(alone, scan, mode);
    answer->verdict = answer->reason == LG_REASON_FINE ? LG_OPEN : LG_REFUSE;
    answer->text = text_of(answer->reason);
}

void lg_alone_port(lg_alone *alone, lg_offline *port)
{
    port->context = alone;
    port->policy = take_policy;
    port->decide = decide;
    port->connected = connected;
}
