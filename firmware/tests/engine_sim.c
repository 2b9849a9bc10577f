#include "engine_sim.h"

#include <string.h>

#include "check.h"
#include "host.h"

void engine_sim_init(engine_sim *e)
{
    static const uint8_t key[32] = {7};
    memset(e, 0, sizeof *e);
    e->key.data = key;
    e->key.n = sizeof key;
    e->in_flight_max = 64;
    e->frame_bytes_max = 4096;
    e->heartbeat_s = 15;
    e->at_ms = 1795348800000u;
    e->lane_unknown = -1;
}

void engine_sim_connect(engine_sim *e)
{
    e->in_n = e->out_from = e->out_to = 0;
    e->state = 0;
    e->closed = false;
}

bool engine_sim_has(const engine_sim *e, uint64_t no)
{
    return no < SIM_EVENTS_MAX && e->events[no].type != 0;
}

void engine_sim_send(engine_sim *e, uint8_t type, uint32_t ref, const lg_packer *body)
{
    uint8_t *frame = e->out + e->out_to;
    CHECK(e->out_to + LG_FRAME_HEADER_BYTES + body->n <= sizeof e->out);
    CHECK(!body->too_long && body->n <= e->frame_bytes_max);
    memcpy(frame + LG_FRAME_HEADER_BYTES, body->out, body->n);
    e->out_to += lg_frame_seal(frame, type, ref, body->n);
}

typedef struct reply {
    uint8_t bytes[2048];
    lg_packer p;
} reply;

static lg_packer *begin(reply *r, uint32_t fields)
{
    lg_pack_begin(&r->p, r->bytes, sizeof r->bytes);
    lg_pack_array(&r->p, fields);
    return &r->p;
}

static void error(engine_sim *e, uint32_t ref, unsigned code, bool fatal)
{
    reply r;
    lg_packer *p = begin(&r, 3);
    lg_pack_uint(p, code);
    lg_pack_str(p, "", 0);
    lg_pack_bool(p, fatal);
    engine_sim_send(e, LG_ERROR, ref, p);
    e->closed = e->closed || fatal;
}

static lg_item take(lg_unpacker *u)
{
    lg_item item;
    CHECK(lg_unpack(u, &item) == LG_OK);
    return item;
}

static void mac(const engine_sim *e, const char *side, uint8_t out[32])
{
    lg_bytes parts[] = {
        {(const uint8_t *)side, strlen(side)}, {e->hello, e->hello_n}, {e->challenge, e->challenge_n}};
    CHECK(host_crypto()->hmac_sha256(NULL, e->key, parts, 3, out) == LG_OK);
}

static void on_hello(engine_sim *e, const lg_frame *f, lg_unpacker u)
{
    reply r;
    uint8_t nonce[16];
    CHECK(e->state == 0 && f->body.n <= sizeof e->hello);
    memcpy(e->hello, f->body.data, f->body.n);
    e->hello_n = f->body.n;
    CHECK(take(&u).number == 1);
    (void)take(&u);
    uint64_t boot = take(&u).number;
    CHECK(boot != 0 && (e->boot == 0 || e->boot == boot));
    e->boot = boot;
    CHECK(host_crypto()->random(NULL, nonce, sizeof nonce) == LG_OK);
    lg_packer *p = begin(&r, 3);
    lg_pack_bin(p, nonce, sizeof nonce);
    lg_pack_str(p, "engine-a", 8);
    lg_pack_uint(p, e->at_ms);
    memcpy(e->challenge, p->out, p->n);
    e->challenge_n = p->n;
    e->state = 1;
    engine_sim_send(e, LG_CHALLENGE, f->ref, p);
}

static void pack_known(const engine_sim *e, lg_packer *p)
{
    uint64_t done_to = 0, ranges = 0;
    while (engine_sim_has(e, done_to + 1))
        done_to++;
    for (uint64_t no = done_to + 1; no <= e->top; no++)
        ranges += engine_sim_has(e, no) && !engine_sim_has(e, no - 1);
    lg_pack_uint(p, done_to);
    lg_pack_array(p, (uint32_t)ranges);
    for (uint64_t no = done_to + 1; no <= e->top; no++) {
        if (!engine_sim_has(e, no))
            continue;
        lg_pack_array(p, 2);
        lg_pack_uint(p, no);
        while (engine_sim_has(e, no + 1))
            no++;
        lg_pack_uint(p, no);
    }
}

static void on_auth(engine_sim *e, const lg_frame *f, lg_unpacker u)
{
    reply r;
    uint8_t right[32], own[32];
    CHECK(e->state == 1);
    mac(e, "liftgate-1 client", right);
    mac(e, "liftgate-1 engine", own);
    CHECK(memcmp(take(&u).bytes.data, right, 32) == 0);
    own[0] ^= e->wrong_mac;
    lg_packer *p = begin(&r, 7);
    lg_pack_bin(p, own, sizeof own);
    pack_known(e, p);
    lg_pack_uint(p, e->in_flight_max);
    lg_pack_uint(p, e->frame_bytes_max);
    lg_pack_uint(p, e->heartbeat_s);
    lg_pack_uint(p, e->at_ms);
    e->state = 2;
    e->sign_ons++;
    engine_sim_send(e, LG_WELCOME, f->ref, p);
}

/* The first to come is what happened; a second one must be the same. False: no such event is taken (ERROR
 * went out). */
static sim_event *keep(engine_sim *e, uint32_t ref, uint8_t type, lg_bytes body)
{
    lg_unpacker u;
    lg_unpack_begin(&u, body);
    (void)take(&u);
    uint64_t no = take(&u).number;
    (void)take(&u);
    uint64_t lane = take(&u).number;
    CHECK(no >= 1 && no < SIM_EVENTS_MAX && body.n <= SIM_EVENT_BYTES);
    if (e->lane_unknown >= 0 && lane == (uint64_t)e->lane_unknown) {
        error(e, ref, LG_FAULT_LANE, true);
        return NULL;
    }
    sim_event *event = &e->events[no];
    event->times++;
    if (event->type != 0) {
        CHECK(event->type == type && event->n == body.n && memcmp(event->body, body.data, body.n) == 0);
        return event;
    }
    event->type = type;
    event->n = (uint16_t)body.n;
    memcpy(event->body, body.data, body.n);
    e->top = no > e->top ? no : e->top;
    return event;
}

static uint64_t number_of(lg_bytes body)
{
    lg_unpacker u;
    lg_unpack_begin(&u, body);
    (void)take(&u);
    return take(&u).number;
}

static void on_event(engine_sim *e, const lg_frame *f)
{
    reply r;
    if (e->errors_12 > 0) {
        e->errors_12--;
        error(e, f->ref, LG_FAULT_STOPPING, false);
        return;
    }
    sim_event *event = keep(e, f->ref, f->type, f->body);
    if (!event || e->silent)
        return;
    e->answers++;
    uint64_t no = number_of(f->body);
    if (f->type != LG_SCAN) {
        lg_packer *p = begin(&r, 2);
        lg_pack_uint(p, no);
        lg_pack_uint(p, 1000 + no);
        engine_sim_send(e, LG_ACK, f->ref, p);
        return;
    }
    lg_packer *p = begin(&r, 10);
    lg_pack_uint(p, no);
    lg_pack_uint(p, event->by_replay ? LG_REFUSE : LG_OPEN); /* history opens nothing */
    lg_pack_uint(p, event->by_replay ? 205 : 0);
    lg_pack_bin(p, e->hello, 16);
    lg_pack_nil(p);
    lg_pack_str(p, "Welcome", 7);
    lg_pack_array(p, 2);
    lg_pack_int(p, -450);
    lg_pack_str(p, "EUR", 3);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, 1000 + no);
    lg_pack_str(p, "a field of a later version", 26);
    engine_sim_send(e, LG_DECISION, f->ref, p);
}

static void on_replay(engine_sim *e, const lg_frame *f, lg_unpacker u)
{
    reply r;
    uint64_t count = take(&u).number;
    CHECK(count >= 1);
    CHECK(e->replays == 0 || e->now_ms >= e->last_replay_ms + e->pause_ms || e->state != 2);
    for (uint64_t i = 0; i < count; i++) {
        CHECK(take(&u).number == 3);
        uint8_t type = (uint8_t)take(&u).number, verdict = (uint8_t)take(&u).number;
        lg_bytes body = {u.at, 0};
        CHECK(lg_unpack_skip(&u) == LG_OK);
        body.n = (size_t)(u.at - body.data);
        CHECK(lg_body_check(type, body) == LG_FAULT_NONE && (type == LG_SCAN) == (verdict != 0));
        bool had = engine_sim_has(e, number_of(body));
        sim_event *event = keep(e, f->ref, type, body);
        if (!event)
            return;
        event->by_replay = event->by_replay || !had;
        event->verdict = had ? event->verdict : verdict;
    }
    CHECK(u.at == u.end);
    e->replays++;
    e->replayed += (unsigned)count;
    e->entries_max = count > e->entries_max ? (uint32_t)count : e->entries_max;
    e->last_replay_ms = e->now_ms;
    lg_packer *p = begin(&r, 5);
    pack_known(e, p);
    lg_pack_array(p, 1);
    lg_pack_array(p, 2);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, 210);
    lg_pack_uint(p, 5000);
    lg_pack_uint(p, e->pause_ms);
    engine_sim_send(e, LG_REPLAYED, f->ref, p);
}

static void on_time_ask(engine_sim *e, const lg_frame *f, lg_unpacker u)
{
    reply r;
    lg_packer *p = begin(&r, 3);
    e->time_asked++;
    lg_pack_uint(p, take(&u).number);
    lg_pack_uint(p, e->at_ms);
    lg_pack_uint(p, e->at_ms);
    engine_sim_send(e, LG_TIME, f->ref, p);
}

static void on_frame(engine_sim *e, const lg_frame *f)
{
    reply r;
    lg_unpacker u;
    CHECK(f->type == LG_REPLAY || lg_body_check(f->type, f->body) == LG_FAULT_NONE);
    lg_unpack_begin(&u, f->body);
    (void)take(&u);
    CHECK(e->state == 2 || f->type == LG_HELLO || f->type == LG_AUTH || f->type == LG_ERROR ||
          f->type == LG_GOODBYE);
    switch (f->type) {
    case LG_HELLO: on_hello(e, f, u); break;
    case LG_AUTH: on_auth(e, f, u); break;
    case LG_SCAN: case LG_PASSAGE: case LG_LANE_STATUS: on_event(e, f); break;
    case LG_REPLAY: on_replay(e, f, u); break;
    case LG_TIME_ASK: on_time_ask(e, f, u); break;
    case LG_PING: e->pings++; engine_sim_send(e, LG_PONG, f->ref, begin(&r, 0)); break;
    case LG_PONG: e->pongs++; break;
    case LG_DONE: e->dones++; e->last_done_ok = take(&u).number != 0; break;
    case LG_GOODBYE: e->goodbyes++; e->closed = true; break;
    case LG_ERROR: e->errors++; e->last_error = (unsigned)take(&u).number; break;
    default: CHECK(f->type == LG_HELLO); /* no reader sends another */
    }
}

void engine_sim_feed(engine_sim *e, const uint8_t *data, size_t n)
{
    CHECK(e->in_n + n <= sizeof e->in);
    memcpy(e->in + e->in_n, data, n);
    e->in_n += n;
    uint32_t requests = 0;
    while (!e->closed && e->in_n >= LG_FRAME_HEADER_BYTES) {
        uint32_t body_bytes = 0;
        lg_frame frame;
        uint32_t most = e->state == 2 ? e->frame_bytes_max : 4096;
        CHECK(lg_frame_header(e->in, most, &body_bytes) == LG_FAULT_NONE);
        size_t whole = LG_FRAME_HEADER_BYTES + body_bytes;
        if (e->in_n < whole)
            break;
        CHECK(lg_frame_open(e->in, &frame) == LG_FAULT_NONE);
        requests += frame.type >= LG_SCAN && frame.type <= LG_TIME_ASK && frame.type != LG_DONE;
        CHECK(e->state != 2 || requests <= e->in_flight_max);
        e->in_flight_seen = requests > e->in_flight_seen ? requests : e->in_flight_seen;
        on_frame(e, &frame);
        memmove(e->in, e->in + whole, e->in_n - whole);
        e->in_n -= whole;
    }
}
