/* MessagePack, as much of it as the protocol needs: a writer in the smallest form and a reader that trusts
 * nothing. */
#ifndef LIFTGATE_PACK_H
#define LIFTGATE_PACK_H

#include "liftgate/port.h"

enum { LG_DEPTH_MAX = 16 };

/* Writes into room that the caller gives; once something did not fit, `too_long` is set and nothing more is
 * written. */
typedef struct lg_packer {
    uint8_t *out;
    size_t n;
    size_t room;
    bool too_long;
} lg_packer;

void lg_pack_begin(lg_packer *p, uint8_t *out, size_t room);
void lg_pack_nil(lg_packer *p);
void lg_pack_bool(lg_packer *p, bool value);
void lg_pack_uint(lg_packer *p, uint64_t value);
void lg_pack_int(lg_packer *p, int64_t value);
void lg_pack_str(lg_packer *p, const char *text, size_t n);
void lg_pack_bin(lg_packer *p, const uint8_t *data, size_t n);
void lg_pack_array(lg_packer *p, uint32_t count);
void lg_pack_map(lg_packer *p, uint32_t count);
/* Bytes that are MessagePack already. */
void lg_pack_raw(lg_packer *p, const uint8_t *data, size_t n);

typedef enum lg_item_kind {
    LG_ITEM_NIL,
    LG_ITEM_BOOL,
    LG_ITEM_UINT,
    LG_ITEM_NEGATIVE,
    LG_ITEM_FLOAT,
    LG_ITEM_STR,
    LG_ITEM_BIN,
    LG_ITEM_ARRAY,
    LG_ITEM_MAP,
    LG_ITEM_EXT
} lg_item_kind;

/* One value. Of an array or map only the head: its items follow. */
typedef struct lg_item {
    lg_item_kind kind;
    /* of UINT and BOOL; of NEGATIVE in two's complement; the count of ARRAY and of MAP (pairs) */
    uint64_t number;
    lg_bytes bytes;  /* of STR, BIN and EXT, inside what is read */
} lg_item;

typedef struct lg_unpacker {
    const uint8_t *at;
    const uint8_t *end;
} lg_unpacker;

void lg_unpack_begin(lg_unpacker *u, lg_bytes bytes);
/* Take the next value, or the head of an array or map. LG_BAD at a value cut short, at a count that cannot be
 * in the bytes that are left, and at the end. */
lg_result lg_unpack(lg_unpacker *u, lg_item *item);
/* Step over a whole value with all that is in it; LG_BAD as above and where it is more than LG_DEPTH_MAX
 * deep. */
lg_result lg_unpack_skip(lg_unpacker *u);
/* Is this well-formed UTF-8? On success *characters (may be NULL) is how many. */
bool lg_utf8(lg_bytes text, size_t *characters);

#endif
