/* Load generator for MQTT 5: readers that publish SCANs with QoS 1 and count PUBACKs, the same to any broker.
 *
 *   mqttgen --port P [--connections N] [--in-flight N] [--seconds S] [--warm-up S] [--scans N]
 *           [--key HEX] [--consume]
 *
 * Each connection is reader bench-00000… and subscribes to what is for it; what comes down is acknowledged
 * with PUBACK. --consume: one more connection, with a session that lasts, that takes and acknowledges all that
 * readers publish, as a gateway behind a broker does; without it a broker has nothing to keep.
 * --scans: so many by each connection instead of a time. Prints one JSON object; a refusal ends it with 1.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "histogram.h"

enum { BUFFER = 1 << 17, IN_FLIGHT_MAX = 64, READERS_MAX = 10000, EVENTS = 256, SIGN_ON_S = 30 };
enum { CONNACK = 0x20, PUBLISH = 0x30, PUBACK = 0x40, SUBACK = 0x90, DISCONNECT = 0xE0 };

struct connection {
    int fd, in_flight, ready, consumer;
    uint64_t no, sent_ns[IN_FLIGHT_MAX];
    size_t have, out;
    char id[16];
    uint8_t in[BUFFER], to_send[BUFFER];
};

static struct histogram latencies;
static uint64_t answers, measured, from_ns, until_ns, scans, boot;
static int depth = 1, epoll_fd;

static void fail(const char *format, ...)
{
    va_list rest;
    va_start(rest, format);
    vfprintf(stderr, format, rest);
    fputc('\n', stderr);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void put(struct connection *c, const void *data, size_t size)
{
    if (c->out + size > BUFFER)
        fail("the server does not read");
    memcpy(c->to_send + c->out, data, size);
    c->out += size;
}

static uint8_t *put_text(uint8_t *p, const char *text)
{
    size_t size = strlen(text);
    *p++ = (uint8_t)(size >> 8), *p++ = (uint8_t)size;
    memcpy(p, text, size);
    return p + size;
}

/* Fixed header before a body of fewer than 16,384 bytes. */
static void put_packet(struct connection *c, uint8_t head, const uint8_t *body, size_t size)
{
    uint8_t start[3] = { head, (uint8_t)(size & 127) };
    size_t bytes = 2;
    if (size > 127)
        start[1] |= 128, start[2] = (uint8_t)(size >> 7), bytes = 3;
    put(c, start, bytes);
    put(c, body, size);
}

static void say_connect(struct connection *c, const char *key)
{
    uint8_t body[512], *p = put_text(body, "MQTT"), *properties;
    char number[24];
    *p++ = 5, *p++ = c->consumer ? 0xC0 : 0xC2, *p++ = 0, *p++ = 0; /* name, password, clean start; no keep alive */
    properties = p++;
    if (c->consumer) {
        *p++ = 0x11, *p++ = 0, *p++ = 0, *p++ = 14, *p++ = 16; /* session expiry: an hour */
    } else {
        snprintf(number, sizeof number, "%llu", (unsigned long long)boot);
        *p++ = 0x26, p = put_text(p, "boot"), p = put_text(p, number);
    }
    *properties = (uint8_t)(p - properties - 1);
    p = put_text(p, c->id), p = put_text(p, c->id), p = put_text(p, key);
    put_packet(c, 0x10, body, (size_t)(p - body));
    char filter[64];
    if (c->consumer)
        snprintf(filter, sizeof filter, "liftgate/v1/+/up/#");
    else
        snprintf(filter, sizeof filter, "liftgate/v1/%s/down/#", c->id);
    uint8_t subscribe[128] = { 0xFF, 0xFF, 0 };
    p = put_text(subscribe + 3, filter), *p++ = 1;
    put_packet(c, 0x82, subscribe, (size_t)(p - subscribe));
}

static uint8_t *put_uint(uint8_t *p, uint64_t value)
{
    int bytes = value < 128 ? 0 : value < 256 ? 1 : value < 65536 ? 2 : value < 1ull << 32 ? 4 : 8;
    if (!bytes) {
        *p++ = (uint8_t)value;
        return p;
    }
    *p++ = bytes == 1 ? 0xCC : bytes == 2 ? 0xCD : bytes == 4 ? 0xCE : 0xCF;
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        *p++ = (uint8_t)(value >> shift);
    return p;
}

/* One SCAN; its packet id is 1 + its number modulo the depth's slots, so that PUBACK finds its time. */
static void say_scan(struct connection *c, uint64_t ns)
{
    uint8_t body[256], *p;
    char topic[64], card[24];
    struct timespec wall;
    unsigned slot = (unsigned)(c->no++ % (unsigned)depth);
    clock_gettime(CLOCK_REALTIME, &wall);
    snprintf(topic, sizeof topic, "liftgate/v1/%s/up/10", c->id);
    snprintf(card, sizeof card, "%.10s-%02u", c->id, slot);
    p = put_text(body, topic);
    *p++ = 0, *p++ = (uint8_t)(slot + 1), *p++ = 0;
    *p++ = 0x95, p = put_uint(p, c->no);
    p = put_uint(p, (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000);
    *p++ = 0, *p++ = 2, *p++ = 0xC4, *p++ = (uint8_t)strlen(card);
    memcpy(p, card, strlen(card)), p += strlen(card);
    put_packet(c, 0x32, body, (size_t)(p - body));
    c->sent_ns[slot] = ns;
    c->in_flight++;
}

static void take(struct connection *c, uint8_t head, const uint8_t *body, size_t size, uint64_t ns)
{
    switch (head & 0xF0) {
    case CONNACK:
        if (size < 2 || body[1])
            fail("%s: CONNACK 0x%02x", c->id, size < 2 ? 0 : body[1]);
        break;
    case SUBACK:
        if (!size || body[size - 1] > 1)
            fail("%s: SUBACK 0x%02x", c->id, body[size - 1]);
        c->ready = 1;
        break;
    case PUBACK: {
        unsigned slot = (unsigned)(body[0] << 8 | body[1]) - 1;
        if (size > 2 && body[2] >= 0x80)
            fail("%s: PUBACK 0x%02x", c->id, body[2]);
        if (slot >= (unsigned)depth)
            fail("%s: PUBACK for packet %u", c->id, slot + 1);
        c->in_flight--, answers++;
        if (ns >= from_ns && (scans || ns < until_ns))
            histogram_add(&latencies, ns - c->sent_ns[slot]), measured++;
        break;
    }
    case PUBLISH:
        if ((head & 6) == 2) {
            size_t topic = (size_t)(body[0] << 8 | body[1]);
            put_packet(c, PUBACK, body + 2 + topic, 2);
        }
        break;
    case DISCONNECT:
        fail("%s: DISCONNECT 0x%02x", c->id, size ? body[0] : 0);
    }
}

static void take_all(struct connection *c, uint64_t ns)
{
    size_t at = 0;
    while (c->have - at >= 2) {
        size_t size = c->in[at + 1] & 127, head = 2;
        if (c->in[at + 1] & 128) {
            if (c->have - at < 3)
                break;
            size |= (size_t)(c->in[at + 2] & 127) << 7, head = 3;
            if (c->in[at + 2] & 128)
                fail("a packet of more than 16 KiB");
        }
        if (c->have - at < head + size)
            break;
        take(c, c->in[at], c->in + at + head, size, ns);
        at += head + size;
    }
    memmove(c->in, c->in + at, c->have -= at);
}

static void flush(struct connection *c)
{
    while (c->out) {
        ssize_t sent = send(c->fd, c->to_send, c->out, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            break;
        if (sent < 0)
            fail("%s: send: %s", c->id, strerror(errno));
        memmove(c->to_send, c->to_send + sent, c->out -= (size_t)sent);
    }
    struct epoll_event event = { c->out ? EPOLLIN | EPOLLOUT : EPOLLIN, { .ptr = c } };
    static int waiting[READERS_MAX + 64];
    if (waiting[c->fd] != !!c->out) {
        waiting[c->fd] = !!c->out;
        epoll_ctl(epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    }
}

static struct connection *dial(int port, const char *key, int number, int consumer)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct connection *c = calloc(1, sizeof *c);
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->consumer = consumer;
    snprintf(c->id, sizeof c->id, consumer ? "consumer" : "bench-%05d", number);
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address))
        fail("connect: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = { EPOLLIN, { .ptr = c } };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, c->fd, &event);
    say_connect(c, key);
    flush(c);
    return c;
}

/* Wait for what comes, up to `ms`; true while something did. */
static void turn(int ms)
{
    struct epoll_event ready[EVENTS];
    int count = epoll_wait(epoll_fd, ready, EVENTS, ms);
    for (int i = 0; i < count; i++) {
        struct connection *c = ready[i].data.ptr;
        ssize_t got = recv(c->fd, c->in + c->have, BUFFER - c->have, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
            fail("%s: the server ended the connection", c->id);
        uint64_t ns = now_ns();
        if (got > 0)
            c->have += (size_t)got, take_all(c, ns);
        while (from_ns && c->ready && !c->consumer && c->in_flight < depth &&
               (scans ? c->no < scans : ns < until_ns))
            say_scan(c, ns);
        flush(c);
    }
}

static double option(int argc, char **argv, const char *name, double otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], name))
            return atof(argv[i + 1]);
    return otherwise;
}

static const char *text_option(int argc, char **argv, const char *name)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], name))
            return i + 1 < argc ? argv[i + 1] : "";
    return NULL;
}

int main(int argc, char **argv)
{
    int port = (int)option(argc, argv, "--port", 0), count = (int)option(argc, argv, "--connections", 100);
    double seconds = option(argc, argv, "--seconds", 3), warm_up = option(argc, argv, "--warm-up", 1);
    const char *key = text_option(argc, argv, "--key");
    int consume = text_option(argc, argv, "--consume") != NULL;
    depth = (int)option(argc, argv, "--in-flight", 1);
    scans = (uint64_t)option(argc, argv, "--scans", 0);
    if (!port || count < 1 || count > READERS_MAX || depth < 1 || depth > IN_FLIGHT_MAX)
        fail("usage: mqttgen --port P [--connections 1..10000] [--in-flight 1..64] …");
    boot = now_ns() | 1;
    epoll_fd = epoll_create1(0);
    struct connection **all = calloc((size_t)count + 1, sizeof *all);
    for (int i = 0; i < count + consume; i++)
        all[i] = dial(port, key ? key : "none", i, i == count);
    uint64_t deadline = now_ns() + SIGN_ON_S * 1000000000ull;
    for (int i = 0; i < count + consume; i++)
        while (!all[i]->ready) {
            turn(100);
            if (now_ns() > deadline)
                fail("%s: not subscribed within %d s", all[i]->id, SIGN_ON_S);
        }
    uint64_t begin = now_ns();
    from_ns = scans ? begin : begin + (uint64_t)(warm_up * 1e9);
    until_ns = from_ns + (uint64_t)(seconds * 1e9);
    for (int i = 0; i < count; i++) {
        while (all[i]->in_flight < depth && (!scans || all[i]->no < scans))
            say_scan(all[i], now_ns());
        flush(all[i]);
    }
    uint64_t wanted = scans * (uint64_t)count, last = answers, quiet = begin;
    while (scans ? answers < wanted : now_ns() < until_ns) {
        turn(100);
        if (answers != last)
            last = answers, quiet = now_ns();
        else if (now_ns() - quiet > SIGN_ON_S * 1000000000ull)
            fail("no answer for %d s", SIGN_ON_S);
    }
    double took = (double)((scans ? now_ns() : until_ns) - from_ns) / 1e9;
    printf("{\"rate\":%.1f,\"count\":%llu,\"answers\":%llu,\"seconds\":%.3f,\"errors\":0,\"p50_ms\":%.3f,"
           "\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"hash\":\"\"}\n",
           (double)measured / took, (unsigned long long)measured, (unsigned long long)answers, took,
           histogram_ms(&latencies, 0.5), histogram_ms(&latencies, 0.99), histogram_ms(&latencies, 0.999),
           (double)latencies.max_ns / 1e6);
    return 0;
}
