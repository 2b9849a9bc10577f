#include "liftgate/cbor.h"

int lg_cbor_peek(const lg_cbor *cursor)
{
    return cursor->at == cursor->end ? -1 : *cursor->at >> 5;
}

static size_t left(const lg_cbor *cursor)
{
    return (size_t)(cursor->end - cursor->at);
}

bool lg_cbor_head(lg_cbor *cursor, uint8_t *major, uint64_t *argument)
{
    uint8_t info;
    size_t follow;

    if (left(cursor) == 0)
        return false;
    *major = (uint8_t)(*cursor->at >> 5);
    info = *cursor->at++ & 0x1F;
    *argument = info;
    if (info < 24)
        return true;
    if (info > 27) /* 28-30 mean nothing; 31 is an indefinite length, which no ticket has */
        return false;
    follow = (size_t)1 << (info - 24);
    if (left(cursor) < follow)
        return false;
    *argument = 0;
    while (follow-- > 0)
        *argument = *argument << 8 | *cursor->at++;
    return true;
}

bool lg_cbor_expect(lg_cbor *cursor, uint8_t major, uint64_t *argument)
{
    uint8_t found;

    if (!lg_cbor_head(cursor, &found, argument) || found != major)
        return false;
    if (major == LG_CBOR_ARRAY)
        return *argument <= left(cursor);
    return major != LG_CBOR_MAP || *argument <= left(cursor) / 2;
}

bool lg_cbor_string(lg_cbor *cursor, uint8_t major, lg_bytes *out)
{
    uint64_t length;

    if (!lg_cbor_expect(cursor, major, &length) || length > left(cursor))
        return false;
    out->data = cursor->at;
    out->n = (size_t)length;
    cursor->at += out->n;
    return true;
}

bool lg_cbor_int(lg_cbor *cursor, int32_t *out)
{
    uint8_t major;
    uint64_t argument;

    if (!lg_cbor_head(cursor, &major, &argument) || major > LG_CBOR_NEGATIVE || argument > INT32_MAX)
        return false;
    *out = major == LG_CBOR_UINT ? (int32_t)argument : -1 - (int32_t)argument;
    return true;
}

bool lg_cbor_skip(lg_cbor *cursor)
{
    uint64_t open =
        1; /* items still to come; each is a byte at least, so this never grows beyond the bytes left */

    while (open > 0) {
        uint8_t major;
        uint64_t argument, inside = 0;

        if (open > left(cursor) || !lg_cbor_head(cursor, &major, &argument))
            return false;
        open--;
        if (major == LG_CBOR_BYTES || major == LG_CBOR_TEXT) {
            if (argument > left(cursor))
                return false;
            cursor->at += (size_t)argument;
        } else if (major == LG_CBOR_ARRAY || major == LG_CBOR_MAP) {
            if (argument > left(cursor))
                return false;
            inside = major == LG_CBOR_MAP ? 2 * argument : argument;
        } else if (major == LG_CBOR_TAG) {
            inside = 1;
        }
        open += inside;
    }
    return true;
}
