/* The few pieces of docs/protocol.md that the load generator and the limit server share:
 * little-endian fields, CRC-32 by a slicing table, MessagePack integers, the 16-byte header. */
#ifndef LIFTGATE_BENCH_WIRE_H
#define LIFTGATE_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { HEADER_BYTES = 16, FRAME_BYTES_MAX = 4096 + HEADER_BYTES };
enum {
    HELLO = 0x01, CHALLENGE = 0x02, AUTH = 0x03, WELCOME = 0x04, SCAN = 0x10, DECISION = 0x11,
    REPLAY = 0x15, REPLAYED = 0x16, SET_LANE = 0x21, DONE = 0x23, POLICY = 0x24, PING = 0x2A, PONG = 0x2B, GOODBYE = 0x2E, WIRE_ERROR = 0x2F,
};

/* Filled by crc_init(), which comes before anything else here. */
extern uint32_t crc_table[8][256];
void crc_init(void);

static inline uint32_t load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static inline uint64_t load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }
static inline void store32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }

/* Slicing by eight, not zlib: a frame is about 40 bytes, where zlib's call costs more than its work. */
static inline uint32_t crc_update(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v = load64(p) ^ crc;
        crc = crc_table[7][v & 255] ^ crc_table[6][v >> 8 & 255] ^ crc_table[5][v >> 16 & 255] ^
              crc_table[4][v >> 24 & 255] ^ crc_table[3][v >> 32 & 255] ^ crc_table[2][v >> 40 & 255] ^
              crc_table[1][v >> 48 & 255] ^ crc_table[0][v >> 56];
    }
    for (; n; n--, p++)
        crc = (crc >> 8) ^ crc_table[0][(crc ^ *p) & 255];
    return crc;
}

static inline uint32_t frame_crc(const uint8_t *frame, size_t body_bytes)
{
    uint32_t crc = crc_update(0xFFFFFFFFu, frame, 12);
    return ~crc_update(crc, frame + HEADER_BYTES, body_bytes);
}

/* Fill in the header of a frame whose body already stands at frame + 16; returns the frame's size. */
static inline size_t seal_frame(uint8_t *frame, uint8_t type, uint32_t ref, size_t body_bytes)
{
    frame[0] = 'L', frame[1] = 'G', frame[2] = 1, frame[3] = type;
    store32(frame + 4, (uint32_t)body_bytes);
    store32(frame + 8, ref);
    store32(frame + 12, frame_crc(frame, body_bytes));
    return HEADER_BYTES + body_bytes;
}

static inline uint8_t *put_big(uint8_t *p, uint64_t value, int bytes)
{
    for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
        *p++ = (uint8_t)(value >> shift);
    return p;
}

static inline uint8_t *put_uint(uint8_t *p, uint64_t value)
{
    if (value < 0x80) { *p++ = (uint8_t)value; return p; }
    int log2_bytes = value <= 0xFF ? 0 : value <= 0xFFFF ? 1 : value <= 0xFFFFFFFFu ? 2 : 3;
    *p++ = (uint8_t)(0xCC + log2_bytes);
    return put_big(p, value, 1 << log2_bytes);
}

/* Returns the place after the integer, or NULL where there is none or it passes `end`. */
static inline const uint8_t *take_uint(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    if (!p || p >= end)
        return NULL;
    if (*p < 0x80) { *value = *p; return p + 1; }
    if (*p < 0xCC || *p > 0xCF || end - p < 1 + (1 << (*p - 0xCC)))
        return NULL;
    int bytes = 1 << (*p++ - 0xCC);
    for (*value = 0; bytes; bytes--)
        *value = *value << 8 | *p++;
    return p;
}

static inline uint8_t *put_str(uint8_t *p, const char *text)
{
    size_t n = strlen(text);
    if (n < 32) {
        *p++ = (uint8_t)(0xA0 | n);
    } else {
        *p++ = 0xD9, *p++ = (uint8_t)n;
    }
    memcpy(p, text, n);
    return p + n;
}

static inline uint8_t *put_bin(uint8_t *p, const uint8_t *bytes, uint8_t n)
{
    *p++ = 0xC4, *p++ = n;
    memcpy(p, bytes, n);
    return p + n;
}

#endif
