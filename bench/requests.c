/* Requests: SCAN frames or EVALSHA commands, the timetable of the open loop, and the way out. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>

#include "loadgen.h"

static void put_token(uint8_t *p, const struct connection *c, uint32_t slot)
{
    put_big(put_big(p, c->index, 4), slot, 4);
}

/* The ticket with an end that no other one has: base45's triplets 20 to 17 from its end, which are of the seal,
 * name connection and number. Two digits and a 0 are always two bytes. */
static uint8_t *put_forged(uint8_t *p, const struct connection *c, uint64_t no)
{
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    size_t n = strlen(opt.forged), at = 4 + ((n - 4) / 3 - 20) * 3;
    uint64_t name = (uint64_t)c->index << 24 | (no & 0xFFFFFF);
    memcpy(p, opt.forged, n);
    for (int i = 0; i < 4; i++, at += 3, name /= 45 * 45) {
        p[at] = (uint8_t)digits[name % 45];
        p[at + 1] = (uint8_t)digits[name / 45 % 45];
        p[at + 2] = '0';
    }
    return p + n;
}

static size_t put_scan(uint8_t *out, struct connection *c, uint32_t slot, uint64_t wall_ms)
{
    uint64_t no = c->slots[slot].no;
    uint8_t *body = out + HEADER_BYTES, *p = body;
    *p++ = 0x95;
    p = put_uint(p, no);
    *p++ = 0xCF;
    p = put_big(p, wall_ms, 8);
    *p++ = 0, *p++ = opt.forged ? 1 : 2, *p++ = 0xC4, *p++ = (uint8_t)(opt.forged ? strlen(opt.forged) : 8);
    if (opt.forged) {
        p = put_forged(p, c, no);
    } else {
        put_token(p, c, slot);
        p += 8;
    }
    /* ref is never 0 and never repeats among the requests under way: its low byte is the slot, from 1. */
    return seal_frame(out, SCAN, (uint32_t)(no << 8 | (slot + 1)), (size_t)(p - body));
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
    memcpy(p, run.redis_head, run.redis_head_bytes);
    p += run.redis_head_bytes;
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

size_t put_request(uint8_t *out, struct connection *c, uint32_t slot, uint64_t sent_ns, uint64_t at_ns)
{
    struct slot *s = &c->slots[slot];
    uint64_t wall_ms = run.wall_offset_ms + at_ns / 1000000u;
    s->no = ++c->next_no;
    s->sent_ns = sent_ns;
    s->busy = true;
    if (!run.live++)
        run.progress_ns = at_ns;
    return opt.redis ? put_evalsha(out, c, slot, wall_ms) : put_scan(out, c, slot, wall_ms);
}

void watch(struct connection *c, int operation, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = c };
    if (epoll_ctl(run.epoll_fd, operation, c->fd, &event))
        fail("epoll_ctl: %s", strerror(errno));
}

/* What the socket does not take at once waits for EPOLLOUT: at most M requests, as no more are unanswered. */
void send_bytes(struct connection *c, const uint8_t *bytes, size_t n)
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

void flush_unsent(struct connection *c)
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

uint64_t timetable_ns(uint64_t at) { return run.start_ns + (uint64_t)((double)at * 1e9 / opt.rate); }

/* Start every scan of this connection that is due and has a free slot; a late one keeps its scheduled time. */
size_t put_due(uint8_t *out, struct connection *c, uint64_t at_ns)
{
    size_t bytes = 0;
    for (;;) {
        uint64_t at = c->timetable_at * (uint64_t)opt.connections + c->index;
        if (at >= run.next_at || !c->stacked)
            return bytes;
        c->timetable_at++;
        bytes += put_request(out + bytes, c, c->stack[--c->stacked], timetable_ns(at), at_ns);
    }
}

void arm_timer(void)
{
    uint64_t at_ns = run.next_at < run.timetable_end ? timetable_ns(run.next_at) : run.until_ns;
    if (run.settling || (run.next_at == run.timetable_end && now_ns() >= run.until_ns))
        return;
    struct itimerspec when = { .it_value = { (time_t)(at_ns / 1000000000u), (long)(at_ns % 1000000000u) } };
    if (timerfd_settime(run.timer_fd, TFD_TIMER_ABSTIME, &when, NULL))
        fail("timerfd_settime: %s", strerror(errno));
}

void start_due(void)
{
    uint64_t at_ns = now_ns();
    while (run.next_at < run.timetable_end && timetable_ns(run.next_at) <= at_ns) {
        struct connection *c = &run.connections[run.next_at++ % (uint64_t)opt.connections];
        size_t bytes = put_due(out_buffer, c, at_ns);
        if (bytes)
            send_bytes(c, out_buffer, bytes);
    }
}
