/* Answers: each is checked, measured, and followed by its slot's next request in the same buffer. */
#define _GNU_SOURCE

#include "loadgen.h"

/* Order does not matter to the sum, so the hash depends on what was answered, not on who came first. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 33, x *= 0xFF51AFD7ED558CCDu, x ^= x >> 33, x *= 0xC4CEB9FE1A85EC53u;
    return x ^ x >> 33;
}

static void record(const struct connection *c, uint32_t slot, uint64_t at_ns, uint64_t verdict)
{
    const struct slot *s = &c->slots[slot];
    uint64_t judged_ns = opt.rate > 0 ? s->sent_ns : at_ns;
    if (opt.scans || (judged_ns >= run.from_ns && judged_ns < run.until_ns)) {
        histogram_add(&run.latencies, at_ns - s->sent_ns);
        run.result_hash += mix((uint64_t)c->index << 40 ^ (uint64_t)slot << 32 ^ s->scans ^ verdict << 60);
    }
    run.progress_ns = at_ns;
}

/* One more scan now? Once the run is over only cars that are still inside go on, to leave the lot as it was. */
static bool goes_on(const struct slot *s)
{
    return run.settling ? s->inside : opt.scans ? s->scans < (uint32_t)opt.scans : opt.rate <= 0;
}

/* Take an answer in and write the request that follows from it, if any; returns the bytes written. */
static size_t answered(struct connection *c, uint32_t slot, uint64_t at_ns, uint64_t verdict, uint8_t *out)
{
    struct slot *s = &c->slots[slot];
    record(c, slot, at_ns, verdict);
    s->busy = false;
    s->scans++;
    s->inside = verdict == 1 && !s->inside;
    run.live--;
    run.answers++;
    if (goes_on(s))
        return put_request(out, c, slot, at_ns, at_ns);
    if (opt.rate <= 0 || run.settling)
        return 0;
    c->stack[c->stacked++] = (uint8_t)slot;
    return put_due(out, c, at_ns);
}

static size_t on_decision(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns,
                          uint8_t *out)
{
    const uint8_t *p = frame + HEADER_BYTES, *end = p + body_bytes;
    uint64_t no = 0, verdict = 0, reason = 0;
    bool nine = p < end && (*p & 0xF0) == 0x90 && *p >= 0x99;
    if (!nine || !take_uint(take_uint(take_uint(p + 1, end, &no), end, &verdict), end, &reason))
        fail("DECISION on connection %u has a malformed body", c->index);
    uint32_t ref = load32(frame + 8), slot = (ref & 255) - 1;
    const struct slot *s = c->slots && slot < (uint32_t)opt.in_flight ? &c->slots[slot] : NULL;
    if (!s || !s->busy || s->no != no || ref >> 8 != (no & 0xFFFFFF))
        fail("DECISION with ref %u, no %llu on connection %u answers nothing under way", ref,
             (unsigned long long)no, c->index);
    if (opt.forged ? verdict != 2 || reason != 203 : verdict != 1 || reason != 0)
        tell_error("verdict %llu, reason %llu for no %llu on connection %u", (unsigned long long)verdict,
                   (unsigned long long)reason, (unsigned long long)no, c->index);
    return answered(c, slot, at_ns, verdict, out);
}

static size_t on_frame(struct connection *c, const uint8_t *frame, size_t body_bytes, uint64_t at_ns,
                       uint8_t *out)
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

void on_readable(struct connection *c)
{
    size_t n = take_input(c), bytes = 0;
    if (!n)
        return;
    uint64_t at_ns = now_ns();
    size_t used = (opt.redis ? parse_lines : parse_frames)(c, in_buffer, n, at_ns, &bytes);
    keep_rest(c, in_buffer + used, n - used);
    if (bytes)
        send_bytes(c, out_buffer, bytes);
}
