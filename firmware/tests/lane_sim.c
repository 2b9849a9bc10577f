#include "lane_sim.h"

#include <string.h>

#include "check.h"
#include "host.h"

static void on_decision(void *context, const lg_decision *d)
{
    lane_sim *l = context;
    if (l->sim.dead)
        return; /* no code runs without power */
    l->decisions++;
    l->last = *d;
    l->late += d->late;
    l->alone += d->alone;
    bool opens = d->verdict == LG_OPEN && !d->late;
    l->opened += opens;
    l->refused += !opens && !d->late;
    CHECK(d->no < SIM_EVENTS_MAX);
    l->opened_by[d->no] = (uint8_t)(l->opened_by[d->no] + opens);
}

/* Each vend makes the host tell of something at once, in the middle of what the library does. */
static bool on_vend(void *context, uint8_t lane, lg_text cause)
{
    lane_sim *l = context;
    CHECK(cause.n == 8);
    l->vends++;
    return lg_reader_lane_status(&l->reader, lane, LG_UP, false, NULL, 0, l->now_ms, NULL) == LG_OK;
}

static bool on_set_lane(void *context, uint8_t lane, uint8_t mode)
{
    lane_sim *l = context;
    (void)lane;
    l->mode = mode;
    return true;
}

static bool on_display(void *context, uint8_t lane, lg_text text, uint32_t seconds)
{
    lane_sim *l = context;
    (void)lane;
    l->displays += text.n > 0 && seconds == 10;
    return false;
}

static void on_state(void *context, lg_state state, lg_text why)
{
    (void)context;
    (void)state;
    CHECK(why.at != NULL);
}

static lg_result on_policy(void *context, lg_bytes body, const char **text)
{
    lane_sim *l = context;
    l->policies += body.n > 0;
    *text = "too much";
    return l->policies > 1 ? LG_FULL : LG_OK;
}

static void decide(void *context, const lg_alone_scan *scan, lg_alone_answer *answer)
{
    (void)context;
    answer->verdict = scan->token.data[0] % 2 ? LG_OPEN : LG_REFUSE;
    answer->reason = answer->verdict == LG_OPEN ? 0 : 200;
    answer->text = "alone";
}

static void on_connected(void *context, uint64_t at_ms)
{
    lane_sim *l = context;
    CHECK(at_ms > 0);
    l->connects++;
}

/* Nonces come from the generator too, so that a run can be repeated. */
static lg_result seeded_random(void *context, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(sim_random(context) >> 32);
    return LG_OK;
}

lane_sim *lane_sim_new(uint64_t seed)
{
    lane_sim *l = calloc(1, sizeof *l);
    CHECK(l);
    l->random = seed * 2654435761u | 1u;
    l->now_ms = 1000;
    flash_sim_make(&l->sim, 32, 2048, 8, seed);
    engine_sim_init(&l->engine);
    l->crypto = *host_crypto();
    l->crypto.context = &l->random;
    l->crypto.random = seeded_random;
    lg_lane_port port = {l, on_decision, on_vend, on_set_lane, on_display, on_state};
    lg_offline offline = {l, on_policy, decide, on_connected};
    l->port = port;
    l->offline = offline;
    lg_reader_config config = {.id = "r1", .software = "test", .key = l->engine.key};
    config.rx = l->rx, config.rx_bytes = sizeof l->rx;
    config.tx = l->tx, config.tx_bytes = sizeof l->tx;
    l->config = config;
    l->plugged = true;
    l->cut_up = l->cut_down = UINT64_MAX;
    l->chunk = SIZE_MAX;
    return l;
}

void lane_sim_free(lane_sim *l)
{
    flash_sim_free(&l->sim);
    free(l);
}

bool lane_sim_boot(lane_sim *l)
{
    lg_flash flash = flash_sim_port(&l->sim);
    lg_result result = lg_log_mount(&l->log, &flash, &l->crypto, NULL);
    CHECK(result == LG_OK || l->sim.dead);
    l->connected = false;
    if (result != LG_OK)
        return false;
    CHECK(l->log.lost == 0);
    result = lg_reader_init(&l->reader, &l->config, &l->crypto, &l->port,
                            l->with_offline ? &l->offline : NULL, &l->log, l->now_ms);
    CHECK(result == LG_OK);
    return true;
}

void lane_sim_unplug(lane_sim *l)
{
    if (l->connected)
        lg_reader_disconnected(&l->reader, l->now_ms);
    l->connected = false;
}

static void connect(lane_sim *l)
{
    if (l->connected &&
        (lg_reader_wants_close(&l->reader) || (l->engine.closed && l->engine.out_from == l->engine.out_to)))
        lane_sim_unplug(l);
    if (l->connected || !lg_reader_wants_connection(&l->reader, l->now_ms))
        return;
    if (!l->plugged) {
        lg_reader_disconnected(&l->reader, l->now_ms);
        return;
    }
    l->connected = true;
    engine_sim_connect(&l->engine);
    lg_reader_connected(&l->reader, l->now_ms);
}

/* As much as may come at once, and gets through before a cut. */
static size_t through(lane_sim *l, size_t n, uint64_t *cut)
{
    size_t piece = l->chunk == SIZE_MAX ? n : 1 + sim_random(&l->random) % l->chunk;
    n = piece < n ? piece : n;
    n = n < *cut ? n : (size_t)*cut;
    if (*cut != UINT64_MAX)
        *cut -= n;
    return n;
}

static bool exchange(lane_sim *l)
{
    engine_sim *e = &l->engine;
    size_t n = 0;
    const uint8_t *out = lg_reader_output(&l->reader, &n, l->now_ms);
    size_t up = through(l, n, &l->cut_up);
    if (up > 0) {
        engine_sim_feed(e, out, up);
        lg_reader_sent(&l->reader, up);
    }
    size_t down = through(l, e->out_to - e->out_from, &l->cut_down), taken = 0;
    if (down > 0) {
        taken = lg_reader_receive(&l->reader, e->out + e->out_from, down, l->now_ms);
        e->out_from += taken;
    }
    if (e->out_from == e->out_to)
        e->out_from = e->out_to = 0;
    if (l->cut_up == 0 || l->cut_down == 0) {
        lane_sim_unplug(l);
        l->cut_up = l->cut_down = UINT64_MAX;
    }
    return up > 0 || taken > 0;
}

void lane_sim_run(lane_sim *l, uint64_t ms)
{
    uint64_t until_ms = l->now_ms + ms;
    while (l->now_ms < until_ms && !l->sim.dead) {
        l->engine.now_ms = l->now_ms;
        connect(l);
        uint32_t wait_ms = lg_reader_tick(&l->reader, l->now_ms);
        bool busy = l->connected && exchange(l);
        if (busy)
            continue; /* no time passes while bytes move */
        uint64_t step = wait_ms < 1 ? 1 : wait_ms < until_ms - l->now_ms ? wait_ms : until_ms - l->now_ms;
        l->now_ms += step;
        l->engine.at_ms += step;
    }
}

lg_result lane_sim_scan(lane_sim *l, unsigned n, uint64_t *no)
{
    uint8_t uid[7] = {(uint8_t)n, (uint8_t)(n >> 8), 3, 4, 5, 6, 7};
    lg_bytes token = {uid, sizeof uid};
    return lg_reader_scan(&l->reader, 1, LG_CARD, token, l->now_ms, no);
}
