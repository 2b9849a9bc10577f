/* The reader of MessagePack: it trusts neither a length nor a count, and needs no recursion. */
#include <string.h>

#include "liftgate/pack.h"

void lg_unpack_begin(lg_unpacker *u, lg_bytes bytes)
{
    u->at = bytes.data;
    u->end = bytes.data + bytes.n;
}

static size_t left(const lg_unpacker *u)
{
    return (size_t)(u->end - u->at);
}

/* A big-endian number of so many bytes. */
static lg_result take_wide(lg_unpacker *u, unsigned bytes, uint64_t *value)
{
    if (left(u) < bytes)
        return LG_BAD;
    *value = 0;
    for (unsigned i = 0; i < bytes; i++)
        *value = *value << 8 | u->at[i];
    u->at += bytes;
    return LG_OK;
}

static lg_result take_bytes(lg_unpacker *u, lg_item *item, lg_item_kind kind, uint64_t n)
{
    if (n > left(u))
        return LG_BAD;
    item->kind = kind;
    item->bytes.data = u->at;
    item->bytes.n = (size_t)n;
    u->at += (size_t)n;
    return LG_OK;
}

/* An item is a byte at the least, so a count above what is left lies. */
static lg_result take_head(const lg_unpacker *u, lg_item *item, lg_item_kind kind, uint64_t count)
{
    item->kind = kind;
    item->number = count;
    return count > left(u) / (kind == LG_ITEM_MAP ? 2u : 1u) ? LG_BAD : LG_OK;
}

static lg_result take_signed(lg_unpacker *u, lg_item *item, unsigned bytes)
{
    uint64_t raw = 0;
    if (take_wide(u, bytes, &raw) != LG_OK)
        return LG_BAD;
    unsigned unused = 64 - 8 * bytes;
    bool negative = raw >> (8 * bytes - 1) != 0;
    item->kind = negative ? LG_ITEM_NEGATIVE : LG_ITEM_UINT;
    item->number = negative && unused != 0 ? raw | UINT64_MAX << (8 * bytes) : raw;
    return LG_OK;
}

/* What follows a head byte: kinds in groups whose lowest bits give the width. */
static lg_result take_sized(lg_unpacker *u, lg_item *item, uint8_t head)
{
    uint64_t n = 0;
    switch (head) {
    case 0xC4: case 0xC5: case 0xC6:
        return take_wide(u, 1u << (head - 0xC4), &n) ? LG_BAD : take_bytes(u, item, LG_ITEM_BIN, n);
    case 0xC7: case 0xC8: case 0xC9: /* its type is a byte more */
        return take_wide(u, 1u << (head - 0xC7), &n) ? LG_BAD : take_bytes(u, item, LG_ITEM_EXT, n + 1);
    case 0xCA: case 0xCB:
        return take_bytes(u, item, LG_ITEM_FLOAT, head == 0xCA ? 4 : 8);
    case 0xCC: case 0xCD: case 0xCE: case 0xCF:
        item->kind = LG_ITEM_UINT;
        return take_wide(u, 1u << (head - 0xCC), &item->number);
    case 0xD0: case 0xD1: case 0xD2: case 0xD3:
        return take_signed(u, item, 1u << (head - 0xD0));
    case 0xD4: case 0xD5: case 0xD6: case 0xD7: case 0xD8:
        return take_bytes(u, item, LG_ITEM_EXT, (1u << (head - 0xD4)) + 1u);
    case 0xD9: case 0xDA: case 0xDB:
        return take_wide(u, 1u << (head - 0xD9), &n) ? LG_BAD : take_bytes(u, item, LG_ITEM_STR, n);
    case 0xDC: case 0xDD:
        return take_wide(u, 2u << (head - 0xDC), &n) ? LG_BAD : take_head(u, item, LG_ITEM_ARRAY, n);
    case 0xDE: case 0xDF:
        return take_wide(u, 2u << (head - 0xDE), &n) ? LG_BAD : take_head(u, item, LG_ITEM_MAP, n);
    default: /* 0xC1 is never used */
        return LG_BAD;
    }
}

lg_result lg_unpack(lg_unpacker *u, lg_item *item)
{
    memset(item, 0, sizeof *item);
    if (left(u) == 0)
        return LG_BAD;
    uint8_t head = *u->at++;
    if (head < 0x80 || head >= 0xE0) {
        item->kind = head < 0x80 ? LG_ITEM_UINT : LG_ITEM_NEGATIVE;
        item->number = head < 0x80 ? head : (uint64_t)(int64_t)(int8_t)head;
        return LG_OK;
    }
    if (head < 0x90)
        return take_head(u, item, LG_ITEM_MAP, head & 0x0Fu);
    if (head < 0xA0)
        return take_head(u, item, LG_ITEM_ARRAY, head & 0x0Fu);
    if (head < 0xC0)
        return take_bytes(u, item, LG_ITEM_STR, head & 0x1Fu);
    if (head <= 0xC3 && head != 0xC1) {
        item->kind = head == 0xC0 ? LG_ITEM_NIL : LG_ITEM_BOOL;
        item->number = head == 0xC3;
        return LG_OK;
    }
    return take_sized(u, item, head);
}

lg_result lg_unpack_skip(lg_unpacker *u)
{
    uint64_t remaining[LG_DEPTH_MAX + 1] = {1}; /* items still to come at each depth */
    unsigned depth = 0;
    for (;;) {
        while (remaining[depth] == 0) {
            if (depth == 0)
                return LG_OK;
            depth--;
        }
        remaining[depth]--;
        lg_item item;
        if (lg_unpack(u, &item) != LG_OK)
            return LG_BAD;
        if (item.kind != LG_ITEM_ARRAY && item.kind != LG_ITEM_MAP)
            continue;
        if (depth == LG_DEPTH_MAX)
            return LG_BAD;
        remaining[++depth] = item.kind == LG_ITEM_MAP ? item.number * 2 : item.number;
    }
}

/* How many bytes follow the first of a character, and the least that they may mean; 4 for a first byte that
 * is none. */
static unsigned utf8_tail(uint8_t first, uint32_t *value, uint32_t *least)
{
    if (first < 0x80) {
        *value = first;
        *least = 0;
        return 0;
    }
    static const uint32_t least_of[] = {0, 0x80, 0x800, 0x10000, 0};
    unsigned tail = first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
    if (first < 0xC2 || first > 0xF4)
        tail = 4;
    *value = tail < 4 ? first & (0x3Fu >> tail) : 0;
    *least = least_of[tail];
    return tail;
}

bool lg_utf8(lg_bytes text, size_t *characters)
{
    size_t count = 0;
    for (size_t at = 0; at < text.n; count++) {
        uint32_t value, least;
        unsigned tail = utf8_tail(text.data[at++], &value, &least);
        if (tail == 4 || tail > text.n - at)
            return false;
        for (; tail > 0; tail--, at++) {
            if ((text.data[at] & 0xC0) != 0x80)
                return false;
            value = value << 6 | (text.data[at] & 0x3Fu);
        }
        if (value < least || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
            return false;
    }
    if (characters)
        *characters = count;
    return true;
}
