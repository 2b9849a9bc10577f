/* What a received body must look like: one table of messages, and one walk through it. */
#include "liftgate/pack.h"
#include "liftgate/wire.h"

/* Single values. */
typedef enum scalar {
    U8, U16, U32, U64, FROM_1, INT, VERDICT, MODE, BOOL, TEXT, CURRENCY, BIN16, BIN32, FRAME_BYTES,
    KIND, WHAT, BARRIER, SHORT_TEXT, TOKEN, ROLE /* of what a reader sends */
} scalar;

typedef struct limits {
    uint8_t kind; /* lg_item_kind; limits are of a number's value, a text's characters, else of bytes */
    uint16_t low;
    uint32_t high; /* 0: no limit */
} limits;

enum { ANY = 0 };

static const limits limits_of[] = {
    [U8] = {LG_ITEM_UINT, 0, UINT8_MAX},
    [U16] = {LG_ITEM_UINT, 0, UINT16_MAX},
    [U32] = {LG_ITEM_UINT, 0, UINT32_MAX},
    [U64] = {LG_ITEM_UINT, 0, ANY},
    [FROM_1] = {LG_ITEM_UINT, 1, ANY},
    [INT] = {LG_ITEM_NEGATIVE, 0, ANY}, /* of either sign */
    [VERDICT] = {LG_ITEM_UINT, LG_OPEN, LG_PAY_FIRST},
    [MODE] = {LG_ITEM_UINT, LG_NORMAL, LG_KNOWN_ONLY},
    [BOOL] = {LG_ITEM_BOOL, 0, 1},
    [TEXT] = {LG_ITEM_STR, 0, 512},
    [CURRENCY] = {LG_ITEM_STR, 0, 3},
    [BIN16] = {LG_ITEM_BIN, 16, 16},
    [BIN32] = {LG_ITEM_BIN, 32, 32},
    [FRAME_BYTES] = {LG_ITEM_UINT, 64, 65536},
#ifdef LG_CHECK_ALL
    [KIND] = {LG_ITEM_UINT, LG_QR, LG_PLATE},
    [WHAT] = {LG_ITEM_UINT, LG_PASSED, LG_FORCED},
    [BARRIER] = {LG_ITEM_UINT, LG_DOWN, LG_BARRIER_FAULT},
    [SHORT_TEXT] = {LG_ITEM_STR, 0, 64},
    [TOKEN] = {LG_ITEM_BIN, 0, LG_TOKEN_BYTES_MAX},
    [ROLE] = {LG_ITEM_UINT, 1, 2},
#endif
};

typedef enum shape { ONE, ONE_OR_NIL, PAIR_OR_NIL, LIST, LIST_OF_PAIRS, MAP } shape;

typedef struct field {
    uint8_t shape, first, second; /* scalars; the second of a pair */
} field;

#define ONE_OF(a) {ONE, a, 0}
#define MAYBE(a) {ONE_OR_NIL, a, 0}

static const field challenge[] = {ONE_OF(BIN16), ONE_OF(TEXT), ONE_OF(U64)};
static const field welcome[] = {ONE_OF(BIN32), ONE_OF(U64), {LIST_OF_PAIRS, U64, U64}, ONE_OF(FROM_1),
                                ONE_OF(FRAME_BYTES), ONE_OF(FROM_1), ONE_OF(U64)};
static const field decision[] = {ONE_OF(U64), ONE_OF(VERDICT), ONE_OF(U16), MAYBE(BIN16), MAYBE(TEXT),
                                 ONE_OF(TEXT), {PAIR_OR_NIL, INT, CURRENCY}, ONE_OF(U8), ONE_OF(U64)};
static const field ack[] = {ONE_OF(U64), ONE_OF(U64)};
static const field replayed[] = {ONE_OF(U64), {LIST_OF_PAIRS, U64, U64}, {LIST_OF_PAIRS, U64, U16},
                                 ONE_OF(U64), ONE_OF(U32)};
static const field vend[] = {ONE_OF(U8), ONE_OF(TEXT)};
static const field set_lane[] = {ONE_OF(U8), ONE_OF(MODE)};
static const field display[] = {ONE_OF(U8), ONE_OF(TEXT), ONE_OF(U16)};
static const field policy[] = {{LIST_OF_PAIRS, TEXT, BIN32}, {LIST, BIN32, 0}, {MAP, 0, 0}};
static const field time_ask[] = {ONE_OF(U64)};
static const field time_told[] = {ONE_OF(U64), ONE_OF(U64), ONE_OF(U64)};
static const field goodbye[] = {ONE_OF(TEXT)};
static const field error[] = {ONE_OF(U16), ONE_OF(TEXT), ONE_OF(BOOL)};
#ifdef LG_CHECK_ALL /* what a reader sends: for tests and for who writes an engine */
static const field hello[] = {ONE_OF(ROLE),  ONE_OF(SHORT_TEXT), ONE_OF(FROM_1), {LIST, U8, 0},
                              ONE_OF(BIN16), ONE_OF(SHORT_TEXT), ONE_OF(U32)};
static const field auth[] = {ONE_OF(BIN32)};
static const field scan[] = {ONE_OF(FROM_1), ONE_OF(U64), ONE_OF(U8), ONE_OF(KIND), ONE_OF(TOKEN)};
static const field passage[] = {ONE_OF(FROM_1), ONE_OF(U64), ONE_OF(U8), ONE_OF(WHAT), MAYBE(BIN16)};
static const field lane_status[] = {ONE_OF(FROM_1),  ONE_OF(U64),  ONE_OF(U8),
                                    ONE_OF(BARRIER), ONE_OF(BOOL), {LIST, SHORT_TEXT, 0}};
static const field done[] = {ONE_OF(BOOL), ONE_OF(TEXT)};
#endif

#define FIELDS(of) sizeof of / sizeof *of, of

static const struct message {
    uint8_t type, count;
    const field *fields;
} messages[] = {
    {LG_DECISION, FIELDS(decision)},
    {LG_ACK, FIELDS(ack)},
    {LG_CHALLENGE, FIELDS(challenge)},
    {LG_WELCOME, FIELDS(welcome)},
    {LG_REPLAYED, FIELDS(replayed)},
    {LG_VEND, FIELDS(vend)},
    {LG_SET_LANE, FIELDS(set_lane)},
    {LG_DISPLAY, FIELDS(display)},
    {LG_POLICY, FIELDS(policy)},
    {LG_TIME_ASK, FIELDS(time_ask)},
    {LG_TIME, FIELDS(time_told)},
    {LG_PING, 0, NULL},
    {LG_PONG, 0, NULL},
    {LG_GOODBYE, FIELDS(goodbye)},
    {LG_ERROR, FIELDS(error)},
#ifdef LG_CHECK_ALL
    {LG_HELLO, FIELDS(hello)},
    {LG_AUTH, FIELDS(auth)},
    {LG_SCAN, FIELDS(scan)},
    {LG_PASSAGE, FIELDS(passage)},
    {LG_LANE_STATUS, FIELDS(lane_status)},
    {LG_DONE, FIELDS(done)},
#endif
};

static bool scalar_fits(const lg_item *item, uint8_t which)
{
    const limits *l = &limits_of[which];
    if (l->kind == LG_ITEM_NEGATIVE)
        return item->kind == LG_ITEM_NEGATIVE || (item->kind == LG_ITEM_UINT && item->number <= INT64_MAX);
    if (item->kind != (lg_item_kind)l->kind)
        return false;
    size_t length = item->bytes.n;
    if (item->kind == LG_ITEM_STR && !lg_utf8(item->bytes, &length))
        return false;
    uint64_t value = item->kind == LG_ITEM_STR || item->kind == LG_ITEM_BIN ? length : item->number;
    return value >= l->low && (l->high == ANY || value <= l->high);
}

static bool take_scalar(lg_unpacker *u, uint8_t which)
{
    lg_item item;
    return lg_unpack(u, &item) == LG_OK && scalar_fits(&item, which);
}

static bool take_pair(lg_unpacker *u, const lg_item *head, const field *f)
{
    bool pair = head->kind == LG_ITEM_ARRAY && head->number == 2;
    return pair && take_scalar(u, f->first) && take_scalar(u, f->second);
}

static bool take_list(lg_unpacker *u, const lg_item *head, const field *f)
{
    bool good = head->kind == LG_ITEM_ARRAY;
    for (uint64_t i = 0; good && i < head->number; i++) {
        lg_item item;
        good = lg_unpack(u, &item) == LG_OK &&
               (f->shape == LIST ? scalar_fits(&item, f->first) : take_pair(u, &item, f));
    }
    return good;
}

static bool take_field(lg_unpacker *u, const field *f)
{
    lg_unpacker begin = *u;
    lg_item item;
    if (lg_unpack(u, &item) != LG_OK)
        return false;
    bool nil = item.kind == LG_ITEM_NIL;
    switch ((shape)f->shape) {
    case ONE:
        return scalar_fits(&item, f->first);
    case ONE_OR_NIL:
        return nil || scalar_fits(&item, f->first);
    case PAIR_OR_NIL:
        return nil || take_pair(u, &item, f);
    case LIST:
    case LIST_OF_PAIRS:
        return take_list(u, &item, f);
    case MAP:
        *u = begin;
        return item.kind == LG_ITEM_MAP && lg_unpack_skip(u) == LG_OK;
    }
    return false;
}

static lg_fault check_fields(lg_unpacker *u, uint64_t given, const struct message *m)
{
    if (given < m->count)
        return LG_FAULT_FIELD;
    for (size_t i = 0; i < m->count; i++)
        if (!take_field(u, &m->fields[i]))
            return LG_FAULT_FIELD;
    return LG_FAULT_NONE; /* what is appended was walked over before, as a whole */
}

lg_fault lg_body_check(uint8_t type, lg_bytes body)
{
    lg_unpacker u;
    lg_item head;
    lg_unpack_begin(&u, body);
    if (lg_unpack_skip(&u) != LG_OK || u.at != u.end)
        return LG_FAULT_BODY;
    lg_unpack_begin(&u, body);
    if (lg_unpack(&u, &head) != LG_OK || head.kind != LG_ITEM_ARRAY)
        return LG_FAULT_BODY;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (messages[i].type == type)
            return check_fields(&u, head.number, &messages[i]);
    return LG_FAULT_TYPE;
}
