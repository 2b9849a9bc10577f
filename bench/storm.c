/* A reconnect storm: N readers come back at the same moment, and each tells K scans that it decided alone, by
 * REPLAY frames of at most B entries, waiting for REPLAYED and then as long as it says before the next one.
 *
 * Every REPLAYED is checked: header, CRC, ref of the frame under way, done_to = all that was told so far, no gaps.
 * What else comes of the engine (SET_LANE, POLICY) is answered as a reader does. Exit: 0 all is told and in,
 * 1 errors, 2 usage. The result is one JSON object on stdout. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loadgen.h"

/* A frame is cut at 4,096 bytes of body; an entry has 33 at the most. ALONE_MS: how long ago the first entry
 * was, one a second from there on. */
enum { READY_MAX = 1024, ENTRY_MAX = 40, BATCH_MAX = 100, CARDS = 10, ALONE_MS = 3600 * 1000 };

/* One reader's backlog: how much of it is told, until when it waits; sent_ns 0: nothing is under way. */
struct backlog {
    uint64_t told, due_ns, sent_ns;
    uint32_t ref, entries;
    bool ready;
};

struct options opt = { .host = "127.0.0.1", .connections = 1, .scans = 1, .sign_on = true, .patience = 30 };
struct run run;
uint8_t in_buffer[READ_BYTES + FRAME_BYTES_MAX], out_buffer[SLOTS_MAX * REQUEST_MAX + sizeof in_buffer];
static struct backlog *backlogs;
static int batch = BATCH_MAX;
static uint64_t done, replays, findings, paused_ms_max, signed_on_ns, in_ns;
static struct histogram waits;

void print_result(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"readers\": %d, \"entries\": %llu, \"replays\": %llu, \"findings\": %llu, \"errors\": %llu, "
           "\"signed_on_s\": %.3f, \"seconds\": %.3f, \"wait_p50_ms\": %.3f, \"wait_p99_ms\": %.3f, "
           "\"pause_ms_max\": %llu, \"cpu_s\": %.3f}\n",
           opt.connections, (unsigned long long)run.answers, (unsigned long long)replays,
           (unsigned long long)findings, (unsigned long long)run.errors,
           (double)(signed_on_ns - run.start_ns) / 1e9, (double)(in_ns - run.start_ns) / 1e9,
           histogram_ms(&waits, 0.5), histogram_ms(&waits, 0.99), (unsigned long long)paused_ms_max,
           (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
}

/* Entry `no`: its cards come in and go out in turn, so that a reader leaves the lot as it was. */
static uint8_t *put_entry(uint8_t *p, const struct connection *c, uint64_t no, uint64_t wall_ms)
{
    *p++ = 0x93, *p++ = SCAN, *p++ = 1, *p++ = 0x95;
    p = put_uint(p, no);
    *p++ = 0xCF;
    p = put_big(p, wall_ms - ALONE_MS + no * 1000, 8);
    *p++ = 0, *p++ = 2, *p++ = 0xC4, *p++ = 8;
    return put_big(put_big(p, c->index | 0x80000000u, 4), (no - 1) / 2 % CARDS, 4);
}

static void send_replay(struct connection *c, struct backlog *b, uint64_t at_ns)
{
    static uint8_t frame[FRAME_BYTES_MAX];
    uint8_t *body = frame + HEADER_BYTES, *p = body;
    uint64_t rest = (uint64_t)opt.scans - b->told, wall_ms = run.wall_offset_ms + run.start_ns / 1000000u;
    b->entries = (uint32_t)(rest < (uint64_t)batch ? rest : (uint64_t)batch);
    *p++ = 0x91, *p++ = 0xDC;
    p = put_big(p, b->entries, 2);
    for (uint64_t no = b->told + 1; no <= b->told + b->entries; no++)
        p = put_entry(p, c, no, wall_ms);
    b->sent_ns = at_ns;
    send_bytes(c, frame, seal_frame(frame, REPLAY, ++b->ref, (size_t)(p - body)));
    replays++;
}

static void on_replayed(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns)
{
    struct backlog *b = &backlogs[c - run.connections];
    const uint8_t *p = frame + HEADER_BYTES, *end = p + body_bytes;
    uint64_t done_to = 0, found = 0, position = 0, pause_ms = 0, no;
    if (!b->sent_ns || load32(frame + 8) != b->ref)
        fail("REPLAYED with ref %u on connection %u answers nothing", load32(frame + 8), c->index);
    p = p < end && *p == 0x95 ? take_uint(p + 1, end, &done_to) : NULL;
    if (!p || p >= end || *p++ != 0x90 || done_to != b->told + b->entries)
        fail("REPLAYED on connection %u: done to %llu with gaps or without, %llu were told", c->index,
             (unsigned long long)done_to, (unsigned long long)b->told + b->entries);
    found = p < end && (*p & 0xF0) == 0x90 ? (uint64_t)(*p++ & 15) : p + 3 <= end && *p == 0xDC ?
            (uint64_t)p[1] << 8 | p[2] : UINT64_MAX;
    p += found > 15 ? 3 : 0;
    for (uint64_t i = 0; i < found && p; i++)
        p = p < end && *p == 0x92 ? take_uint(take_uint(p + 1, end, &no), end, &no) : NULL;
    if (!take_uint(take_uint(p, end, &position), end, &pause_ms))
        fail("REPLAYED on connection %u has a malformed body", c->index);
    histogram_add(&waits, at_ns - b->sent_ns);
    findings += found;
    run.answers += b->entries;
    b->told = done_to;
    b->sent_ns = 0;
    b->due_ns = at_ns + pause_ms * 1000000u;
    paused_ms_max = pause_ms > paused_ms_max ? pause_ms : paused_ms_max;
    run.progress_ns = in_ns = at_ns;
    done += b->told == (uint64_t)opt.scans;
}

static void on_frame(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns)
{
    uint8_t out[HEADER_BYTES + 8], *p = out + HEADER_BYTES;
    uint64_t code = 0;
    if (frame_crc(frame, body_bytes) != load32(frame + 12))
        fail("CRC mismatch on connection %u", c->index);
    switch (frame[3]) {
    case CHALLENGE:
        on_challenge(c, frame, body_bytes);
        break;
    case WELCOME:
        on_welcome(c, frame + HEADER_BYTES, body_bytes);
        backlogs[c - run.connections].ready = true;
        signed_on_ns = at_ns;
        break;
    case REPLAYED:
        on_replayed(c, frame, body_bytes, at_ns);
        break;
    case PING:
        *p = 0x90;
        send_bytes(c, out, seal_frame(out, PONG, load32(frame + 8), 1));
        break;
    case SET_LANE:
    case POLICY:
        *p++ = 0x92, *p++ = 0xC3, *p++ = 0xA0;
        send_bytes(c, out, seal_frame(out, DONE, load32(frame + 8), 3));
        break;
    case WIRE_ERROR:
        take_uint(frame + HEADER_BYTES + 1, frame + HEADER_BYTES + body_bytes, &code);
        fail("ERROR %llu on connection %u", (unsigned long long)code, c->index);
    default:
        fail("unexpected frame of type 0x%02X on connection %u", frame[3], c->index);
    }
}

static void on_input(struct connection *c)
{
    size_t n = take_input(c);
    if (!n)
        return;
    uint64_t at_ns = now_ns();
    const uint8_t *p = in_buffer;
    while (n >= HEADER_BYTES && n >= HEADER_BYTES + load32(p + 4)) {
        size_t body_bytes = load32(p + 4);
        if (p[0] != 'L' || p[1] != 'G' || p[2] != 1 || body_bytes > FRAME_BYTES_MAX - HEADER_BYTES)
            fail("not a frame on connection %u", c->index);
        on_frame(c, p, body_bytes, at_ns);
        p += HEADER_BYTES + body_bytes;
        n -= HEADER_BYTES + body_bytes;
    }
    keep_rest(c, p, n);
}

/* Send what is due; gives for how many ms nothing more is. */
static int send_due(void)
{
    uint64_t at_ns = now_ns(), next_ns = at_ns + 100000000u;
    for (int i = 0; i < opt.connections; i++) {
        struct backlog *b = &backlogs[i];
        if (!b->ready || b->sent_ns || b->told == (uint64_t)opt.scans)
            continue;
        if (b->due_ns <= at_ns)
            send_replay(&run.connections[i], b, at_ns);
        else if (b->due_ns < next_ns)
            next_ns = b->due_ns;
    }
    return (int)((next_ns - at_ns + 999999u) / 1000000u);
}

static void run_storm(void)
{
    static struct epoll_event ready[READY_MAX];
    run.started = true;
    run.start_ns = run.progress_ns = now_ns();
    for (int i = 0; i < opt.connections; i++)
        open_connection(&run.connections[i]);
    while (done < (uint64_t)opt.connections) {
        int n = epoll_wait(run.epoll_fd, ready, READY_MAX, send_due());
        if (n < 0 && errno != EINTR)
            fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;
            if (c->state == CONNECTING)
                on_connected(c);
            else if (ready[i].events & EPOLLOUT && c->unsent_bytes)
                flush_unsent(c);
            if (c->state != CONNECTING && ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                on_input(c);
        }
        if (now_ns() > run.progress_ns + (uint64_t)(opt.patience * 1e9))
            fail("no progress for %g s, %llu readers are done", opt.patience, (unsigned long long)done);
    }
}

static int usage(void)
{
    fputs("usage: storm --port P --key HEX [--host H] [--first I] [--connections N] [--scans K] [--batch B]\n"
          "  [--patience S]\n"
          "readers bench-I, bench-I+1 …; K scans of each, at most B to a REPLAY\n", stderr);
    return 2;
}

static bool read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "host", 1, 0, 'h' }, { "port", 1, 0, 'p' }, { "key", 1, 0, 'k' }, { "first", 1, 0, 'f' },
        { "connections", 1, 0, 'c' }, { "scans", 1, 0, 'K' }, { "batch", 1, 0, 'b' }, { "patience", 1, 0, 't' },
        { 0 },
    };
    bool key = false;
    for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (name) {
        case 'h': opt.host = optarg; break;
        case 'p': opt.port = atoi(optarg); break;
        case 'k': key = read_key(optarg); break;
        case 'f': opt.first = atoi(optarg); break;
        case 'c': opt.connections = atoi(optarg); break;
        case 'K': opt.scans = atoi(optarg); break;
        case 'b': batch = atoi(optarg); break;
        case 't': opt.patience = atof(optarg); break;
        default: return false;
        }
    }
    return key && opt.port > 0 && opt.connections > 0 && opt.connections <= 100000 && opt.scans > 0 &&
           batch > 0 && batch <= BATCH_MAX;
}

int main(int argc, char **argv)
{
    _Static_assert(BATCH_MAX * ENTRY_MAX + 8 <= FRAME_BYTES_MAX - HEADER_BYTES, "a frame holds a batch");
    if (!read_options(argc, argv))
        return usage();
    prepare_clock_and_files();
    run.epoll_fd = epoll_create1(0);
    run.connections = calloc((size_t)opt.connections, sizeof *run.connections);
    backlogs = calloc((size_t)opt.connections, sizeof *backlogs);
    if (run.epoll_fd < 0 || !run.connections || !backlogs)
        fail("prepare: %s", strerror(errno));
    for (int i = 0; i < opt.connections; i++)
        run.connections[i].index = (uint32_t)(opt.first + i);
    run_storm();
    print_result();
    return run.errors != 0;
}
