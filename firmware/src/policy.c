/* Contents of the store: [SHA-256 of the body][hours, entries, keys, denied, known: u32][cards, length of
 * lot][lot], then the records of keys [length of kid][kid][key], of the denied and of the known. */
#include "liftgate/policy.h"

#include <string.h>

#include "bytes.h"
#include "liftgate/pack.h"

enum {
    KEY_BYTES = 32,
    COUNTS = 5,
    COUNTS_AT = LG_DIGEST_BYTES,
    CARDS_AT = COUNTS_AT + 4 * COUNTS,
    LOT_AT = CARDS_AT + 2,
    HEAD_BYTES = LOT_AT + LG_LOT_BYTES_MAX,
    KID_RECORD = 1 + LG_KID_TEXT_MAX,
    KEY_RECORD = KID_RECORD + KEY_BYTES
};

/* A policy as it came: its head, and where its lists begin in the body. */
typedef struct incoming {
    lg_policy head;
    lg_unpacker keys, denied, known;
} incoming;

static bool take_kind(lg_unpacker *u, lg_item_kind kind, lg_item *item)
{
    return lg_unpack(u, item) == LG_OK && item->kind == kind;
}

static bool take_bytes(lg_unpacker *u, size_t n, lg_item *item)
{
    return take_kind(u, LG_ITEM_BIN, item) && item->bytes.n == n;
}

static bool take_u32(lg_unpacker *u, uint32_t *out)
{
    lg_item item;

    if (!take_kind(u, LG_ITEM_UINT, &item))
        return false;
    *out = item.number < UINT32_MAX ? (uint32_t)item.number : UINT32_MAX;
    return true;
}

/* A list of byte strings of one size; where its first one stands, and how many there are. */
static bool take_list(lg_unpacker *u, size_t n, lg_unpacker *first, uint32_t *count)
{
    lg_item item;

    if (!take_kind(u, LG_ITEM_ARRAY, &item))
        return false;
    *first = *u;
    *count = (uint32_t)item.number; /* no more than there are bytes in the frame: lg_unpack saw to that */
    for (uint32_t i = 0; i < *count; i++)
        if (!take_bytes(u, n, &item))
            return false;
    return true;
}

static bool take_key(lg_unpacker *u, lg_bytes *kid, lg_bytes *key)
{
    lg_item item;

    if (!take_kind(u, LG_ITEM_ARRAY, &item) || item.number != 2)
        return false;
    if (!take_kind(u, LG_ITEM_STR, &item) || item.bytes.n == 0 || item.bytes.n > LG_KID_TEXT_MAX)
        return false;
    *kid = item.bytes;
    if (!take_bytes(u, KEY_BYTES, &item))
        return false;
    *key = item.bytes;
    return true;
}

static bool take_keys(lg_unpacker *u, incoming *to)
{
    lg_item item;
    lg_bytes kid, key;

    if (!take_kind(u, LG_ITEM_ARRAY, &item))
        return false;
    to->keys = *u;
    to->head.keys = (uint32_t)item.number;
    for (uint32_t i = 0; i < to->head.keys; i++)
        if (!take_key(u, &kid, &key))
            return false;
    return true;
}

static bool is(lg_bytes text, const char *word)
{
    return text.n == strlen(word) && memcmp(text.data, word, text.n) == 0;
}

static bool take_cards(lg_unpacker *u, uint8_t *cards)
{
    lg_item item;

    if (!take_kind(u, LG_ITEM_STR, &item))
        return false;
    /* A word that this library does not know yet lets nobody in by card. */
    *cards = is(item.bytes, "open") ? LG_CARDS_OPEN : is(item.bytes, "known") ? LG_CARDS_KNOWN : LG_CARDS_OFF;
    return true;
}

static bool take_lot(lg_unpacker *u, lg_policy *head)
{
    lg_item item;

    if (!take_kind(u, LG_ITEM_STR, &item) || item.bytes.n > LG_LOT_BYTES_MAX)
        return false;
    head->lot_bytes = (uint8_t)item.bytes.n;
    memcpy(head->lot, item.bytes.data, item.bytes.n);
    return true;
}

static bool take_limits(lg_unpacker *u, incoming *to)
{
    lg_item pairs, name;

    if (!take_kind(u, LG_ITEM_MAP, &pairs))
        return false;
    for (uint64_t i = 0; i < pairs.number; i++) {
        bool good;
        if (!take_kind(u, LG_ITEM_STR, &name))
            return false;
        if (is(name.bytes, "hours"))
            good = take_u32(u, &to->head.hours);
        else if (is(name.bytes, "entries"))
            good = take_u32(u, &to->head.entries);
        else if (is(name.bytes, "lot"))
            good = take_lot(u, &to->head);
        else if (is(name.bytes, "cards"))
            good = take_cards(u, &to->head.cards);
        else if (is(name.bytes, "known"))
            good = take_list(u, LG_KNOWN_BYTES, &to->known, &to->head.known);
        else
            good = lg_unpack_skip(u) == LG_OK;
        if (!good)
            return false;
    }
    return true;
}

static bool take_body(lg_bytes body, incoming *to)
{
    lg_unpacker u;
    lg_item item;

    memset(to, 0, sizeof *to);
    lg_unpack_begin(&u, body);
    return take_kind(&u, LG_ITEM_ARRAY, &item) && item.number >= 3 && take_keys(&u, to) &&
           take_list(&u, LG_DIGEST_BYTES, &to->denied, &to->head.denied) && take_limits(&u, to);
}

static lg_result put_head(lg_store *store, const lg_policy *head, const uint8_t *digest)
{
    uint8_t bytes[HEAD_BYTES] = {0};
    const uint32_t counts[COUNTS] = {head->hours, head->entries, head->keys, head->denied, head->known};

    memcpy(bytes, digest, LG_DIGEST_BYTES);
    for (size_t i = 0; i < COUNTS; i++)
        lg_store32(bytes + COUNTS_AT + 4 * i, counts[i]);
    bytes[CARDS_AT] = head->cards;
    bytes[CARDS_AT + 1] = head->lot_bytes;
    memcpy(bytes + LOT_AT, head->lot, LG_LOT_BYTES_MAX);
    return lg_store_put(store, bytes, sizeof bytes);
}

static lg_result put_keys(lg_store *store, incoming *from)
{
    uint8_t kid_record[KID_RECORD];
    lg_bytes kid = {NULL, 0}, key = {NULL, 0};
    lg_result result = LG_OK;

    for (uint32_t i = 0; result == LG_OK && i < from->head.keys && take_key(&from->keys, &kid, &key); i++) {
        memset(kid_record, 0, sizeof kid_record);
        kid_record[0] = (uint8_t)kid.n;
        memcpy(kid_record + 1, kid.data, kid.n);
        result = lg_store_put(store, kid_record, sizeof kid_record);
        if (result == LG_OK)
            result = lg_store_put(store, key.data, KEY_BYTES);
    }
    return result;
}

static lg_result put_list(lg_store *store, lg_unpacker u, size_t n, uint32_t count)
{
    lg_item item;
    lg_result result = LG_OK;

    for (uint32_t i = 0; result == LG_OK && i < count && take_bytes(&u, n, &item); i++)
        result = lg_store_put(store, item.bytes.data, n);
    return result;
}

lg_result lg_policy_take(lg_policy *policy, lg_store *store, const lg_crypto *crypto, lg_bytes body,
                         const uint8_t mark[LG_MARK_BYTES])
{
    incoming from;
    uint8_t digest[LG_DIGEST_BYTES], kept[LG_DIGEST_BYTES];
    lg_result result;

    if (!take_body(body, &from))
        return LG_REFUSED;
    if (crypto->sha256(crypto->context, &body, 1, digest) != LG_OK)
        return LG_CRYPTO_FAULT;
    /* It comes again with every sign-on: flash is for what is new. */
    if (lg_store_read(store, 0, kept, sizeof kept) == LG_OK && memcmp(kept, digest, sizeof kept) == 0)
        return lg_policy_load(policy, store);
    result = lg_store_begin(store,
                            HEAD_BYTES + from.head.keys * KEY_RECORD + from.head.denied * LG_DIGEST_BYTES +
                                from.head.known * LG_KNOWN_BYTES,
                            mark);
    if (result == LG_OK)
        result = put_head(store, &from.head, digest);
    if (result == LG_OK)
        result = put_keys(store, &from);
    if (result == LG_OK)
        result = put_list(store, from.denied, LG_DIGEST_BYTES, from.head.denied);
    if (result == LG_OK)
        result = put_list(store, from.known, LG_KNOWN_BYTES, from.head.known);
    if (result == LG_OK)
        result = lg_store_commit(store);
    return result == LG_OK ? lg_policy_load(policy, store) : result;
}

lg_result lg_policy_load(lg_policy *policy, const lg_store *store)
{
    uint8_t bytes[HEAD_BYTES];
    uint32_t *counts[COUNTS] = {&policy->hours, &policy->entries, &policy->keys, &policy->denied,
                                &policy->known};

    memset(policy, 0, sizeof *policy);
    if (store->n == 0)
        return LG_OK;
    if (lg_store_read(store, 0, bytes, sizeof bytes) != LG_OK || bytes[CARDS_AT + 1] > LG_LOT_BYTES_MAX)
        return LG_FLASH_FAULT;
    for (size_t i = 0; i < COUNTS; i++)
        *counts[i] = lg_load32(bytes + COUNTS_AT + 4 * i);
    policy->cards = bytes[CARDS_AT];
    policy->lot_bytes = bytes[CARDS_AT + 1];
    memcpy(policy->lot, bytes + LOT_AT, LG_LOT_BYTES_MAX);
    return LG_OK;
}

lg_result lg_policy_digest(const lg_crypto *crypto, uint8_t kind, lg_bytes identity,
                           uint8_t digest[LG_DIGEST_BYTES])
{
    const lg_bytes parts[2] = {{&kind, 1}, identity};

    return crypto->sha256(crypto->context, parts, 2, digest);
}

/* Is one of `count` records of `size` bytes from `at` the beginning of `wanted`? Read through a small window:
 * a list of hundreds takes some ms on the slowest flash, and nothing in memory. */
static lg_result find(const lg_store *store, uint32_t at, uint32_t count, const uint8_t *wanted,
                      uint32_t size)
{
    uint8_t record[LG_DIGEST_BYTES];

    for (uint32_t i = 0; i < count; i++) {
        if (lg_store_read(store, at + i * size, record, size) != LG_OK)
            return LG_FLASH_FAULT;
        if (memcmp(record, wanted, size) == 0)
            return LG_OK;
    }
    return LG_EMPTY;
}

lg_result lg_policy_denies(const lg_policy *policy, const lg_store *store,
                           const uint8_t digest[LG_DIGEST_BYTES])
{
    return find(store, HEAD_BYTES + policy->keys * KEY_RECORD, policy->denied, digest, LG_DIGEST_BYTES);
}

lg_result lg_policy_knows(const lg_policy *policy, const lg_store *store,
                          const uint8_t digest[LG_DIGEST_BYTES])
{
    uint32_t at = HEAD_BYTES + policy->keys * KEY_RECORD + policy->denied * LG_DIGEST_BYTES;

    return find(store, at, policy->known, digest, LG_KNOWN_BYTES);
}

/* A kid's text is the kid where all of it is printable ASCII, else its lower-case hex. */
static bool kid_is(lg_bytes kid, const uint8_t *text, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    bool printable = true;

    for (size_t i = 0; i < kid.n; i++)
        printable = printable && kid.data[i] >= 0x20 && kid.data[i] < 0x7F;
    if (printable)
        return kid.n == n && memcmp(kid.data, text, n) == 0;
    if (n != 2 * kid.n)
        return false;
    for (size_t i = 0; i < kid.n; i++)
        if (text[2 * i] != digits[kid.data[i] >> 4] || text[2 * i + 1] != digits[kid.data[i] & 15])
            return false;
    return true;
}

lg_result lg_policy_key(const lg_policy *policy, const lg_store *store, lg_bytes kid, uint8_t key[32])
{
    uint8_t record[KID_RECORD];

    for (uint32_t i = 0; i < policy->keys; i++) {
        uint32_t at = HEAD_BYTES + i * KEY_RECORD;
        if (lg_store_read(store, at, record, sizeof record) != LG_OK)
            return LG_FLASH_FAULT;
        if (kid.n > 0 && record[0] <= LG_KID_TEXT_MAX && kid_is(kid, record + 1, record[0]))
            return lg_store_read(store, at + KID_RECORD, key, KEY_BYTES);
    }
    return LG_EMPTY;
}
