/* The reader's life: connections, the clock, and what is due when. Events: events.c; frames: reader_in.c,
 * reader_out.c. */
#include "liftgate/reader.h"

#include <string.h>

#include "bytes.h"
#include "reader_parts.h"

static uint32_t or_default(uint32_t value, uint32_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static bool config_is_good(const lg_reader_config *c)
{
    size_t id = strlen(c->id);
    return id >= 1 && id <= LG_ID_BYTES_MAX && strlen(c->software) <= LG_SOFTWARE_BYTES_MAX &&
           c->key.n <= LG_KEY_BYTES_MAX && c->rx_bytes >= LG_RX_BYTES_MIN && c->tx_bytes >= LG_TX_BYTES_MIN;
}

lg_result lg_reader_init(lg_reader *r, const lg_reader_config *config, const lg_crypto *crypto,
                         const lg_lane_port *lane, const lg_offline *offline, lg_log *log, uint64_t now_ms)
{
    memset(r, 0, sizeof *r);
    if (!config_is_good(config))
        return LG_BAD;
    r->config = *config;
    r->config.answer_ms_max = or_default(config->answer_ms_max, 10000);
    r->config.alone_ms = or_default(config->alone_ms, 5000);
    r->config.backoff_ms_min = or_default(config->backoff_ms_min, 500);
    r->config.backoff_ms_max = or_default(config->backoff_ms_max, 30000);
    r->config.time_ms = or_default(config->time_ms, 600000);
    r->crypto = crypto;
    r->lane = lane;
    r->offline = offline;
    r->log = log;
    r->backoff_ms = r->config.backoff_ms_min;
    r->now_ms = r->state_ms = r->lost_ms = r->connect_ms = now_ms;
    rewind_backlog(r);
    return LG_OK;
}

lg_text text_of(const char *constant)
{
    lg_text text = {constant, strlen(constant)};
    return text;
}

void tell_connected(lg_reader *r)
{
    if (r->offline && r->offline->connected)
        r->offline->connected(r->offline->context, lg_reader_clock(r, r->now_ms));
}

void set_state(lg_reader *r, lg_state state, lg_text why)
{
    bool was_online = r->state == LG_ONLINE;
    r->state = state;
    if (was_online) {
        r->lost_ms = r->now_ms;
        if (r->now_ms - r->state_ms >= STABLE_MS)
            r->backoff_ms = r->config.backoff_ms_min;
    }
    if (was_online || state == LG_ONLINE)
        tell_connected(r);
    r->state_ms = r->now_ms;
    r->lane->state(r->lane->context, state, why);
}

static void set_now(lg_reader *r, uint64_t now_ms)
{
    /* a clock that goes back is the host's mistake; time stands still until it is past it */
    if (now_ms > r->now_ms)
        r->now_ms = now_ms;
}

/* -- connections */

bool lg_reader_wants_connection(lg_reader *r, uint64_t now_ms)
{
    set_now(r, now_ms);
    return r->state == LG_OFFLINE && r->now_ms >= r->connect_ms;
}

void lg_reader_connected(lg_reader *r, uint64_t now_ms)
{
    set_now(r, now_ms);
    r->rx_n = r->tx_from = r->tx_to = 0;
    r->heard_ms = r->now_ms;
    send_hello(r);
}

/* Half of the pause is fixed, half is drawn: a thousand readers that lost their engine together do not come
 * back together. */
static uint32_t jittered(lg_reader *r, uint32_t pause_ms)
{
    uint8_t drawn[4] = {0};
    if (r->crypto->random(r->crypto->context, drawn, sizeof drawn) != LG_OK)
        r->counts.faults++; /* and the pause is its fixed half */
    return pause_ms / 2 + lg_load32(drawn) % (pause_ms / 2 + 1);
}

void lg_reader_disconnected(lg_reader *r, uint64_t now_ms)
{
    set_now(r, now_ms);
    set_state(r, LG_OFFLINE, text_of(""));
    r->connect_ms = r->now_ms + jittered(r, r->backoff_ms);
    bool at_most = r->backoff_ms > r->config.backoff_ms_max / 2;
    r->backoff_ms = at_most ? r->config.backoff_ms_max : r->backoff_ms * 2;
    r->rx_n = r->tx_from = r->tx_to = 0;
    r->ask_ref = r->replay_ref = 0;
    for (uint32_t i = 0; i < r->pending_count; i++)
        r->pending[i].sent = false;
}

bool lg_reader_wants_close(const lg_reader *r)
{
    return r->state == LG_CLOSING && (r->tx_from == r->tx_to || r->now_ms - r->state_ms >= CLOSING_MS);
}

void lg_reader_goodbye(lg_reader *r, const char *reason, uint64_t now_ms)
{
    set_now(r, now_ms);
    if (r->state == LG_OFFLINE || r->state == LG_CLOSING)
        return;
    lg_packer p;
    if (out_begin(r, &p, LG_REPLY_BYTES_MAX)) { /* else the connection just ends */
        lg_pack_array(&p, 1);
        lg_pack_str(&p, reason, strlen(reason));
        (void)out_end(r, &p, LG_GOODBYE, 0);
    }
    set_state(r, LG_CLOSING, text_of(reason));
}

size_t lg_reader_receive(lg_reader *r, const uint8_t *data, size_t n, uint64_t now_ms)
{
    set_now(r, now_ms);
    size_t taken = 0;
    while (taken < n && r->state != LG_OFFLINE && r->state != LG_CLOSING) {
        if (out_room(r) < LG_FRAME_HEADER_BYTES + LG_REPLY_BYTES_MAX)
            break;
        size_t whole = LG_FRAME_HEADER_BYTES;
        if (r->rx_n >= LG_FRAME_HEADER_BYTES)
            whole += lg_load32(r->config.rx + 4);
        size_t step = whole - r->rx_n < n - taken ? whole - r->rx_n : n - taken;
        memcpy(r->config.rx + r->rx_n, data + taken, step);
        r->rx_n += step;
        taken += step;
        if (r->rx_n == whole)
            take_frame(r);
    }
    if (r->state == LG_OFFLINE || r->state == LG_CLOSING)
        taken = n; /* nothing is acted on any more */
    pump(r);
    return taken;
}

const uint8_t *lg_reader_output(lg_reader *r, size_t *n, uint64_t now_ms)
{
    set_now(r, now_ms);
    pump(r);
    *n = r->tx_to - r->tx_from;
    return r->config.tx + r->tx_from;
}

void lg_reader_sent(lg_reader *r, size_t n)
{
    r->tx_from += n;
    if (r->tx_from >= r->tx_to)
        r->tx_from = r->tx_to = 0;
}

/* -- time */

uint64_t lg_reader_clock(const lg_reader *r, uint64_t now_ms)
{
    return now_ms + r->offset_ms;
}

void lg_reader_set_clock(lg_reader *r, uint64_t at_ms, uint64_t now_ms)
{
    r->offset_ms = at_ms - now_ms;
    r->clock_known = true;
}

bool lg_reader_alone(const lg_reader *r, uint64_t now_ms)
{
    return r->state != LG_ONLINE && now_ms - r->lost_ms >= r->config.alone_ms;
}

static void beat(lg_reader *r)
{
    uint64_t silence = r->now_ms - r->heard_ms;
    lg_packer p;
    if (silence >= 2ull * r->heartbeat_ms) {
        lg_reader_goodbye(r, "silent", r->now_ms);
    } else if (silence >= r->heartbeat_ms && !r->pinged && out_begin(r, &p, 1)) {
        lg_pack_array(&p, 0);
        r->pinged = out_end(r, &p, LG_PING, 0);
    }
}

typedef struct alarm {
    uint64_t now_ms, next_ms;
} alarm;

/* What was due before and is not done waits for an answer or for room in the output, not for time. */
static void sooner(alarm *a, uint64_t at_ms)
{
    if (at_ms > a->now_ms && at_ms < a->next_ms)
        a->next_ms = at_ms;
}

/* When something is to be done next, as far as it hangs on time alone. */
static uint64_t next_due(const lg_reader *r)
{
    alarm next = {r->now_ms, r->now_ms + 60000}; /* the host may sleep that long */
    switch (r->state) {
    case LG_OFFLINE: sooner(&next, r->connect_ms); break;
    case LG_AWAIT_CHALLENGE:
    case LG_AWAIT_WELCOME: sooner(&next, r->state_ms + SIGN_ON_MS); break;
    case LG_ONLINE:
        sooner(&next, r->heard_ms + r->heartbeat_ms);
        sooner(&next, r->heard_ms + 2ull * r->heartbeat_ms);
        sooner(&next, r->replay_ms);
        sooner(&next, r->retry_ms);
        sooner(&next, r->ask_ms);
        break;
    case LG_CLOSING: sooner(&next, r->state_ms + CLOSING_MS); break;
    }
    if (r->state != LG_ONLINE && r->pending_count != 0)
        sooner(&next, r->lost_ms + r->config.alone_ms);
    for (uint32_t i = 0; i < r->pending_count; i++) {
        const lg_pending *p = &r->pending[i];
        if (p->entry.type == LG_SCAN)
            sooner(&next, p->until_ms);
    }
    return next.next_ms;
}

uint32_t lg_reader_tick(lg_reader *r, uint64_t now_ms)
{
    set_now(r, now_ms);
    bool signing_on = r->state == LG_AWAIT_CHALLENGE || r->state == LG_AWAIT_WELCOME;
    if (signing_on && r->now_ms - r->state_ms >= SIGN_ON_MS)
        set_state(r, LG_CLOSING, text_of("sign-on took too long"));
    if (r->state == LG_ONLINE)
        beat(r);
    give_up_what_is_due(r);
    if (lg_log_prepare(r->log) != LG_OK)
        r->counts.faults++;
    pump(r);
    return (uint32_t)(next_due(r) - r->now_ms);
}
