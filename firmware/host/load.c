/* liftgate-reader-load: many readers of the same library in one process, against an engine. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"

static const option_spec specs[] = {
    {"config", "", "a file of `name = value` lines, these names"},
    {"connect", "127.0.0.1:7400", "HOST:PORT of the engine, or @FILE: its ready file"},
    {"readers", "10", "how many"},
    {"id", "load-%u", "their ids, the number in place of %u, from 0"},
    {"key", "", "the key of all of them, in hex"},
    {"lane", "0", "the lane of all of them"},
    {"scans", "100", "live scans of each, one after the other"},
    {"cards", "", "how many cards each has, used in turn; empty: one for each scan"},
    {"backlog", "0", "events that each recorded alone before it connects, all at once"},
    {"timeout-s", "120", "end with an error after so long"},
};
static const char about[] =
    "Readers that scan as fast as they are answered, or come back from being alone with a backlog. Prints\n"
    "one line of JSON: rate, latencies from the scan (in flash) to its decision, and how long until every\n"
    "backlog was acknowledged.";

enum { PAGE_BYTES = 32, BLOCK_BYTES = 4096, EVENT_BYTES = 96, RX_BYTES = 4112, TX_BYTES = 16400 };

/* Flash in memory: what is measured is the engine and the library, not this machine's disk. */
typedef struct ram_flash {
    uint8_t *bytes;
} ram_flash;

typedef struct load_reader {
    lg_reader reader;
    lg_log log;
    ram_flash flash;
    tcp_link link;
    char id[LG_ID_BYTES_MAX + 1];
    unsigned index, scanned, answered;
    uint64_t scanned_ns, wake_ms;
    bool drained;
    uint8_t rx[RX_BYTES], tx[TX_BYTES];
} load_reader;

static struct {
    options o;
    unsigned readers, scans, cards, backlog;
    uint8_t lane;
    load_reader **all;
    uint64_t answered, opened, drained, latency_count, begun_ns, drained_ns, finished_ns;
    uint32_t *latencies_us;
} run;

/* -- flash */

static lg_result ram_read(void *context, uint32_t at, uint8_t *out, size_t n)
{
    memcpy(out, ((ram_flash *)context)->bytes + at, n);
    return LG_OK;
}

static lg_result ram_program(void *context, uint32_t at, const uint8_t *data)
{
    memcpy(((ram_flash *)context)->bytes + at, data, PAGE_BYTES);
    return LG_OK;
}

static lg_result ram_erase(void *context, uint32_t block)
{
    memset(((ram_flash *)context)->bytes + (size_t)block * BLOCK_BYTES, 0xFF, BLOCK_BYTES);
    return LG_OK;
}

/* -- one reader */

static void on_decision(void *context, const lg_decision *d)
{
    load_reader *l = context;
    if (d->alone)
        return;
    run.latencies_us[run.latency_count++] = (uint32_t)((host_now_ns() - l->scanned_ns) / 1000);
    l->answered++;
    run.answered++;
    run.opened += d->verdict == LG_OPEN;
}

static bool on_vend(void *context, uint8_t lane, lg_text cause)
{
    (void)context, (void)lane, (void)cause;
    return true;
}

static bool on_set_lane(void *context, uint8_t lane, uint8_t mode)
{
    (void)context, (void)lane, (void)mode;
    return true;
}

static bool on_display(void *context, uint8_t lane, lg_text text, uint32_t seconds)
{
    (void)context, (void)lane, (void)text, (void)seconds;
    return true;
}

static void on_state(void *context, lg_state state, lg_text why)
{
    if (state == LG_CLOSING)
        fprintf(stderr, "%s: %.*s\n", ((load_reader *)context)->id, (int)why.n, why.at);
}

static void open_alone(void *context, const lg_alone_scan *scan, lg_alone_answer *answer)
{
    (void)context, (void)scan;
    answer->verdict = LG_OPEN;
    answer->reason = 0;
    answer->text = "";
}

static lg_result no_policy(void *context, lg_bytes body, const char **text)
{
    (void)context, (void)body;
    *text = "";
    return LG_OK;
}

/* A card of this reader's own. */
static lg_result scan(load_reader *l, unsigned card, uint64_t now_ms)
{
    uint8_t uid[7] = {4, (uint8_t)l->index, (uint8_t)(l->index >> 8), (uint8_t)card, (uint8_t)(card >> 8),
                      (uint8_t)(card >> 16), 1};
    lg_bytes token = {uid, sizeof uid};
    return lg_reader_scan(&l->reader, run.lane, LG_CARD, token, now_ms, NULL);
}

/* The pattern with the number in place of its %u; it is never a format of printf's own. */
static void name(char *id, size_t room, unsigned index)
{
    const char *pattern = option(&run.o, "id"), *number = strstr(pattern, "%u");
    int head = number ? (int)(number - pattern) : (int)strlen(pattern), n = 0;
    if (number)
        n = snprintf(id, room, "%.*s%u%s", head, pattern, index, number + 2);
    else
        n = snprintf(id, room, "%s", pattern);
    if (n < 0 || (size_t)n >= room)
        die("--id: too long");
}

static load_reader *make(unsigned index, lg_bytes key)
{
    static const lg_offline offline = {NULL, no_policy, open_alone, NULL};
    load_reader *l = calloc(1, sizeof *l);
    uint32_t blocks = run.backlog * EVENT_BYTES / BLOCK_BYTES + 4;
    ram_flash *flash = &l->flash;
    flash->bytes = malloc((size_t)blocks * BLOCK_BYTES);
    lg_lane_port *port_of = malloc(sizeof *port_of);
    if (!l || !flash->bytes || !port_of)
        die("no memory for reader %u", index);
    lg_lane_port lane = {l, on_decision, on_vend, on_set_lane, on_display, on_state};
    *port_of = lane;
    lg_flash flash_port = {flash, PAGE_BYTES, BLOCK_BYTES, blocks, ram_read, ram_program, ram_erase};
    name(l->id, sizeof l->id, index);
    l->index = index;
    lg_reader_config config = {.id = l->id, .software = "liftgate-reader-load 0.1", .key = key};
    config.rx = l->rx, config.rx_bytes = sizeof l->rx;
    config.tx = l->tx, config.tx_bytes = sizeof l->tx;
    config.alone_ms = 60000;
    config.answer_ms_max = 60000;
    uint64_t now_ms = host_now_ms();
    if (lg_log_mount(&l->log, &flash_port, host_crypto(), NULL) != LG_OK ||
        lg_reader_init(&l->reader, &config, host_crypto(), port_of, &offline, &l->log, now_ms) != LG_OK)
        die("reader %u cannot be made: is its id of 1 to %d bytes?", index, LG_ID_BYTES_MAX);
    lg_reader_set_clock(&l->reader, host_clock_ms(), now_ms);
    link_init(&l->link, option(&run.o, "connect"));
    return l;
}

/* What happened while nobody listened. */
static void record_backlog(load_reader *l)
{
    uint64_t now_ms = host_now_ms();
    l->reader.lost_ms = now_ms - 60000; /* alone for long enough */
    for (unsigned i = 0; i < run.backlog; i++)
        if (scan(l, 0x800000u + i, now_ms) != LG_OK)
            die("%s: the log has no room for %u events", l->id, run.backlog);
    l->reader.lost_ms = now_ms;
}

static void tend(load_reader *l)
{
    uint64_t now_ms = host_now_ms();
    link_tend(&l->link, &l->reader, now_ms);
    if (l->reader.state == LG_ONLINE && l->scanned < run.scans && l->scanned == l->answered) {
        l->scanned_ns = host_now_ns();
        if (scan(l, l->scanned % run.cards, now_ms) == LG_OK)
            l->scanned++;
        link_send(&l->link, &l->reader, now_ms);
    }
    if (!l->drained && l->reader.counts.sign_ons > 0 && l->reader.counts.replayed >= run.backlog &&
        lg_log_count(&l->log) == l->reader.pending_count) {
        l->drained = true;
        if (++run.drained == run.readers)
            run.drained_ns = host_now_ns();
    }
    l->wake_ms = now_ms + lg_reader_tick(&l->reader, now_ms);
}

/* -- all of them */

static bool finished(void)
{
    return run.drained == run.readers && run.answered == (uint64_t)run.readers * run.scans;
}

static void loop(void)
{
    struct pollfd *polled = calloc(run.readers, sizeof *polled);
    uint64_t until_ms = host_now_ms() + 1000ull * option_number(&run.o, "timeout-s");
    if (!polled)
        die("no memory");
    for (unsigned i = 0; i < run.readers; i++)
        tend(run.all[i]);
    while (!finished()) {
        uint64_t now_ms = host_now_ms(), wake_ms = now_ms + 1000;
        if (now_ms > until_ms)
            die("not done in time: %llu answers, %llu of %u backlogs", (unsigned long long)run.answered,
                (unsigned long long)run.drained, run.readers);
        for (unsigned i = 0; i < run.readers; i++) {
            load_reader *l = run.all[i];
            polled[i].fd = l->link.fd;
            polled[i].events = l->link.fd >= 0 ? link_events(&l->link, &l->reader, now_ms) : 0;
            wake_ms = l->wake_ms < wake_ms ? l->wake_ms : wake_ms;
        }
        if (poll(polled, run.readers, wake_ms > now_ms ? (int)(wake_ms - now_ms) : 0) < 0)
            continue;
        for (unsigned i = 0; i < run.readers; i++) {
            load_reader *l = run.all[i];
            if (polled[i].revents)
                link_ready(&l->link, &l->reader, polled[i].revents, host_now_ms());
            if (polled[i].revents || l->wake_ms <= host_now_ms())
                tend(l);
        }
    }
    run.finished_ns = host_now_ns();
    free(polled);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static double percentile_ms(double share)
{
    if (run.latency_count == 0)
        return 0;
    size_t at = (size_t)((double)(run.latency_count - 1) * share);
    return run.latencies_us[at] / 1000.0;
}

static void tell(void)
{
    lg_reader_counts sum = {0};
    for (unsigned i = 0; i < run.readers; i++) {
        const lg_reader_counts *c = &run.all[i]->reader.counts;
        sum.sign_ons += c->sign_ons, sum.resent += c->resent, sum.replayed += c->replayed;
        sum.findings += c->findings, sum.given_up += c->given_up;
    }
    double s = (double)(run.finished_ns - run.begun_ns) / 1e9;
    qsort(run.latencies_us, run.latency_count, sizeof *run.latencies_us, by_size);
    printf(
        "{\"readers\": %u, \"answers\": %llu, \"opened\": %llu, \"seconds\": %.3f, \"answers_per_s\": %.0f, "
        "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"replayed\": %u, \"findings\": %u, \"drained_s\": %.3f, "
        "\"sign_ons\": %u, \"resent\": %u, \"given_up\": %u}\n",
        run.readers, (unsigned long long)run.answered, (unsigned long long)run.opened, s,
        (double)run.answered / s, percentile_ms(0.5), percentile_ms(0.99), sum.replayed, sum.findings,
        (double)(run.drained_ns - run.begun_ns) / 1e9, sum.sign_ons, sum.resent, sum.given_up);
}

int main(int argc, char **argv)
{
    static uint8_t key_bytes[LG_KEY_BYTES_MAX];
    options_read(&run.o, specs, sizeof specs / sizeof *specs, argc, argv, about);
    lg_bytes key = {key_bytes, from_hex(option(&run.o, "key"), key_bytes, sizeof key_bytes)};
    if (!host_crypto() || key.n == 0 || key.n == SIZE_MAX)
        die("--key: 1 to %d bytes of hex are needed", LG_KEY_BYTES_MAX);
    run.readers = option_number(&run.o, "readers");
    run.scans = option_number(&run.o, "scans");
    run.cards = option_set(&run.o, "cards") ? option_number(&run.o, "cards") : run.scans;
    run.cards = run.cards ? run.cards : 1;
    run.backlog = option_number(&run.o, "backlog");
    run.lane = (uint8_t)option_number(&run.o, "lane");
    run.all = calloc(run.readers, sizeof(load_reader *));
    /* More than one answer a scan there is not: one is asked for at a time. */
    run.latencies_us = calloc((size_t)run.readers * run.scans + 1, sizeof *run.latencies_us);
    if (!run.all || !run.latencies_us || run.readers == 0)
        die("--readers: 1 at the least, and memory for them");
    for (unsigned i = 0; i < run.readers; i++)
        run.all[i] = make(i, key);
    for (unsigned i = 0; i < run.readers; i++)
        record_backlog(run.all[i]);
    run.begun_ns = host_now_ns();
    loop();
    tell();
    return 0;
}
