/* The load generator: one client for every server that the benchmarks compare, so that none is flattered.
 *
 * N connections with M slots each; a slot is one card that enters, leaves, enters …, one request at a time.
 * Closed loop: a slot's next scan follows its last answer. Open loop (--rate): scans start by a timetable and
 * latency counts from the scheduled time, so a slow server cannot slow the clock that judges it (no coordinated
 * omission). It shares two cores with the server, hence: one recv per ready socket, all answers read and all
 * next requests written in one go, one send, one look at the clock.
 *
 * Every answer is checked. Over the wire protocol: header, CRC, type DECISION, ref and number of a request
 * under way, verdict 1 with reason 0. From Redis: an integer above 0 (the spot), at the exit the same as at the
 * entry. With --forged every scan is of a ticket that nobody signed, each one another: verdict 2 with reason 203.
 * A wrong answer is counted and told on stderr; one that breaks the stream ends the run. Exit: 0 no
 * error, 1 errors, 2 usage. The result is one JSON object on stdout (with --announce, a line before it). */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "loadgen.h"

/* 64 sign-ons at once keep well inside any listen backlog. */
enum { OPENING_MAX = 64, READY_MAX = 1024 };

struct options opt = {
    .host = "127.0.0.1", .connections = 1, .in_flight = 1, .seconds = 1, .sign_on = true, .patience = 10,
};
struct run run;
uint8_t in_buffer[READ_BYTES + FRAME_BYTES_MAX], out_buffer[SLOTS_MAX * REQUEST_MAX + sizeof in_buffer];

void print_result(void)
{
    double run_s = run.started ? (double)(run.progress_ns - run.start_ns) / 1e9 : 0;
    double seconds = run.settling ? (double)(run.until_ns - run.from_ns) / 1e9 : run_s;
    const struct histogram *h = &run.latencies;
    printf("{\"rate\": %.1f, \"count\": %llu, \"answers\": %llu, \"seconds\": %.6f, \"errors\": %llu, "
           "\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"p999_ms\": %.4f, \"max_ms\": %.4f, \"hash\": \"%016llx\"}\n",
           seconds > 0 ? (double)h->count / seconds : 0.0, (unsigned long long)h->count,
           (unsigned long long)run.answers, seconds, (unsigned long long)run.errors, histogram_ms(h, 0.5),
           histogram_ms(h, 0.99), histogram_ms(h, 0.999), (double)h->max_ns / 1e6,
           (unsigned long long)run.result_hash);
}

static void start_run(void)
{
    if (opt.announce)
        printf("{\"signed_on\": %d}\n", run.opened), fflush(stdout);
    run.started = true;
    run.start_ns = now_ns();
    run.from_ns = run.start_ns + (uint64_t)(opt.warm_up * 1e9);
    run.until_ns = opt.scans ? UINT64_MAX : run.from_ns + (uint64_t)(opt.seconds * 1e9);
    run.timetable_end = (uint64_t)(opt.rate * (opt.warm_up + opt.seconds));
    for (int i = 0; opt.rate <= 0 && i < opt.connections; i++) {
        size_t bytes = 0;
        uint64_t at_ns = now_ns();
        for (uint32_t slot = 0; slot < (uint32_t)opt.in_flight; slot++)
            bytes += put_request(out_buffer + bytes, &run.connections[i], slot, at_ns, at_ns);
        send_bytes(&run.connections[i], out_buffer, bytes);
    }
}

/* The time is over: cars that are inside and not under way leave now, the others when their answer comes. */
static void settle(void)
{
    uint64_t at_ns = now_ns();
    run.settling = true;
    for (int i = 0; i < opt.connections; i++) {
        struct connection *c = &run.connections[i];
        size_t bytes = 0;
        for (uint32_t slot = 0; slot < (uint32_t)opt.in_flight; slot++)
            if (!c->slots[slot].busy && c->slots[slot].inside)
                bytes += put_request(out_buffer + bytes, c, slot, at_ns, at_ns);
        if (bytes)
            send_bytes(c, out_buffer, bytes);
    }
}

static bool late_scans_remain(void)
{
    for (int i = 0; opt.rate > 0 && i < opt.connections; i++)
        if (run.connections[i].timetable_at * (uint64_t)opt.connections + (uint64_t)i < run.next_at)
            return true;
    return run.next_at < run.timetable_end;
}

static void on_event(const struct epoll_event *event)
{
    struct connection *c = event->data.ptr;
    uint64_t expirations;
    if (!c) {
        if (read(run.timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
            fail("timer: %s", strerror(errno));
        return;
    }
    if (c->state == CONNECTING) {
        on_connected(c);
        return;
    }
    if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        on_readable(c);
    if (event->events & EPOLLOUT && c->unsent_bytes)
        flush_unsent(c);
}

/* SIGTERM: the measured time ends now, and the rest goes as it always does. */
static volatile sig_atomic_t enough;

static void on_enough(int signal)
{
    (void)signal;
    enough = 1;
}

static void end_now(void)
{
    run.until_ns = now_ns();
    run.timetable_end = run.next_at;
    enough = 0;
}

/* Returns whether the run is over: time up (or all scans done), every answer in, every car out. */
static bool advance(int *next)
{
    int total = opt.connections + opt.idle;
    while (*next < total && run.opening < OPENING_MAX)
        open_connection(&run.connections[(*next)++]);
    if (!run.started && run.opened == total)
        start_run();
    if (!run.started)
        return false;
    if (enough && !run.settling)
        end_now();
    if (opt.rate > 0) {
        start_due();
        arm_timer();
    }
    if (!run.settling && !opt.scans && now_ns() >= run.until_ns && !late_scans_remain())
        settle();
    return (run.settling || opt.scans) && run.live == 0;
}

static void run_to_end(void)
{
    static struct epoll_event ready[READY_MAX];
    run.progress_ns = now_ns();
    for (int next = 0; !advance(&next);) {
        int n = epoll_wait(run.epoll_fd, ready, READY_MAX, 100);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            on_event(&ready[i]);
        if ((run.live || !run.started) && now_ns() > run.progress_ns + (uint64_t)(opt.patience * 1e9))
            fail("no answer for %g s, %llu requests under way", opt.patience, (unsigned long long)run.live);
    }
}

static void give_slots(struct connection *c)
{
    c->slots = calloc((size_t)opt.in_flight, sizeof *c->slots);
    c->stack = calloc((size_t)opt.in_flight, 1);
    if (!c->slots || !c->stack)
        fail("out of memory");
    for (int slot = opt.in_flight; opt.rate > 0 && slot--;)
        c->stack[c->stacked++] = (uint8_t)slot;
}

static void prepare(void)
{
    struct epoll_event event = { .events = EPOLLIN };
    prepare_clock_and_files();
    run.redis_head_bytes = (size_t)snprintf(run.redis_head, sizeof run.redis_head,
        "*10\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n$1\r\n3\r\n$4\r\nfree\r\n$6\r\ninside\r\n$6\r\nevents\r\n",
        opt.sha ? opt.sha : "");
    run.epoll_fd = epoll_create1(0);
    run.timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    run.connections = calloc((size_t)(opt.connections + opt.idle), sizeof *run.connections);
    if (run.epoll_fd < 0 || run.timer_fd < 0 || !run.connections ||
        epoll_ctl(run.epoll_fd, EPOLL_CTL_ADD, run.timer_fd, &event))
        fail("prepare: %s", strerror(errno));
    for (int i = 0; i < opt.connections + opt.idle; i++) {
        run.connections[i].index = (uint32_t)(opt.first + i);
        if (i < opt.connections)
            give_slots(&run.connections[i]);
    }
}

static int usage(void)
{
    fputs("usage: loadgen --port P [--host H] [--protocol wire|redis] [--key HEX | --no-sign-on] [--sha HEX]\n"
          "  [--connections N] [--in-flight M] [--seconds S] [--warm-up S] [--scans K] [--rate R] [--idle I]\n"
          "  [--patience S] [--announce] [--first I] [--forged TICKET]\n"
          "--scans: each slot does K scans and the time plays no part; --rate: open loop, scans a second;\n"
          "--idle: that many more connections that only sign on; --patience: this long no answer, dead server;\n"
          "--first: index of the first connection's reader; --forged: what the scans are of, with another seal each;\n"
          "SIGTERM ends the measured time early\n",
          stderr);
    return 2;
}

/* A ticket of the wire protocol's: its end can be made another one, and it fits a request. */
static bool forgeable(void)
{
    size_t n = opt.forged ? strlen(opt.forged) : FORGED_MIN;
    return n >= FORGED_MIN && n <= FORGED_MAX && !(opt.forged && opt.redis);
}

static bool read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "host", 1, 0, 'h' }, { "port", 1, 0, 'p' }, { "protocol", 1, 0, 'P' }, { "key", 1, 0, 'k' },
        { "no-sign-on", 0, 0, 'n' }, { "sha", 1, 0, 'S' }, { "connections", 1, 0, 'c' },
        { "in-flight", 1, 0, 'm' }, { "seconds", 1, 0, 's' }, { "warm-up", 1, 0, 'w' }, { "scans", 1, 0, 'K' },
        { "rate", 1, 0, 'r' }, { "idle", 1, 0, 'i' }, { "announce", 0, 0, 'a' }, { "patience", 1, 0, 't' },
        { "first", 1, 0, 'f' }, { "forged", 1, 0, 'F' }, { 0 },
    };
    bool key = false;
    for (int name; (name = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        switch (name) {
        case 'h': opt.host = optarg; break;
        case 'p': opt.port = atoi(optarg); break;
        case 'P': opt.redis = !strcmp(optarg, "redis"); break;
        case 'k': key = read_key(optarg); break;
        case 'n': opt.sign_on = false; break;
        case 'S': opt.sha = optarg; break;
        case 'c': opt.connections = atoi(optarg); break;
        case 'm': opt.in_flight = atoi(optarg); break;
        case 's': opt.seconds = atof(optarg); break;
        case 'w': opt.warm_up = atof(optarg); break;
        case 'K': opt.scans = atoi(optarg); break;
        case 'r': opt.rate = atof(optarg); break;
        case 'i': opt.idle = atoi(optarg); break;
        case 't': opt.patience = atof(optarg); break;
        case 'f': opt.first = atoi(optarg); break;
        case 'F': opt.forged = optarg; break;
        case 'a': opt.announce = true; break;
        default: return false;
        }
    }
    return opt.port > 0 && opt.connections > 0 && opt.in_flight > 0 && opt.in_flight <= SLOTS_MAX &&
           (opt.rate <= 0 || (!opt.scans && !opt.first)) && forgeable() && opt.connections + opt.idle <= 100000 &&
           (opt.redis ? opt.sha && strlen(opt.sha) == 40 && opt.rate <= 0 : key || !opt.sign_on);
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv))
        return usage();
    prepare();
    signal(SIGTERM, on_enough);
    run_to_end();
    print_result();
    return run.errors != 0;
}
