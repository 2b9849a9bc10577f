/* Numbers in bytes, little-endian as on the wire and in the flash, on any machine. */
#ifndef LIFTGATE_BYTES_H
#define LIFTGATE_BYTES_H

#include <stdint.h>

static inline uint16_t lg_load16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t lg_load32(const uint8_t *p)
{
    return (uint32_t)lg_load16(p) | (uint32_t)lg_load16(p + 2) << 16;
}

static inline uint64_t lg_load64(const uint8_t *p)
{
    return (uint64_t)lg_load32(p) | (uint64_t)lg_load32(p + 4) << 32;
}

static inline void lg_store16(uint8_t *p, uint16_t value)
{
    p[0] = (uint8_t)value;
    p[1] = (uint8_t)(value >> 8);
}

static inline void lg_store32(uint8_t *p, uint32_t value)
{
    lg_store16(p, (uint16_t)value);
    lg_store16(p + 2, (uint16_t)(value >> 16));
}

static inline void lg_store64(uint8_t *p, uint64_t value)
{
    lg_store32(p, (uint32_t)value);
    lg_store32(p + 4, (uint32_t)(value >> 32));
}

#endif
