/* Frames and MessagePack: the shared vectors byte for byte, and bytes that lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flash_sim.h"
#include "host.h"
#include "liftgate/pack.h"
#include "liftgate/wire.h"

typedef struct vector_item {
    lg_item_kind kind;
    uint64_t number;
    const uint8_t *data;
    size_t n;
} vector_item;

typedef struct good_vector {
    const char *name;
    uint8_t type;
    uint32_t ref;
    const vector_item *items;
    size_t item_count;
    const uint8_t *frame;
    size_t n;
} good_vector;

typedef struct bad_vector {
    const char *name;
    unsigned error;
    const uint8_t *frame;
    size_t n;
} bad_vector;

#include "vectors.h"

enum { GOOD = sizeof good_vectors / sizeof *good_vectors, BAD = sizeof bad_vectors / sizeof *bad_vectors };

static void pack_item(lg_packer *p, const vector_item *item)
{
    switch (item->kind) {
    case LG_ITEM_NIL: lg_pack_nil(p); break;
    case LG_ITEM_BOOL: lg_pack_bool(p, item->number != 0); break;
    case LG_ITEM_UINT: lg_pack_uint(p, item->number); break;
    case LG_ITEM_NEGATIVE: lg_pack_int(p, (int64_t)item->number); break;
    case LG_ITEM_STR: lg_pack_str(p, (const char *)item->data, item->n); break;
    case LG_ITEM_BIN: lg_pack_bin(p, item->data, item->n); break;
    case LG_ITEM_ARRAY: lg_pack_array(p, (uint32_t)item->number); break;
    case LG_ITEM_MAP: lg_pack_map(p, (uint32_t)item->number); break;
    default: fail_msg("no vector has kind %d", (int)item->kind);
    }
}

static void every_good_frame_is_made_byte_for_byte(void **state)
{
    (void)state;
    for (size_t v = 0; v < GOOD; v++) {
        const good_vector *vector = &good_vectors[v];
        uint8_t frame[1024];
        lg_packer p;
        lg_pack_begin(&p, frame + LG_FRAME_HEADER_BYTES, sizeof frame - LG_FRAME_HEADER_BYTES);
        for (size_t i = 0; i < vector->item_count; i++)
            pack_item(&p, &vector->items[i]);
        assert_false(p.too_long);
        assert_int_equal(lg_frame_seal(frame, vector->type, vector->ref, p.n), vector->n);
        assert_memory_equal(frame, vector->frame, vector->n);
    }
}

static void expect_item(const lg_item *item, const vector_item *wanted)
{
    assert_int_equal(item->kind, wanted->kind);
    assert_true(item->number == wanted->number);
    assert_int_equal(item->bytes.n, wanted->n);
    if (wanted->n)
        assert_memory_equal(item->bytes.data, wanted->data, wanted->n);
}

/* An exact copy, so that the sanitizer sees a read beyond its end. */
static uint8_t *exact(const uint8_t *data, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    assert_non_null(copy);
    memcpy(copy, data, n);
    return copy;
}

static void every_good_frame_is_accepted_and_read_back(void **state)
{
    (void)state;
    for (size_t v = 0; v < GOOD; v++) {
        const good_vector *vector = &good_vectors[v];
        uint8_t *bytes = exact(vector->frame, vector->n);
        uint32_t body_bytes = 0;
        lg_frame frame;
        lg_unpacker u;
        assert_int_equal(lg_frame_header(bytes, 4096, &body_bytes), LG_FAULT_NONE);
        assert_int_equal(body_bytes + LG_FRAME_HEADER_BYTES, vector->n);
        assert_int_equal(lg_frame_open(bytes, &frame), LG_FAULT_NONE);
        assert_int_equal(frame.type, vector->type);
        assert_int_equal(frame.ref, vector->ref);
        lg_unpack_begin(&u, frame.body);
        for (size_t i = 0; i < vector->item_count; i++) {
            lg_item item;
            assert_int_equal(lg_unpack(&u, &item), LG_OK);
            expect_item(&item, &vector->items[i]);
        }
        assert_ptr_equal(u.at, u.end);
        /* a REPLAY is for engines, its walk too */
        bool readers = vector->type < 0x40 && vector->type != LG_REPLAY;
        assert_int_equal(lg_body_check(frame.type, frame.body), readers ? LG_FAULT_NONE : LG_FAULT_TYPE);
        free(bytes);
    }
}

static bool is_request(uint8_t type)
{
    return type == LG_HELLO || type == LG_AUTH ||
           (type >= LG_SCAN && type <= LG_REPLAY && type != LG_DECISION);
}

static lg_fault judge(const uint8_t *bytes, size_t n)
{
    uint32_t body_bytes = 0;
    lg_frame frame;
    lg_fault fault = lg_frame_header(bytes, 4096, &body_bytes);
    if (fault != LG_FAULT_NONE)
        return fault;
    assert_int_equal(body_bytes + LG_FRAME_HEADER_BYTES, n);
    fault = lg_frame_open(bytes, &frame);
    if (fault == LG_FAULT_NONE)
        fault = lg_body_check(frame.type, frame.body);
    return fault == LG_FAULT_NONE && frame.ref == 0 && is_request(frame.type) ? LG_FAULT_FIELD : fault;
}

static void every_bad_frame_gets_its_error(void **state)
{
    (void)state;
    for (size_t v = 0; v < BAD; v++) {
        uint8_t *bytes = exact(bad_vectors[v].frame, bad_vectors[v].n);
        if (judge(bytes, bad_vectors[v].n) != (lg_fault)bad_vectors[v].error)
            fail_msg("%s: %d", bad_vectors[v].name, (int)judge(bytes, bad_vectors[v].n));
        free(bytes);
    }
}

/* Any end, any bit: a body cut short or changed is refused or read, never read beyond. */
static void no_change_of_a_good_body_is_read_beyond_its_end(void **state)
{
    (void)state;
    uint64_t random = 5;
    for (size_t v = 0; v < GOOD; v++) {
        const good_vector *vector = &good_vectors[v];
        size_t n = vector->n - LG_FRAME_HEADER_BYTES;
        for (size_t keep = 0; keep <= n; keep++)
            for (unsigned change = 0; change < 20; change++) {
                uint8_t *body = exact(vector->frame + LG_FRAME_HEADER_BYTES, keep);
                if (change && keep)
                    body[sim_random(&random) % keep] = (uint8_t)sim_random(&random);
                lg_bytes bytes = {body, keep};
                lg_fault fault = lg_body_check(vector->type, bytes);
                assert_true(keep == n || change || fault == LG_FAULT_BODY);
                free(body);
            }
    }
}

static void the_crc_is_the_one_of_zlib(void **state)
{
    (void)state;
    const uint8_t *digits = (const uint8_t *)"123456789";
    assert_true(lg_crc32(0, digits, 9) == 0xCBF43926u);
    assert_true(lg_crc32(lg_crc32(0, digits, 4), digits + 4, 5) == 0xCBF43926u);
}

static void the_sign_on_macs_are_those_of_the_vectors(void **state)
{
    (void)state;
    const lg_crypto *crypto = host_crypto();
    const char *sides[] = {"liftgate-1 client", "liftgate-1 engine"};
    const lg_bytes *wanted[] = {&sign_on_client_mac, &sign_on_engine_mac};
    for (size_t i = 0; i < 2; i++) {
        uint8_t mac[32];
        lg_bytes parts[] = {
            {(const uint8_t *)sides[i], strlen(sides[i])}, sign_on_hello_body, sign_on_challenge_body};
        assert_int_equal(crypto->hmac_sha256(NULL, sign_on_key, parts, 3, mac), LG_OK);
        assert_memory_equal(mac, wanted[i]->data, 32);
    }
}

static void every_width_of_every_kind_is_written_in_its_smallest_form_and_read_back(void **state)
{
    (void)state;
    static const int64_t numbers[] = {
        0,  127, 128, 255,  256,  65535,  65536,  4294967295,    4294967296,    INT64_MAX,
        -1, -32, -33, -128, -129, -32768, -32769, -2147483648LL, -2147483649LL, INT64_MIN};
    static const size_t widths[] = {1, 1, 2, 2, 3, 3, 5, 5, 9, 9, 1, 1, 2, 2, 3, 3, 5, 5, 9, 9};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t out[9];
        lg_packer p;
        lg_unpacker u;
        lg_item item;
        lg_pack_begin(&p, out, sizeof out);
        lg_pack_int(&p, numbers[i]);
        assert_int_equal(p.n, widths[i]);
        lg_bytes bytes = {out, p.n};
        lg_unpack_begin(&u, bytes);
        assert_int_equal(lg_unpack(&u, &item), LG_OK);
        assert_true((int64_t)item.number == numbers[i]);
        assert_int_equal(item.kind, numbers[i] < 0 ? LG_ITEM_NEGATIVE : LG_ITEM_UINT);
    }
}

static void what_does_not_fit_is_not_written_at_all(void **state)
{
    (void)state;
    uint8_t out[8];
    lg_packer p;
    lg_pack_begin(&p, out, sizeof out);
    lg_pack_str(&p, "12345678", 8);
    assert_true(p.too_long);
    lg_pack_nil(&p);
    assert_true(p.too_long && p.n <= sizeof out);
}

static bool good_text(const char *text)
{
    lg_bytes bytes = {(const uint8_t *)text, strlen(text)};
    return lg_utf8(bytes, NULL);
}

static void only_well_formed_text_is_text(void **state)
{
    (void)state;
    assert_true(good_text("Gr\xC3\xBC\xC3\x9F" "e \xE2\x82\xAC \xF0\x9F\x9A\x97"));
    assert_false(good_text("\xC3"));             /* cut short */
    assert_false(good_text("\x80"));             /* begins in the middle */
    assert_false(good_text("\xC0\xAF"));         /* too wide a form */
    assert_false(good_text("\xED\xA0\x80"));     /* half of a pair */
    assert_false(good_text("\xF4\x90\x80\x80")); /* beyond the last character */
}

static void sixteen_levels_are_read_and_seventeen_are_not(void **state)
{
    (void)state;
    for (size_t depth = 16; depth <= 17; depth++) {
        uint8_t body[17];
        memset(body, 0x91, depth);
        body[depth - 1] = 0x90;
        lg_bytes bytes = {body, depth};
        assert_int_equal(lg_body_check(0x7F, bytes), depth == 16 ? LG_FAULT_TYPE : LG_FAULT_BODY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_good_frame_is_made_byte_for_byte),
        cmocka_unit_test(every_good_frame_is_accepted_and_read_back),
        cmocka_unit_test(every_bad_frame_gets_its_error),
        cmocka_unit_test(no_change_of_a_good_body_is_read_beyond_its_end),
        cmocka_unit_test(the_crc_is_the_one_of_zlib),
        cmocka_unit_test(the_sign_on_macs_are_those_of_the_vectors),
        cmocka_unit_test(every_width_of_every_kind_is_written_in_its_smallest_form_and_read_back),
        cmocka_unit_test(what_does_not_fit_is_not_written_at_all),
        cmocka_unit_test(only_well_formed_text_is_text),
        cmocka_unit_test(sixteen_levels_are_read_and_seventeen_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
