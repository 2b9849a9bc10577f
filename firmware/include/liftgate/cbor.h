/* A reader of what tickets need of CBOR (RFC 8949): definite lengths only, no floats looked into.
 *
 * Every function moves the cursor behind what it read and returns true, or returns false where the bytes are
 * not that; a cursor is of no use after false. Nothing is copied: lg_bytes point into the bytes that were
 * given. */
#ifndef LIFTGATE_CBOR_H
#define LIFTGATE_CBOR_H

#include "liftgate/port.h"

typedef struct lg_cbor {
    const uint8_t *at;
    const uint8_t *end;
} lg_cbor;

enum {
    LG_CBOR_UINT = 0,
    LG_CBOR_NEGATIVE = 1,
    LG_CBOR_BYTES = 2,
    LG_CBOR_TEXT = 3,
    LG_CBOR_ARRAY = 4,
    LG_CBOR_MAP = 5,
    LG_CBOR_TAG = 6,
    LG_CBOR_SIMPLE = 7
};

/* The next item's major type without reading it, or -1 at the end. */
int lg_cbor_peek(const lg_cbor *cursor);

/* An item's head: `argument` is the value, the length, the count or the tag. */
bool lg_cbor_head(lg_cbor *cursor, uint8_t *major, uint64_t *argument);

/* A head of this major type; for arrays and maps `argument` is no more than what the bytes left could hold.
 */
bool lg_cbor_expect(lg_cbor *cursor, uint8_t major, uint64_t *argument);

/* A byte string or a text (`major` says which). */
bool lg_cbor_string(lg_cbor *cursor, uint8_t major, lg_bytes *out);

/* An integer from -2^31 to 2^31-1. */
bool lg_cbor_int(lg_cbor *cursor, int32_t *out);

/* One item, whatever it is, with all that is in it. No recursion: depth costs nothing. */
bool lg_cbor_skip(lg_cbor *cursor);

#endif
