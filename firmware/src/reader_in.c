/* What comes in: which message is good in which state, and what each one does. */
#include <string.h>

#include "bytes.h"
#include "reader_parts.h"

typedef struct fields {
    lg_unpacker u;
    uint32_t ref;
    lg_bytes body;
} fields;

/* Every body was checked by lg_body_check: a field that should be there is, in its type and range. */
static lg_item take(fields *f)
{
    lg_item item;
    (void)lg_unpack(&f->u, &item);
    return item;
}

static lg_text take_text(fields *f)
{
    lg_item item = take(f);
    lg_text text = {item.bytes.n ? (const char *)item.bytes.data : "", item.bytes.n}; /* nil is empty */
    return text;
}

void fail(lg_reader *r, lg_fault code, uint32_t ref)
{
    send_error(r, code, ref, true);
    set_state(r, LG_CLOSING,
              text_of(code == LG_FAULT_SIGN_ON ? "the engine does not hold the key" : "bad frame"));
}

/* -- sign-on */

enum { HEARTBEAT_S_MAX = 86400 };

static lg_result sign(lg_reader *r, const char *side, lg_bytes challenge, uint8_t mac[32])
{
    lg_bytes parts[3] = {{(const uint8_t *)side, strlen(side)}, {r->body, hello_body(r)}, challenge};
    return r->crypto->hmac_sha256(r->crypto->context, r->config.key, parts, 3, mac);
}

static void on_challenge(lg_reader *r, fields *f)
{
    uint8_t mac[32];
    lg_packer p;
    if (sign(r, "liftgate-1 client", f->body, mac) != LG_OK ||
        sign(r, "liftgate-1 engine", f->body, r->engine_mac) != LG_OK) {
        r->counts.faults++;
        set_state(r, LG_CLOSING, text_of("no HMAC"));
        return;
    }
    (void)out_begin(r, &p, LG_REPLY_BYTES_MAX);
    lg_pack_array(&p, 1);
    lg_pack_bin(&p, mac, sizeof mac);
    (void)out_end(r, &p, LG_AUTH, next_ref(r));
    set_state(r, LG_AWAIT_WELCOME, text_of(""));
}

/* In a time that does not tell where they differ. */
static bool same(const uint8_t *a, const uint8_t *b, size_t n)
{
    uint8_t different = 0;
    for (size_t i = 0; i < n; i++)
        different |= (uint8_t)(a[i] ^ b[i]);
    return different == 0;
}

/* All that the engine says is durable. A number that it knows and this log does not was given by a log that
 * is lost; it is not given again. */
static void take_ranges(lg_reader *r, fields *f)
{
    uint64_t done_to = take(f).number, top = done_to;
    lg_unpacker ranges = f->u;
    uint64_t count = take(f).number;
    for (uint64_t i = 0; i < count; i++) {
        (void)take(f);
        (void)take(f);
        uint64_t to = take(f).number;
        top = to > top ? to : top;
    }
    if (top >= r->log->next_no && top != UINT64_MAX)
        r->log->next_no = top + 1;
    acknowledge(r, 1, done_to);
    lg_unpacker behind = f->u;
    f->u = ranges;
    (void)take(f);
    for (uint64_t i = 0; i < count; i++) {
        (void)take(f);
        uint64_t from = take(f).number;
        acknowledge(r, from, take(f).number);
    }
    f->u = behind;
}

static void on_welcome(lg_reader *r, fields *f)
{
    if (!same(take(f).bytes.data, r->engine_mac, sizeof r->engine_mac)) {
        fail(r, LG_FAULT_SIGN_ON, f->ref);
        return;
    }
    lg_unpacker ranges = f->u;
    lg_item gaps;
    (void)take(f);
    for (gaps = take(f); gaps.number > 0; gaps.number--)
        (void)take(f), (void)take(f), (void)take(f);
    uint64_t in_flight_max = take(f).number;
    r->in_flight_max = in_flight_max > UINT32_MAX ? UINT32_MAX : (uint32_t)in_flight_max;
    r->frame_bytes_max = (uint32_t)take(f).number;
    uint64_t heartbeat_s = take(f).number;
    r->heartbeat_ms = 1000u * (heartbeat_s > HEARTBEAT_S_MAX ? HEARTBEAT_S_MAX : (uint32_t)heartbeat_s);
    lg_reader_set_clock(r, take(f).number, r->now_ms);
    if (r->counts.sign_ons == 0)
        revive_scans(r); /* before their numbers count as done: somebody waits for the answers */
    f->u = ranges;
    take_ranges(r, f);
    r->ask_ms = r->replay_ms = r->retry_ms = r->now_ms;
    r->pinged = false;
    r->counts.sign_ons++;
    rewind_backlog(r);
    set_state(r, LG_ONLINE, text_of(""));
}

/* -- answers to events */

static void on_decision(lg_reader *r, fields *f)
{
    lg_decision d;
    memset(&d, 0, sizeof d);
    d.no = take(f).number;
    d.verdict = (uint8_t)take(f).number;
    d.reason = (uint16_t)take(f).number;
    lg_item session = take(f);
    d.has_session = session.kind == LG_ITEM_BIN;
    if (d.has_session)
        memcpy(d.session, session.bytes.data, sizeof d.session);
    d.spot = take_text(f);
    d.text = take_text(f);
    d.has_price = take(f).kind == LG_ITEM_ARRAY;
    d.price_minor = d.has_price ? (int64_t)take(f).number : 0;
    d.currency = d.has_price ? take_text(f) : text_of("");

    lg_pending *p = pending_find(r, d.no);
    d.late = !p || p->entry.type != LG_SCAN || !p->sent || r->now_ms >= p->until_ms;
    r->counts.late += d.late;
    if (p && p->entry.type == LG_SCAN) {
        d.lane = p->lane;
        pending_remove(r, p);
    }
    /* first: after a power cut in between, the answer must not open a second time */
    acknowledge(r, d.no, d.no);
    r->lane->decision(r->lane->context, &d);
}

static void on_ack(lg_reader *r, fields *f)
{
    uint64_t no = take(f).number;
    acknowledge(r, no, no);
}

static void on_replayed(lg_reader *r, fields *f)
{
    if (f->ref != r->replay_ref || f->ref == 0)
        return; /* to a REPLAY of another connection, or to none */
    r->replay_ref = 0;
    r->replay_one = false;
    take_ranges(r, f);
    uint64_t findings = take(f).number;
    r->counts.findings += (uint32_t)findings;
    for (uint64_t i = 0; i < 3 * findings; i++)
        (void)take(f);
    (void)take(f); /* position */
    r->replay_ms = r->now_ms + take(f).number;
}

/* -- orders */

static void send_done(lg_reader *r, uint32_t ref, bool ok, lg_text text)
{
    lg_packer p;
    (void)out_begin(r, &p, LG_REPLY_BYTES_MAX);
    lg_pack_array(&p, 2);
    lg_pack_bool(&p, ok);
    lg_pack_str(&p, text.at, text.n < 64 ? text.n : 64);
    (void)out_end(r, &p, LG_DONE, ref);
}

static void on_vend(lg_reader *r, fields *f)
{
    uint8_t lane = (uint8_t)take(f).number;
    lg_text cause = take_text(f);
    send_done(r, f->ref, r->lane->vend(r->lane->context, lane, cause), text_of(""));
}

static void on_set_lane(lg_reader *r, fields *f)
{
    uint8_t lane = (uint8_t)take(f).number, mode = (uint8_t)take(f).number;
    r->lanes_unknown[lane / 8] &= (uint8_t) ~(1u << (lane % 8)); /* the engine knows it now */
    send_done(r, f->ref, r->lane->set_lane(r->lane->context, lane, mode), text_of(""));
}

static void on_display(lg_reader *r, fields *f)
{
    uint8_t lane = (uint8_t)take(f).number;
    lg_text text = take_text(f);
    bool done = r->lane->display(r->lane->context, lane, text, (uint32_t)take(f).number);
    send_done(r, f->ref, done, text_of(""));
}

static void on_policy(lg_reader *r, fields *f)
{
    const char *why = "this reader decides nothing alone";
    bool kept = r->offline && r->offline->policy(r->offline->context, f->body, &why) == LG_OK;
    send_done(r, f->ref, kept, text_of(kept ? "" : why));
}

/* -- time and silence */

static void on_time_ask(lg_reader *r, fields *f)
{
    lg_packer p;
    uint64_t at_ms = lg_reader_clock(r, r->now_ms);
    (void)out_begin(r, &p, LG_REPLY_BYTES_MAX);
    lg_pack_array(&p, 3);
    lg_pack_uint(&p, take(f).number);
    lg_pack_uint(&p, at_ms);
    lg_pack_uint(&p, at_ms);
    (void)out_end(r, &p, LG_TIME, f->ref);
}

/* As in NTP: half of what the engine's clock is ahead on both ways. Differences are modulo 2^64, so signed in
 * the end. */
static void on_time(lg_reader *r, fields *f)
{
    uint64_t t0 = take(f).number, t1 = take(f).number, t2 = take(f).number,
             t3 = lg_reader_clock(r, r->now_ms);
    if (r->ask_ref == 0 || f->ref != r->ask_ref)
        return;
    r->ask_ref = 0;
    bool usable = t0 == r->asked_t0 && t3 - t0 - (t2 - t1) <= ROUND_TRIP_MS;
    r->ask_ms = r->now_ms + (usable ? r->config.time_ms : RETRY_MS);
    if (!usable)
        return;
    r->offset_ms += (uint64_t)((int64_t)((t1 - t0) + (t2 - t3)) / 2);
    /* A power cut says no farewell: who decides alone after one must know that the engine was there not long
     * ago. */
    tell_connected(r);
}

static void on_ping(lg_reader *r, fields *f)
{
    lg_packer p;
    (void)out_begin(r, &p, LG_REPLY_BYTES_MAX);
    lg_pack_array(&p, 0);
    (void)out_end(r, &p, LG_PONG, f->ref);
}

static void on_pong(lg_reader *r, fields *f)
{
    (void)r;
    (void)f; /* that something came is all there is to know */
}

/* -- the end */

static void on_goodbye(lg_reader *r, fields *f)
{
    set_state(r, LG_CLOSING, take_text(f));
}

/* The engine will never take it: nobody else must wait behind it. */
static void set_aside(lg_reader *r, uint64_t no)
{
    r->counts.set_aside++;
    acknowledge(r, no, no);
}

static void live_error(lg_reader *r, lg_pending *pending, uint64_t code)
{
    lg_pending p = *pending;
    if (code == LG_FAULT_STOPPING) {
        pending->sent = false;
        r->retry_ms = r->now_ms + RETRY_MS;
        return;
    }
    if (code != LG_FAULT_LANE && code != LG_FAULT_FIELD)
        return;
    /* each scan there would end the connection; a SET_LANE says that it is known now */
    if (code == LG_FAULT_LANE)
        r->lanes_unknown[p.lane / 8] |= (uint8_t)(1u << (p.lane % 8));
    pending_remove(r, pending);
    set_aside(r, p.entry.no);
    if (p.entry.type == LG_SCAN)
        refuse_here(r, p.entry.no, p.lane, "");
}

static void replay_error(lg_reader *r, uint64_t code)
{
    lg_entry entry;
    r->replay_ref = 0;
    r->replay_ms = r->now_ms + RETRY_MS;
    rewind_backlog(r);
    if (code != LG_FAULT_LANE && code != LG_FAULT_FIELD)
        return;
    if (r->replay_one) { /* it went alone, and was the first */
        while (lg_log_next(r->log, &r->cursor, &entry) == LG_OK && pending_find(r, entry.no))
            continue;
        set_aside(r, entry.no);
        rewind_backlog(r);
    }
    r->replay_one = !r->replay_one;
}

static void on_error(lg_reader *r, fields *f)
{
    uint64_t code = take(f).number;
    lg_text text = take_text(f);
    bool fatal = take(f).number != 0;
    lg_pending *p = f->ref ? pending_by_ref(r, f->ref) : NULL;
    if (code == LG_FAULT_GAPS)
        r->gaps_first = true;
    if (p)
        live_error(r, p, code);
    else if (f->ref != 0 && f->ref == r->replay_ref)
        replay_error(r, code);
    else if (f->ref != 0 && f->ref == r->ask_ref)
        r->ask_ref = 0, r->ask_ms = r->now_ms + RETRY_MS;
    if (fatal)
        set_state(r, LG_CLOSING, text);
}

/* -- which message is good in which state; what is not here is ERROR 9 */

static const struct transition {
    uint8_t state, type;
    bool request; /* its ref is not 0 */
    void (*handle)(lg_reader *r, fields *f);
} transitions[] = {
    {LG_AWAIT_CHALLENGE, LG_CHALLENGE, false, on_challenge},
    {LG_AWAIT_CHALLENGE, LG_ERROR, false, on_error},
    {LG_AWAIT_CHALLENGE, LG_GOODBYE, false, on_goodbye},
    {LG_AWAIT_WELCOME, LG_WELCOME, false, on_welcome},
    {LG_AWAIT_WELCOME, LG_ERROR, false, on_error},
    {LG_AWAIT_WELCOME, LG_GOODBYE, false, on_goodbye},
    {LG_ONLINE, LG_DECISION, false, on_decision},
    {LG_ONLINE, LG_ACK, false, on_ack},
    {LG_ONLINE, LG_REPLAYED, false, on_replayed},
    {LG_ONLINE, LG_VEND, true, on_vend},
    {LG_ONLINE, LG_SET_LANE, true, on_set_lane},
    {LG_ONLINE, LG_DISPLAY, true, on_display},
    {LG_ONLINE, LG_POLICY, true, on_policy},
    {LG_ONLINE, LG_TIME_ASK, true, on_time_ask},
    {LG_ONLINE, LG_TIME, false, on_time},
    {LG_ONLINE, LG_PING, false, on_ping},
    {LG_ONLINE, LG_PONG, false, on_pong},
    {LG_ONLINE, LG_GOODBYE, false, on_goodbye},
    {LG_ONLINE, LG_ERROR, false, on_error},
};

static const struct transition *transition_for(const lg_reader *r, uint8_t type)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++)
        if (transitions[i].state == r->state && transitions[i].type == type)
            return &transitions[i];
    return NULL;
}

static void handle(lg_reader *r, const lg_frame *frame)
{
    const struct transition *t = transition_for(r, frame->type);
    lg_fault fault = lg_body_check(frame->type, frame->body);
    if (fault == LG_FAULT_TYPE && r->state == LG_ONLINE) {
        send_error(r, fault, frame->ref, false);
        return;
    }
    if (fault == LG_FAULT_NONE && !t)
        fault = LG_FAULT_STATE;
    if (fault == LG_FAULT_NONE && t->request && frame->ref == 0)
        fault = LG_FAULT_FIELD;
    if (fault != LG_FAULT_NONE) {
        fail(r, fault, frame->ref);
        return;
    }
    fields f = {.ref = frame->ref, .body = frame->body};
    lg_unpack_begin(&f.u, frame->body);
    (void)take(&f); /* the head of the array */
    t->handle(r, &f);
}

void take_frame(lg_reader *r)
{
    uint32_t body_bytes = 0, most = (uint32_t)r->config.rx_bytes - LG_FRAME_HEADER_BYTES;
    uint32_t named = r->state == LG_ONLINE ? r->frame_bytes_max : 4096;
    lg_fault fault = lg_frame_header(r->config.rx, named < most ? named : most, &body_bytes);
    lg_frame frame;
    if (fault != LG_FAULT_NONE) {
        fail(r, fault, 0);
        return;
    }
    if (r->rx_n < LG_FRAME_HEADER_BYTES + body_bytes)
        return; /* that was the header: the body comes */
    fault = lg_frame_open(r->config.rx, &frame);
    if (fault != LG_FAULT_NONE) {
        fail(r, fault, 0);
        return;
    }
    r->heard_ms = r->now_ms;
    r->pinged = false;
    handle(r, &frame);
    r->rx_n = 0;
}
