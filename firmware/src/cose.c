#include "liftgate/cose.h"

#include <string.h>

enum { HEADER_ALG = 1, HEADER_KID = 4, TAG_MAC0 = 17, TAG_SIGN1 = 18, TAG_CWT = 61 };

/* What is ours of one header map. A label twice is refused: two readers of it could see two things. */
static bool read_header(lg_cbor *cursor, int32_t *alg, lg_bytes *kid)
{
    uint64_t pairs;
    bool has_alg = false, has_kid = false;

    if (!lg_cbor_expect(cursor, LG_CBOR_MAP, &pairs))
        return false;
    while (pairs-- > 0) {
        int32_t label = 0;
        bool number = lg_cbor_peek(cursor) <= LG_CBOR_NEGATIVE;
        if (number ? !lg_cbor_int(cursor, &label) : !lg_cbor_skip(cursor))
            return false;
        if (number && label == HEADER_ALG) {
            bool named = lg_cbor_peek(cursor) <= LG_CBOR_NEGATIVE;
            if (has_alg || !(named ? lg_cbor_int(cursor, alg) : lg_cbor_skip(cursor)))
                return false;
            has_alg = true;
        } else if (number && label == HEADER_KID) {
            if (has_kid || !lg_cbor_string(cursor, LG_CBOR_BYTES, kid))
                return false;
            has_kid = true;
        } else if (!lg_cbor_skip(cursor)) {
            return false;
        }
    }
    return true;
}

static bool read_protected(lg_cbor *cursor, lg_cose *out)
{
    lg_cbor inside;
    lg_bytes *header = &out->protected_header;

    if (!lg_cbor_string(cursor, LG_CBOR_BYTES, header))
        return false;
    inside.at = header->data;
    inside.end = header->data + header->n;
    if (header->n == 1 && header->data[0] == 0xA0)
        header->n = 0;
    if (header->n == 0)
        return true;
    return read_header(&inside, &out->alg, &out->kid) && inside.at == inside.end;
}

/* Tags 61, then 17 or 18; `tag` is 0 where there is none. */
static bool read_tags(lg_cbor *cursor, uint64_t *tag)
{
    *tag = 0;
    if (lg_cbor_peek(cursor) == LG_CBOR_TAG && !lg_cbor_expect(cursor, LG_CBOR_TAG, tag))
        return false;
    if (*tag == TAG_CWT &&
        !lg_cbor_expect(cursor, LG_CBOR_TAG, tag)) /* RFC 8392, 6: a tagged message inside */
        return false;
    return *tag == 0 || *tag == TAG_MAC0 || *tag == TAG_SIGN1;
}

bool lg_cose_parse(const uint8_t *bytes, size_t length, lg_cose *out)
{
    lg_cbor cursor = {bytes, bytes + length};
    uint64_t tag, parts;

    memset(out, 0, sizeof *out);
    if (!read_tags(&cursor, &tag) || !lg_cbor_expect(&cursor, LG_CBOR_ARRAY, &parts) || parts != 4)
        return false;
    if (!read_protected(&cursor, out) || !read_header(&cursor, &out->alg_open, &out->kid_open))
        return false;
    out->mac = tag == 0 ? out->alg == LG_COSE_HMAC_256_64 : tag == TAG_MAC0;
    return lg_cbor_string(&cursor, LG_CBOR_BYTES, &out->payload) &&
           lg_cbor_string(&cursor, LG_CBOR_BYTES, &out->proof) && cursor.at == cursor.end;
}

typedef struct {
    uint8_t *out;
    size_t size;
    size_t used; /* beyond size: it did not fit */
} writer;

static void put(writer *to, const void *bytes, size_t length)
{
    if (to->used <= to->size && length <= to->size - to->used && length > 0)
        memcpy(to->out + to->used, bytes, length);
    to->used = to->used <= to->size && length <= to->size - to->used ? to->used + length : to->size + 1;
}

static void put_string(writer *to, uint8_t major, const void *bytes, size_t length)
{
    uint8_t head[3] = {(uint8_t)(major << 5), 0, 0};
    size_t heads = 1;

    if (length < 24) {
        head[0] |= (uint8_t)length;
    } else if (length < 256) {
        head[0] |= 24;
        head[1] = (uint8_t)length;
        heads = 2;
    } else { /* up to 65535: a token is 512 at most */
        head[0] |= 25;
        head[1] = (uint8_t)(length >> 8);
        head[2] = (uint8_t)length;
        heads = 3;
    }
    put(to, head, heads);
    put(to, bytes, length);
}

size_t lg_cose_signed_bytes(const lg_cose *cose, lg_bytes external_aad, uint8_t *out, size_t size)
{
    static const uint8_t four = LG_CBOR_ARRAY << 5 | 4;
    const char *context = cose->mac ? "MAC0" : "Signature1";
    writer to = {out, size, 0};

    put(&to, &four, 1);
    put_string(&to, LG_CBOR_TEXT, context, strlen(context));
    put_string(&to, LG_CBOR_BYTES, cose->protected_header.data, cose->protected_header.n);
    put_string(&to, LG_CBOR_BYTES, external_aad.data, external_aad.n);
    put_string(&to, LG_CBOR_BYTES, cose->payload.data, cose->payload.n);
    return to.used <= size ? to.used : 0;
}
