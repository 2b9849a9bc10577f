/* Events from the lanes: kept in the log, awaited live, given up, decided alone, acknowledged. */
#include <string.h>

#include "reader_parts.h"

/* -- what awaits its answer */

lg_pending *pending_find(lg_reader *r, uint64_t no)
{
    for (uint32_t i = 0; i < r->pending_count; i++)
        if (r->pending[i].entry.no == no)
            return &r->pending[i];
    return NULL;
}

lg_pending *pending_by_ref(lg_reader *r, uint32_t ref)
{
    for (uint32_t i = 0; i < r->pending_count; i++)
        if (r->pending[i].sent && r->pending[i].ref == ref)
            return &r->pending[i];
    return NULL;
}

void pending_remove(lg_reader *r, lg_pending *p)
{
    uint32_t behind = r->pending_count - 1 - (uint32_t)(p - r->pending);
    memmove(p, p + 1, behind * sizeof *p);
    r->pending_count--;
}

static void pending_add(lg_reader *r, const lg_entry *entry, uint8_t lane)
{
    lg_pending *p = &r->pending[r->pending_count++];
    memset(p, 0, sizeof *p);
    p->entry = *entry;
    p->lane = lane;
    p->until_ms = r->now_ms + r->config.answer_ms_max;
}

static void note(lg_reader *r, uint64_t from, uint64_t to)
{
    if (from <= to && lg_log_acknowledge(r->log, from, to) == LG_FLASH_FAULT)
        r->counts.faults++; /* it is sent again, and known again */
}

void acknowledge(lg_reader *r, uint64_t from, uint64_t to)
{
    for (uint32_t i = 0; i < r->pending_count;) {
        lg_pending *p = &r->pending[i];
        uint64_t no = p->entry.no;
        bool inside = no >= from && no <= to;
        if (inside && p->entry.type != LG_SCAN) {
            pending_remove(r, p);
            continue;
        }
        if (inside) {
            note(r, from, no - 1);
            from = no + 1;
        }
        i++;
    }
    note(r, from, to);
}

void rewind_backlog(lg_reader *r)
{
    lg_log_first(r->log, &r->cursor);
    r->backlog = true;
}

/* -- decided here */

static void tell(lg_reader *r, uint64_t no, uint8_t lane, const lg_alone_answer *answer)
{
    lg_decision decision;
    memset(&decision, 0, sizeof decision);
    decision.no = no;
    decision.lane = lane;
    decision.verdict = answer->verdict;
    decision.reason = answer->reason;
    decision.alone = true;
    decision.spot = decision.currency = text_of("");
    decision.text = text_of(answer->text ? answer->text : "");
    r->lane->decision(r->lane->context, &decision);
}

void refuse_here(lg_reader *r, uint64_t no, uint8_t lane, const char *text)
{
    lg_alone_answer answer = {LG_REFUSE, 0, text};
    tell(r, no, lane, &answer);
}

/* A scan's body into r->body; returns its length. The longest token fits. */
static size_t scan_body(lg_reader *r, uint64_t no, const lg_alone_scan *scan)
{
    lg_packer p;
    lg_pack_begin(&p, r->body, sizeof r->body);
    lg_pack_array(&p, 5);
    lg_pack_uint(&p, no);
    lg_pack_uint(&p, scan->at_ms);
    lg_pack_uint(&p, scan->lane);
    lg_pack_uint(&p, scan->kind);
    lg_pack_bin(&p, scan->token.data, scan->token.n);
    return p.n;
}

static lg_result keep(lg_reader *r, uint8_t type, uint8_t verdict, size_t n, lg_entry *entry)
{
    lg_bytes body = {r->body, n};
    lg_result result = lg_log_append(r->log, type, verdict, body, entry);
    r->counts.refused += result == LG_FULL;
    r->counts.faults += result == LG_FLASH_FAULT;
    return result;
}

/* Decide, record under a number of its own, tell. Nothing moves before it stands in the flash. */
static lg_result decide_alone(lg_reader *r, const lg_alone_scan *scan, uint64_t *no)
{
    lg_alone_answer answer = {LG_REFUSE, 0, ""};
    r->offline->decide(r->offline->context, scan, &answer);
    lg_entry entry;
    lg_result result = keep(r, LG_SCAN, answer.verdict, scan_body(r, r->log->next_no, scan), &entry);
    if (result != LG_OK)
        return result;
    r->counts.alone++;
    r->backlog = true;
    if (no)
        *no = entry.no;
    tell(r, entry.no, scan->lane, &answer);
    return LG_OK;
}

/* A scan that stands in the log already, as it was. The token lies in r->body. */
static bool scan_again(lg_reader *r, const lg_pending *p, lg_alone_scan *scan)
{
    lg_unpacker u;
    lg_item head, no, at, lane, kind, token;
    lg_bytes body = {r->body, p->entry.n};
    if (lg_log_read(r->log, &p->entry, r->body) != LG_OK)
        return false;
    lg_unpack_begin(&u, body);
    if (lg_unpack(&u, &head) || lg_unpack(&u, &no) || lg_unpack(&u, &at) || lg_unpack(&u, &lane) ||
        lg_unpack(&u, &kind) || lg_unpack(&u, &token))
        return false;
    scan->lane = (uint8_t)lane.number;
    scan->kind = (uint8_t)kind.number;
    scan->token = token.bytes;
    scan->at_ms = at.number;
    scan->clock_known = r->clock_known;
    return true;
}

/* Where it belongs by its number. */
static void pending_insert(lg_reader *r, const lg_pending *p)
{
    uint32_t i = r->pending_count++;
    for (; i > 0 && r->pending[i - 1].entry.no > p->entry.no; i--)
        r->pending[i] = r->pending[i - 1];
    r->pending[i] = *p;
}

void revive_scans(lg_reader *r)
{
    lg_cursor cursor;
    lg_pending p;
    lg_alone_scan scan;
    uint64_t clock_ms = lg_reader_clock(r, r->now_ms);
    memset(&p, 0, sizeof p);
    p.ever_sent = true; /* or not: who knows */
    lg_log_first(r->log, &cursor);
    while (r->pending_count < LG_PENDING_MAX && lg_log_next(r->log, &cursor, &p.entry) == LG_OK) {
        bool open =
            p.entry.type == LG_SCAN && p.entry.verdict == LG_NO_VERDICT && !pending_find(r, p.entry.no);
        if (!open || !scan_again(r, &p, &scan))
            continue;
        uint64_t age_ms = clock_ms - scan.at_ms;
        if (age_ms >= r->config.answer_ms_max)
            continue; /* or from the future: a clock that was never set */
        p.lane = scan.lane;
        p.until_ms = r->now_ms + r->config.answer_ms_max - age_ms;
        pending_insert(r, &p);
    }
}

/* A scan that no engine ever saw gets its verdict under its number. One that was sent may have been decided:
 * what is done alone is an event of its own then, and the first one tells that it opened nothing. */
static void decide_given_up(lg_reader *r, const lg_pending *p)
{
    lg_alone_scan scan;
    lg_alone_answer answer = {LG_REFUSE, 0, ""};
    if (!scan_again(r, p, &scan)) {
        r->counts.faults++;
        refuse_here(r, p->entry.no, p->lane, "");
        return;
    }
    if (p->ever_sent) {
        uint8_t token[LG_TOKEN_BYTES_MAX]; /* r->body is written anew */
        memcpy(token, scan.token.data, scan.token.n);
        scan.token.data = token;
        scan.at_ms = lg_reader_clock(r, r->now_ms);
        if (decide_alone(r, &scan, NULL) != LG_OK)
            refuse_here(r, p->entry.no, p->lane, "");
        return;
    }
    r->offline->decide(r->offline->context, &scan, &answer);
    if (lg_log_set_verdict(r->log, p->entry.no, answer.verdict) != LG_OK) {
        refuse_here(r, p->entry.no, p->lane, "");
        return;
    }
    r->counts.alone++;
    tell(r, p->entry.no, p->lane, &answer);
}

static void give_up(lg_reader *r, lg_pending *pending, bool alone)
{
    lg_pending p = *pending;
    pending_remove(r, pending);
    rewind_backlog(r);
    if (p.entry.type != LG_SCAN)
        return;
    r->counts.given_up++;
    if (alone && r->offline)
        decide_given_up(r, &p);
    else
        refuse_here(r, p.entry.no, p.lane, "");
}

void give_up_what_is_due(lg_reader *r)
{
    bool alone = lg_reader_alone(r, r->now_ms);
    for (uint32_t i = 0; i < r->pending_count;) {
        lg_pending *p = &r->pending[i];
        if (alone || (p->entry.type == LG_SCAN && r->now_ms >= p->until_ms))
            give_up(r, p, alone);
        else
            i++;
    }
}

/* -- told by the host */

static bool lane_is_unknown(const lg_reader *r, uint8_t lane)
{
    return (r->lanes_unknown[lane / 8] >> (lane % 8) & 1) != 0;
}

static lg_result begin_event(lg_reader *r, uint8_t lane, uint64_t now_ms)
{
    if (now_ms > r->now_ms)
        r->now_ms = now_ms;
    return lane_is_unknown(r, lane) ? LG_REFUSED : LG_OK;
}

/* Keep what lies in r->body; live where that makes sense, else for REPLAY. */
static lg_result end_event(lg_reader *r, uint8_t type, uint8_t lane, const lg_packer *p, uint64_t *no)
{
    lg_entry entry;
    lg_result result = p->too_long ? LG_BAD : keep(r, type, LG_NO_VERDICT, p->n, &entry);
    if (result != LG_OK)
        return result;
    if (no)
        *no = entry.no;
    if (r->pending_count < LG_PENDING_MAX && !lg_reader_alone(r, r->now_ms))
        pending_add(r, &entry, lane);
    else
        r->backlog = true;
    pump(r);
    return LG_OK;
}

lg_result lg_reader_scan(lg_reader *r, uint8_t lane, uint8_t kind, lg_bytes token, uint64_t now_ms,
                         uint64_t *no)
{
    lg_result result = begin_event(r, lane, now_ms);
    if (result != LG_OK)
        return result;
    if (kind < LG_QR || kind > LG_PLATE || token.n == 0 || token.n > LG_TOKEN_BYTES_MAX)
        return LG_BAD;
    lg_alone_scan scan = {lane, kind, token, lg_reader_clock(r, r->now_ms), r->clock_known};
    if (lg_reader_alone(r, r->now_ms))
        return r->offline ? decide_alone(r, &scan, no) : LG_ALONE;
    if (r->pending_count == LG_PENDING_MAX)
        return LG_BUSY;
    lg_packer p = {r->body, scan_body(r, r->log->next_no, &scan), sizeof r->body, false};
    return end_event(r, LG_SCAN, lane, &p, no);
}

static void pack_head(lg_reader *r, lg_packer *p, uint32_t fields, uint8_t lane)
{
    lg_pack_begin(p, r->body, sizeof r->body);
    lg_pack_array(p, fields);
    lg_pack_uint(p, r->log->next_no);
    lg_pack_uint(p, lg_reader_clock(r, r->now_ms));
    lg_pack_uint(p, lane);
}

lg_result lg_reader_passage(lg_reader *r, uint8_t lane, uint8_t what, const uint8_t *session, uint64_t now_ms,
                            uint64_t *no)
{
    lg_packer p;
    lg_result result = begin_event(r, lane, now_ms);
    if (result != LG_OK)
        return result;
    if (what < LG_PASSED || what > LG_FORCED)
        return LG_BAD;
    pack_head(r, &p, 5, lane);
    lg_pack_uint(&p, what);
    if (session)
        lg_pack_bin(&p, session, 16);
    else
        lg_pack_nil(&p);
    return end_event(r, LG_PASSAGE, lane, &p, no);
}

lg_result lg_reader_lane_status(lg_reader *r, uint8_t lane, uint8_t barrier, bool loop, const lg_text *faults,
                                size_t fault_count, uint64_t now_ms, uint64_t *no)
{
    lg_packer p;
    lg_result result = begin_event(r, lane, now_ms);
    if (result != LG_OK)
        return result;
    if (barrier > LG_BARRIER_FAULT || fault_count > LG_FAULTS_MAX)
        return LG_BAD;
    pack_head(r, &p, 6, lane);
    lg_pack_uint(&p, barrier);
    lg_pack_bool(&p, loop);
    lg_pack_array(&p, (uint32_t)fault_count);
    for (size_t i = 0; i < fault_count; i++) {
        lg_bytes text = {(const uint8_t *)faults[i].at, faults[i].n};
        if (text.n > LG_FAULT_BYTES_MAX || !lg_utf8(text, NULL))
            return LG_BAD;
        lg_pack_str(&p, faults[i].at, faults[i].n);
    }
    return end_event(r, LG_LANE_STATUS, lane, &p, no);
}
