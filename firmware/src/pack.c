/* The writer of MessagePack: every value in its smallest form. */
#include <string.h>

#include "liftgate/pack.h"

void lg_pack_begin(lg_packer *p, uint8_t *out, size_t room)
{
    p->out = out;
    p->n = 0;
    p->room = room;
    p->too_long = false;
}

void lg_pack_raw(lg_packer *p, const uint8_t *data, size_t n)
{
    if (p->too_long || n > p->room - p->n) {
        p->too_long = true;
        return;
    }
    if (n != 0) /* data may be NULL then, which memcpy does not take */
        memcpy(p->out + p->n, data, n);
    p->n += n;
}

static void put_byte(lg_packer *p, uint8_t byte)
{
    lg_pack_raw(p, &byte, 1);
}

/* A head byte and `bytes` bytes of value, the most significant first. */
static void put_wide(lg_packer *p, uint8_t head, uint64_t value, unsigned bytes)
{
    uint8_t wide[9] = {head};
    for (unsigned i = 0; i < bytes; i++)
        wide[1 + i] = (uint8_t)(value >> (8 * (bytes - 1 - i)));
    lg_pack_raw(p, wide, 1u + bytes);
}

void lg_pack_nil(lg_packer *p)
{
    put_byte(p, 0xC0);
}

void lg_pack_bool(lg_packer *p, bool value)
{
    put_byte(p, value ? 0xC3 : 0xC2);
}

void lg_pack_uint(lg_packer *p, uint64_t value)
{
    if (value < 0x80)
        put_byte(p, (uint8_t)value);
    else if (value <= UINT8_MAX)
        put_wide(p, 0xCC, value, 1);
    else if (value <= UINT16_MAX)
        put_wide(p, 0xCD, value, 2);
    else if (value <= UINT32_MAX)
        put_wide(p, 0xCE, value, 4);
    else
        put_wide(p, 0xCF, value, 8);
}

void lg_pack_int(lg_packer *p, int64_t value)
{
    if (value >= 0)
        lg_pack_uint(p, (uint64_t)value);
    else if (value >= -32)
        put_byte(p, (uint8_t)value);
    else if (value >= INT8_MIN)
        put_wide(p, 0xD0, (uint64_t)value, 1);
    else if (value >= INT16_MIN)
        put_wide(p, 0xD1, (uint64_t)value, 2);
    else if (value >= INT32_MIN)
        put_wide(p, 0xD2, (uint64_t)value, 4);
    else
        put_wide(p, 0xD3, (uint64_t)value, 8);
}

void lg_pack_str(lg_packer *p, const char *text, size_t n)
{
    if (n < 32)
        put_byte(p, (uint8_t)(0xA0 | n));
    else if (n <= UINT8_MAX)
        put_wide(p, 0xD9, n, 1);
    else if (n <= UINT16_MAX)
        put_wide(p, 0xDA, n, 2);
    else
        put_wide(p, 0xDB, n, 4);
    lg_pack_raw(p, (const uint8_t *)text, n);
}

void lg_pack_bin(lg_packer *p, const uint8_t *data, size_t n)
{
    if (n <= UINT8_MAX)
        put_wide(p, 0xC4, n, 1);
    else if (n <= UINT16_MAX)
        put_wide(p, 0xC5, n, 2);
    else
        put_wide(p, 0xC6, n, 4);
    lg_pack_raw(p, data, n);
}

void lg_pack_array(lg_packer *p, uint32_t count)
{
    if (count < 16)
        put_byte(p, (uint8_t)(0x90 | count));
    else if (count <= UINT16_MAX)
        put_wide(p, 0xDC, count, 2);
    else
        put_wide(p, 0xDD, count, 4);
}

void lg_pack_map(lg_packer *p, uint32_t count)
{
    if (count < 16)
        put_byte(p, (uint8_t)(0x80 | count));
    else if (count <= UINT16_MAX)
        put_wide(p, 0xDE, count, 2);
    else
        put_wide(p, 0xDF, count, 4);
}
