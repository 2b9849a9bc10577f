/* The load generator: one client for every server that the benchmarks compare, so that none is flattered.
 *
 * N connections with M slots each; a slot is one card that enters, leaves, enters … and has at most one request
 * under way. Closed loop: a slot's next scan follows its last answer. Open loop (--rate): scans start by a
 * timetable and latency counts from the scheduled time, so a slow server cannot slow the clock that judges it
 * (no coordinated omission). It shares two cores with the server, hence: one recv per ready socket, all answers
 * read and all next requests written in one go, one send, one look at the clock.
 *
 * Every answer is checked. Over the wire protocol: header, CRC, type DECISION, ref and number of a request under
 * way, verdict 1 with reason 0. From Redis: an integer above 0 (the spot), at the exit the same as at the entry.
 * A wrong answer is counted and told on stderr; one that breaks the stream ends the run. Exit: 0 no error,
 * 1 errors, 2 usage. The result is one JSON object on stdout (with --announce, a line before it). */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"
#include "wire.h"

/* 255 slots fit the low byte of ref. 64 sign-ons at once keep well inside any listen backlog. A request to Redis
 * is below 256 bytes. Ten errors tell enough. */
enum { SLOTS_MAX = 255, OPENING_MAX = 64, REQUEST_MAX = 256, READY_MAX = 1024, READ_BYTES = 1 << 16,
       ERRORS_TOLD = 10, KEY_BYTES = 32 };

enum state { CLOSED, CONNECTING, HELLO_SENT, AUTH_SENT, READY };

struct options {
    const char *host, *sha;
    int port, connections, in_flight, idle, scans;
    double seconds, warm_up, rate, patience;
    bool redis, sign_on, announce;
    uint8_t key[KEY_BYTES];
};

struct slot {
    uint64_t no, sent_ns;
    uint32_t scans, spot;
    bool busy, inside;
};

struct connection {
    int fd;
    uint32_t index;
    enum state state;
    uint64_t boot, next_no, timetable_at;
    struct slot *slots;
    uint8_t *stack;             /* open loop: free slots; Redis, which answers in order: a ring of busy ones */
    uint32_t stacked, ring_at, ring_count;
    uint8_t *unsent;
    uint32_t unsent_bytes, part_bytes;
    uint8_t hello[192], challenge[160];
    uint32_t hello_bytes, challenge_bytes;
    uint8_t part[FRAME_BYTES_MAX];
};

static struct options opt = { .host = "127.0.0.1", .connections = 1, .in_flight = 1, .seconds = 1, .sign_on = true,
                              .patience = 10 };
static struct connection *connections;
static struct histogram latencies;
static int epoll_fd, timer_fd, opened, opening;
static bool started, settling;
static uint64_t start_ns, from_ns, until_ns, progress_ns, wall_offset_ms;
static uint64_t errors, answers, live, next_at, timetable_end, result_hash;
/* Room for every slot's request, and for a PONG to each PING that fits a read. */
static uint8_t in_buffer[READ_BYTES + FRAME_BYTES_MAX], out_buffer[SLOTS_MAX * REQUEST_MAX + sizeof in_buffer];
static char redis_head[160];
static size_t redis_head_bytes;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void tell_error(const char *format, ...)
{
    va_list values;
    if (errors++ >= ERRORS_TOLD)
        return;
    va_start(values, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}

static void print_result(void)
{
    double seconds = settling ? opt.seconds : started ? (double)(progress_ns - start_ns) / 1e9 : 0;
    const struct histogram *h = &latencies;
    printf("{\"rate\": %.1f, \"count\": %llu, \"answers\": %llu, \"seconds\": %.6f, \"errors\": %llu, "
           "\"p50_ms\": %.4f, \"p99_ms\": %.4f, \"p999_ms\": %.4f, \"max_ms\": %.4f, \"hash\": \"%016llx\"}\n",
           seconds > 0 ? (double)h->count / seconds : 0.0, (unsigned long long)h->count,
           (unsigned long long)answers, seconds, (unsigned long long)errors, histogram_ms(h, 0.5),
           histogram_ms(h, 0.99), histogram_ms(h, 0.999), (double)h->max_ns / 1e6, (unsigned long long)result_hash);
}

#define fail(...) (tell_error(__VA_ARGS__), print_result(), exit(1))

/* Order does not matter to the sum, so the hash depends on what was answered, not on who came first. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33, x *= 0xFF51AFD7ED558CCDu, x ^= x >> 33, x *= 0xC4CEB9FE1A85EC53u;
    return x ^ x >> 33;
}

/* --- requests --------------------------------------------------------------------------------------------- */

static void put_token(uint8_t *p, const struct connection *c, uint32_t slot)
{
    put_big(put_big(p, c->index, 4), slot, 4);
}

static size_t put_scan(uint8_t *out, struct connection *c, uint32_t slot, uint64_t wall_ms)
{
    uint64_t no = c->slots[slot].no;
    uint8_t *body = out + HEADER_BYTES, *p = body;
    *p++ = 0x95;
    p = put_uint(p, no);
    *p++ = 0xCF;
    p = put_big(p, wall_ms, 8);
    *p++ = 0, *p++ = 2, *p++ = 0xC4, *p++ = 8;
    put_token(p, c, slot);
    /* ref is never 0 and never repeats among the requests under way: its low byte is the slot, from 1. */
    return seal_frame(out, SCAN, (uint32_t)(no << 8 | (slot + 1)), (size_t)(p + 8 - body));
}

/* By hand, as everything here that is done once for each scan: printf would cost more than all the rest. */
static uint8_t *put_digits(uint8_t *p, uint64_t value, int digits)
{
    for (int i = digits - 1; i >= 0; i--, value /= 10)
        p[i] = (uint8_t)('0' + value % 10);
    return p + digits;
}

static uint8_t *put_argument(uint8_t *p, uint64_t value)
{
    int digits = 1;
    for (uint64_t rest = value / 10; rest; rest /= 10)
        digits++;
    *p++ = '$';
    p = put_digits(p, (uint64_t)digits, digits < 10 ? 1 : 2);
    *p++ = '\r', *p++ = '\n';
    p = put_digits(p, value, digits);
    *p++ = '\r', *p++ = '\n';
    return p;
}

static size_t put_evalsha(uint8_t *out, struct connection *c, uint32_t slot, uint64_t wall_ms)
{
    uint8_t *p = out;
    memcpy(p, redis_head, redis_head_bytes);
    p += redis_head_bytes;
    memcpy(p, "$8\r\n", 4);
    put_token(p + 4, c, slot);
    memcpy(p + 12, "\r\n", 2);
    p += 14;
    p = put_argument(p, wall_ms);
    memcpy(p, "$11\r\nbench-", 11);
    p = put_digits(p + 11, c->index, 5);
    memcpy(p, "\r\n", 2);
    p = put_argument(p + 2, c->slots[slot].no);
    c->stack[(c->ring_at + c->ring_count++) % (uint32_t)opt.in_flight] = (uint8_t)slot;
    return (size_t)(p - out);
}

static size_t put_request(uint8_t *out, struct connection *c, uint32_t slot, uint64_t sent_ns, uint64_t at_ns)
{
    struct slot *s = &c->slots[slot];
    uint64_t wall_ms = wall_offset_ms + at_ns / 1000000u;
    s->no = ++c->next_no;
    s->sent_ns = sent_ns;
    s->busy = true;
    if (!live++)
        progress_ns = at_ns;
    return opt.redis ? put_evalsha(out, c, slot, wall_ms) : put_scan(out, c, slot, wall_ms);
}

static void watch(struct connection *c, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };
    if (epoll_ctl(epoll_fd, operation, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

/* What the socket does not take at once waits for EPOLLOUT; at most M requests are ever unanswered, so M wait. */
static void send_bytes(struct connection *c, const uint8_t *bytes, size_t n)
{
    ssize_t sent = c->unsent_bytes ? 0 : send(c->fd, bytes, n, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        fail("send on connection %u: %s", c->index, strerror(errno));
    size_t rest = n - (size_t)(sent > 0 ? sent : 0);
    if (!rest)
        return;
    if (!c->unsent_bytes)
        watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    if (!(c->unsent = realloc(c->unsent, c->unsent_bytes + rest)))
        fail("out of memory");
    memcpy(c->unsent + c->unsent_bytes, bytes + n - rest, rest);
    c->unsent_bytes += (uint32_t)rest;
}

static void flush_unsent(struct connection *c)
{
    ssize_t sent = send(c->fd, c->unsent, c->unsent_bytes, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN)
        fail("send on connection %u: %s", c->index, strerror(errno));
    if (sent <= 0)
        return;
    c->unsent_bytes -= (uint32_t)sent;
    memmove(c->unsent, c->unsent + sent, c->unsent_bytes);
    if (!c->unsent_bytes)
        watch(c, EPOLL_CTL_MOD, EPOLLIN);
}

/* --- the timetable of the open loop ----------------------------------------------------------------------- */

static uint64_t timetable_ns(uint64_t at) { return start_ns + (uint64_t)((double)at * 1e9 / opt.rate); }

/* Start every scan of this connection that is due and has a free slot; a late one keeps its scheduled time. */
static size_t put_due(uint8_t *out, struct connection *c, uint64_t at_ns)
{
    size_t bytes = 0;
    for (;;) {
        uint64_t at = c->timetable_at * (uint64_t)opt.connections + c->index;
        if (at >= next_at || !c->stacked)
            return bytes;
        c->timetable_at++;
        bytes += put_request(out + bytes, c, c->stack[--c->stacked], timetable_ns(at), at_ns);
    }
}

static void arm_timer(void)
{
    uint64_t at_ns = next_at < timetable_end ? timetable_ns(next_at) : until_ns;
    if (settling || (next_at == timetable_end && now_ns() >= until_ns))
        return;
    struct itimerspec when = { .it_value = { (time_t)(at_ns / 1000000000u), (long)(at_ns % 1000000000u) } };
    if (timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
        fail("timerfd_settime: %s", strerror(errno));
}

static void start_due(void)
{
    uint64_t at_ns = now_ns();
    while (next_at < timetable_end && timetable_ns(next_at) <= at_ns) {
        struct connection *c = &connections[next_at++ % (uint64_t)opt.connections];
        size_t bytes = put_due(out_buffer, c, at_ns);
        if (bytes)
            send_bytes(c, out_buffer, bytes);
    }
}

/* --- answers ---------------------------------------------------------------------------------------------- */

static void record(const struct connection *c, uint32_t slot, uint64_t at_ns, uint64_t verdict)
{
    const struct slot *s = &c->slots[slot];
    uint64_t judged_ns = opt.rate > 0 ? s->sent_ns : at_ns;
    if (opt.scans || (judged_ns >= from_ns && judged_ns < until_ns)) {
        histogram_add(&latencies, at_ns - s->sent_ns);
        result_hash += mix((uint64_t)c->index << 40 ^ (uint64_t)slot << 32 ^ s->scans ^ verdict << 60);
    }
    progress_ns = at_ns;
}

/* One more scan now? Once the run is over only cars that are still inside go on, to leave the lot as it was. */
static bool goes_on(const struct slot *s)
{
    return settling ? s->inside : opt.scans ? s->scans < (uint32_t)opt.scans : opt.rate <= 0;
}

/* Take an answer in and write the request that follows from it, if any; returns the bytes written. */
static size_t answered(struct connection *c, uint32_t slot, uint64_t at_ns, uint64_t verdict, uint8_t *out)
{
    struct slot *s = &c->slots[slot];
    record(c, slot, at_ns, verdict);
    s->busy = false;
    s->scans++;
    s->inside = verdict == 1 && !s->inside;
    live--;
    answers++;
    if (goes_on(s))
        return put_request(out, c, slot, at_ns, at_ns);
    if (opt.rate <= 0 || settling)
        return 0;
    c->stack[c->stacked++] = (uint8_t)slot;
    return put_due(out, c, at_ns);
}

static size_t on_decision(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns, uint8_t *out)
{
    const uint8_t *p = frame + HEADER_BYTES, *end = p + body_bytes;
    uint64_t no = 0, verdict = 0, reason = 0;
    bool nine = p < end && (*p & 0xF0) == 0x90 && *p >= 0x99;
    if (!nine || !take_uint(take_uint(take_uint(p + 1, end, &no), end, &verdict), end, &reason))
        fail("DECISION on connection %u has a malformed body", c->index);
    uint32_t ref = load32(frame + 8), slot = (ref & 255) - 1;
    if (slot >= (uint32_t)opt.in_flight || !c->slots[slot].busy || c->slots[slot].no != no || ref >> 8 != (no & 0xFFFFFF))
        fail("DECISION with ref %u, no %llu on connection %u answers nothing under way", ref,
             (unsigned long long)no, c->index);
    if (verdict != 1 || reason != 0)
        tell_error("verdict %llu, reason %llu for no %llu on connection %u", (unsigned long long)verdict,
                   (unsigned long long)reason, (unsigned long long)no, c->index);
    return answered(c, slot, at_ns, verdict, out);
}

static void on_challenge(struct connection *c, const uint8_t *frame, size_t body_bytes)
{
    uint8_t text[400], mac[32], auth[64];
    if (c->state != HELLO_SENT || body_bytes > sizeof c->challenge)
        fail("CHALLENGE out of place on connection %u", c->index);
    memcpy(c->challenge, frame + HEADER_BYTES, body_bytes);
    c->challenge_bytes = (uint32_t)body_bytes;
    memcpy(text, "liftgate-1 client", 17);
    memcpy(text + 17, c->hello, c->hello_bytes);
    memcpy(text + 17 + c->hello_bytes, c->challenge, body_bytes);
    HMAC(EVP_sha256(), opt.key, KEY_BYTES, text, 17 + c->hello_bytes + body_bytes, mac, NULL);
    auth[HEADER_BYTES] = 0x91;
    put_bin(auth + HEADER_BYTES + 1, mac, sizeof mac);
    send_bytes(c, auth, seal_frame(auth, AUTH, 2, 3 + sizeof mac));
    c->state = AUTH_SENT;
}

static void become_ready(struct connection *c)
{
    c->state = READY;
    progress_ns = now_ns();
    opening--;
    opened++;
}

static void on_welcome(struct connection *c, const uint8_t *body, size_t body_bytes)
{
    uint8_t text[400], mac[32];
    uint64_t done_to = 0, in_flight_max = 0;
    memcpy(text, "liftgate-1 engine", 17);
    memcpy(text + 17, c->hello, c->hello_bytes);
    memcpy(text + 17 + c->hello_bytes, c->challenge, c->challenge_bytes);
    HMAC(EVP_sha256(), opt.key, KEY_BYTES, text, 17 + c->hello_bytes + c->challenge_bytes, mac, NULL);
    if (c->state != AUTH_SENT || body_bytes < 36 || body[1] != 0xC4 || body[2] != 32 ||
        CRYPTO_memcmp(body + 3, mac, 32))
        fail("WELCOME out of place or with a wrong MAC on connection %u", c->index);
    const uint8_t *end = body + body_bytes, *p = take_uint(body + 35, end, &done_to);
    if (!p || p >= end || *p != 0x90 || !take_uint(p + 1, end, &in_flight_max))
        fail("WELCOME on connection %u: a new numbering cannot have gaps, and needs in_flight_max", c->index);
    if (in_flight_max < (uint64_t)opt.in_flight && c->slots)
        fail("the engine takes %llu in flight, %d wanted", (unsigned long long)in_flight_max, opt.in_flight);
    become_ready(c);
}

static size_t on_frame(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns, uint8_t *out)
{
    uint64_t code = 0;
    if (frame_crc(frame, body_bytes) != load32(frame + 12))
        fail("CRC mismatch on connection %u", c->index);
    switch (frame[3]) {
    case DECISION:
        return on_decision(c, frame, body_bytes, at_ns, out);
    case CHALLENGE:
        on_challenge(c, frame, body_bytes);
        return 0;
    case WELCOME:
        on_welcome(c, frame + HEADER_BYTES, body_bytes);
        return 0;
    case PING:
        out[HEADER_BYTES] = 0x90;
        return seal_frame(out, PONG, load32(frame + 8), 1);
    case POLICY:
        return 0;
    case WIRE_ERROR:
        take_uint(frame + HEADER_BYTES + 1, frame + HEADER_BYTES + body_bytes, &code);
        fail("ERROR %llu on connection %u", (unsigned long long)code, c->index);
    default:
        fail("unexpected frame of type 0x%02X on connection %u", frame[3], c->index);
    }
    return 0;
}

/* Both parsers return how many bytes they used, and add the requests that follow to out. */
static size_t parse_frames(struct connection *c, const uint8_t *p, size_t n, uint64_t at_ns, size_t *out_bytes)
{
    const uint8_t *begin = p;
    while (n >= HEADER_BYTES) {
        size_t body_bytes = load32(p + 4);
        if (p[0] != 'L' || p[1] != 'G' || p[2] != 1 || body_bytes > FRAME_BYTES_MAX - HEADER_BYTES)
            fail("not a frame on connection %u", c->index);
        if (n < HEADER_BYTES + body_bytes)
            break;
        *out_bytes += on_frame(c, p, body_bytes, at_ns, out_buffer + *out_bytes);
        p += HEADER_BYTES + body_bytes;
        n -= HEADER_BYTES + body_bytes;
    }
    return (size_t)(p - begin);
}

static size_t on_redis_line(struct connection *c, const char *line, int length, uint64_t at_ns, uint8_t *out)
{
    uint32_t slot = c->stack[c->ring_at], spot = 0;
    struct slot *s = &c->slots[slot];
    c->ring_at = (c->ring_at + 1) % (uint32_t)opt.in_flight;
    c->ring_count--;
    for (int i = 1; *line == ':' && i < length && line[i] >= '0' && line[i] <= '9'; i++)
        spot = spot * 10 + (uint32_t)(line[i] - '0');
    bool right = spot != 0 && (!s->inside || s->spot == spot);
    if (!right)
        tell_error("Redis answers '%.*s' on connection %u", length, line, c->index);
    s->spot = spot;
    return answered(c, slot, at_ns, right ? 1 : 2, out);
}

static size_t parse_lines(struct connection *c, const uint8_t *p, size_t n, uint64_t at_ns, size_t *out_bytes)
{
    const uint8_t *begin = p, *end = p + n, *stop;
    /* Requests that these answers bring forth are not sent yet, so nothing in hand can answer them. */
    for (uint32_t under_way = c->ring_count; (stop = memchr(p, '\n', (size_t)(end - p))); under_way--) {
        if (!under_way)
            fail("Redis answers on connection %u though nothing is under way", c->index);
        *out_bytes += on_redis_line(c, (const char *)p, (int)(stop - p) - 1, at_ns, out_buffer + *out_bytes);
        p = stop + 1;
    }
    return (size_t)(p - begin);
}

static void on_readable(struct connection *c)
{
    memcpy(in_buffer, c->part, c->part_bytes);
    ssize_t got = recv(c->fd, in_buffer + c->part_bytes, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0)
        fail("connection %u: %s", c->index, got ? strerror(errno) : "closed by the server");
    uint64_t at_ns = now_ns();
    size_t n = c->part_bytes + (size_t)got, bytes = 0;
    size_t used = (opt.redis ? parse_lines : parse_frames)(c, in_buffer, n, at_ns, &bytes);
    if (n - used > sizeof c->part)
        fail("connection %u: an answer of more than %zu bytes", c->index, sizeof c->part);
    c->part_bytes = (uint32_t)(n - used);
    memcpy(c->part, in_buffer + used, c->part_bytes);
    if (bytes)
        send_bytes(c, out_buffer, bytes);
}

/* --- opening and the run ---------------------------------------------------------------------------------- */

static void say_hello(struct connection *c)
{
    uint8_t frame[256], *body = frame + HEADER_BYTES, *p = body, nonce[16];
    char id[24];
    if (getrandom(nonce, sizeof nonce, 0) != sizeof nonce || getrandom(&c->boot, sizeof c->boot, 0) != sizeof c->boot)
        fail("getrandom: %s", strerror(errno));
    c->boot |= 1;
    snprintf(id, sizeof id, "bench-%05u", c->index);
    *p++ = 0x97, *p++ = 1;
    p = put_uint(put_str(p, id), c->boot);
    *p++ = 0x91, *p++ = 1;
    p = put_bin(p, nonce, sizeof nonce);
    p = put_uint(put_str(p, "liftgate loadgen"), FRAME_BYTES_MAX - HEADER_BYTES);
    c->hello_bytes = (uint32_t)(p - body);
    memcpy(c->hello, body, c->hello_bytes);
    send_bytes(c, frame, seal_frame(frame, HELLO, 1, c->hello_bytes));
    c->state = HELLO_SENT;
}

static void on_connected(struct connection *c)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure)
        fail("connect %s:%d: %s", opt.host, opt.port, strerror(failure));
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    if (opt.sign_on && !opt.redis)
        say_hello(c);
    else
        become_ready(c);
}

static void open_connection(struct connection *c)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port) };
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || inet_pton(AF_INET, opt.host, &there.sin_addr) != 1)
        fail("socket to %s: %s", opt.host, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(c->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS)
        fail("connect %s:%d: %s", opt.host, opt.port, strerror(errno));
    c->state = CONNECTING;
    opening++;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void start_run(void)
{
    if (opt.announce)
        printf("{\"signed_on\": %d}\n", opened), fflush(stdout);
    started = true;
    start_ns = now_ns();
    from_ns = start_ns + (uint64_t)(opt.warm_up * 1e9);
    until_ns = opt.scans ? UINT64_MAX : from_ns + (uint64_t)(opt.seconds * 1e9);
    timetable_end = (uint64_t)(opt.rate * (opt.warm_up + opt.seconds));
    for (int i = 0; opt.rate <= 0 && i < opt.connections; i++) {
        size_t bytes = 0;
        uint64_t at_ns = now_ns();
        for (uint32_t slot = 0; slot < (uint32_t)opt.in_flight; slot++)
            bytes += put_request(out_buffer + bytes, &connections[i], slot, at_ns, at_ns);
        send_bytes(&connections[i], out_buffer, bytes);
    }
}

/* The time is over: cars that are inside and not under way leave now, the others when their answer comes. */
static void settle(void)
{
    uint64_t at_ns = now_ns();
    settling = true;
    for (int i = 0; i < opt.connections; i++) {
        struct connection *c = &connections[i];
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
        if (connections[i].timetable_at * (uint64_t)opt.connections + (uint64_t)i < next_at)
            return true;
    return next_at < timetable_end;
}

static void on_event(const struct epoll_event *event)
{
    struct connection *c = event->data.ptr;
    uint64_t expirations;
    if (!c) {
        if (read(timer_fd, &expirations, sizeof expirations) < 0 && errno != EAGAIN)
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

/* Returns whether the run is over: time up (or all scans done), every answer in, every car out. */
static bool advance(int *next)
{
    int total = opt.connections + opt.idle;
    while (*next < total && opening < OPENING_MAX)
        open_connection(&connections[(*next)++]);
    if (!started && opened == total)
        start_run();
    if (!started)
        return false;
    if (opt.rate > 0) {
        start_due();
        arm_timer();
    }
    if (!settling && !opt.scans && now_ns() >= until_ns && !late_scans_remain())
        settle();
    return (settling || opt.scans) && live == 0;
}

static void run(void)
{
    static struct epoll_event ready[READY_MAX];
    progress_ns = now_ns();
    for (int next = 0; !advance(&next);) {
        int n = epoll_wait(epoll_fd, ready, READY_MAX, 100);
        if (n < 0 && errno != EINTR)
            fail("epoll_wait: %s", strerror(errno));
        for (int i = 0; i < n; i++)
            on_event(&ready[i]);
        if ((live || !started) && now_ns() > progress_ns + (uint64_t)(opt.patience * 1e9))
            fail("no answer for %g s, %llu requests under way", opt.patience, (unsigned long long)live);
    }
}

static void prepare(void)
{
    struct rlimit files;
    struct timespec wall;
    struct epoll_event event = { .events = EPOLLIN };
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    crc_init();
    clock_gettime(CLOCK_REALTIME, &wall);
    wall_offset_ms = (uint64_t)wall.tv_sec * 1000u + (uint64_t)wall.tv_nsec / 1000000u - now_ns() / 1000000u;
    redis_head_bytes = (size_t)snprintf(redis_head, sizeof redis_head, "*%d\r\n$7\r\nEVALSHA\r\n$40\r\n%s\r\n"
        "$1\r\n3\r\n$4\r\nfree\r\n$6\r\ninside\r\n$6\r\nevents\r\n", 10, opt.sha ? opt.sha : "");
    epoll_fd = epoll_create1(0);
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    connections = calloc((size_t)(opt.connections + opt.idle), sizeof *connections);
    if (epoll_fd < 0 || timer_fd < 0 || !connections || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event))
        fail("prepare: %s", strerror(errno));
    for (int i = 0; i < opt.connections + opt.idle; i++) {
        struct connection *c = &connections[i];
        c->index = (uint32_t)i;
        if (i >= opt.connections)
            continue;
        c->slots = calloc((size_t)opt.in_flight, sizeof *c->slots);
        c->stack = calloc((size_t)opt.in_flight, 1);
        if (!c->slots || !c->stack)
            fail("out of memory");
        for (int slot = opt.in_flight; opt.rate > 0 && slot--;)
            c->stack[c->stacked++] = (uint8_t)slot;
    }
}

static int usage(void)
{
    fputs("usage: loadgen --port P [--host H] [--protocol wire|redis] [--key HEX | --no-sign-on] [--sha HEX]\n"
          "  [--connections N] [--in-flight M] [--seconds S] [--warm-up S] [--scans K] [--rate R] [--idle I]\n"
          "  [--patience S] [--announce]\n"
          "--scans: each slot does K scans and the time plays no part; --rate: open loop, scans a second, wire only;\n"
          "--idle: that many more connections that only sign on; --patience: without an answer the server is dead\n",
          stderr);
    return 2;
}

static bool read_key(const char *hex)
{
    for (int i = 0; i < KEY_BYTES; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &opt.key[i]) != 1)
            return false;
    return hex[2 * KEY_BYTES] == 0;
}

static bool read_options(int argc, char **argv)
{
    static const struct option names[] = {
        { "host", 1, 0, 'h' }, { "port", 1, 0, 'p' }, { "protocol", 1, 0, 'P' }, { "key", 1, 0, 'k' },
        { "no-sign-on", 0, 0, 'n' }, { "sha", 1, 0, 'S' }, { "connections", 1, 0, 'c' },
        { "in-flight", 1, 0, 'm' }, { "seconds", 1, 0, 's' }, { "warm-up", 1, 0, 'w' }, { "scans", 1, 0, 'K' },
        { "rate", 1, 0, 'r' }, { "idle", 1, 0, 'i' }, { "announce", 0, 0, 'a' }, { "patience", 1, 0, 't' },
        { 0 },
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
        case 'a': opt.announce = true; break;
        default: return false;
        }
    }
    return opt.port > 0 && opt.connections > 0 && opt.in_flight > 0 && opt.in_flight <= SLOTS_MAX &&
           (opt.rate <= 0 || !opt.scans) && opt.connections + opt.idle <= 100000 &&
           (opt.redis ? opt.sha && strlen(opt.sha) == 40 && opt.rate <= 0 : key || !opt.sign_on);
}

int main(int argc, char **argv)
{
    if (!read_options(argc, argv))
        return usage();
    prepare();
    run();
    print_result();
    return errors != 0;
}
