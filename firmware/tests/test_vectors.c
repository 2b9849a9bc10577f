/* The published vectors of everything that credentials stand on: RFC 8032, 4493, 8392, 9052, NXP AN12196. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "credential_vectors.h"
#include "crypto_mbedtls.h"
#include "liftgate/cose.h"
#include "liftgate/ntag424.h"
#include "liftgate/ticket.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct {
    uint8_t bytes[512];
    size_t n;
} buffer;

static buffer hex(const char *text)
{
    buffer out = {{0}, 0};

    for (; *text != '\0'; text += 2) {
        char digits[3] = {text[0], text[1], '\0'};
        assert_true(out.n < sizeof out.bytes);
        out.bytes[out.n++] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return out;
}

static lg_bytes all(const buffer *from)
{
    return (lg_bytes){from->bytes, from->n};
}

static lg_crypto crypto(void)
{
    lg_crypto made = {0};

    crypto_mbedtls(&made);
    return made;
}

static void ed25519_signatures_hold_and_fail_when_a_bit_is_changed(void **state)
{
    lg_crypto port = crypto();

    (void)state;
    for (size_t i = 0; i < COUNT(ed25519_rfc8032); i++) {
        buffer key = hex(ed25519_rfc8032[i].public_key), message = hex(ed25519_rfc8032[i].message);
        buffer signature = hex(ed25519_rfc8032[i].signature);
        assert_int_equal(port.ed25519_verify(NULL, key.bytes, all(&message), signature.bytes), LG_OK);
        signature.bytes[i] ^= 1;
        assert_int_equal(port.ed25519_verify(NULL, key.bytes, all(&message), signature.bytes), LG_REFUSED);
    }
}

static void aes_cmac_is_that_of_the_rfc(void **state)
{
    lg_crypto port = crypto();
    buffer key = hex(aes_cmac_rfc4493_key);

    (void)state;
    for (size_t i = 0; i < COUNT(aes_cmac_rfc4493); i++) {
        buffer message = hex(aes_cmac_rfc4493[i].message), mac = hex(aes_cmac_rfc4493[i].mac);
        uint8_t made[16];
        assert_int_equal(port.aes128_cmac(NULL, key.bytes, all(&message), made), LG_OK);
        assert_memory_equal(made, mac.bytes, mac.n);
    }
}

/* As a verifier of both algorithms would, which a reader is not: that one takes EdDSA alone. */
static bool cose_holds(const lg_cose *cose, const char *x, const char *y, lg_bytes aad,
                       const char *signed_bytes)
{
    lg_crypto port = crypto();
    buffer key = hex(x), rest = hex(y == NULL ? "" : y), over = {{0}, 0};
    int32_t alg = cose->alg != LG_COSE_ALG_NONE ? cose->alg : cose->alg_open;

    over.n = lg_cose_signed_bytes(cose, aad, over.bytes, sizeof over.bytes);
    assert_true(over.n > 0);
    if (signed_bytes != NULL) {
        buffer wanted = hex(signed_bytes);
        assert_int_equal(over.n, wanted.n);
        assert_memory_equal(over.bytes, wanted.bytes, wanted.n);
    }
    if (cose->mac || cose->proof.n != 64)
        return false;
    memcpy(key.bytes + key.n, rest.bytes, rest.n);
    if (alg == LG_COSE_EDDSA)
        return port.ed25519_verify(NULL, key.bytes, all(&over), cose->proof.data) == LG_OK;
    return alg == LG_COSE_ES256 && port.es256_verify(NULL, key.bytes, all(&over), cose->proof.data) == LG_OK;
}

static void cose_messages_hold_where_they_should_and_nowhere_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cose_sign1); i++) {
        const struct cose_sign1 *vector = &cose_sign1[i];
        buffer bytes = hex(vector->cose_sign1), aad = hex(vector->external_aad);
        bool valid = strcmp(vector->expect, "valid") == 0;
        lg_cose cose;
        bool holds =
            lg_cose_parse(bytes.bytes, bytes.n, &cose) &&
            cose_holds(&cose, vector->key_x, vector->key_y, all(&aad), valid ? vector->sig_structure : NULL);
        if (holds != valid)
            fail_msg("%s", vector->name);
    }
}

static void mac_holds(const lg_cose *cose, const struct cwt_rfc8392 *vector)
{
    lg_crypto port = crypto();
    buffer key = hex(vector->key_k), wanted = hex(vector->mac_structure), over = {{0}, 0};
    lg_bytes part;
    uint8_t mac[32];

    over.n = lg_cose_signed_bytes(cose, (lg_bytes){NULL, 0}, over.bytes, sizeof over.bytes);
    assert_int_equal(over.n, wanted.n);
    assert_memory_equal(over.bytes, wanted.bytes, wanted.n);
    part = all(&over);
    assert_int_equal(port.hmac_sha256(NULL, all(&key), &part, 1, mac), LG_OK);
    assert_int_equal(cose->proof.n, 8);
    assert_memory_equal(mac, cose->proof.data, 8);
}

static void cwts_hold_where_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cwt_rfc8392); i++) {
        const struct cwt_rfc8392 *vector = &cwt_rfc8392[i];
        buffer token = hex(vector->token), claims = hex(cwt_rfc8392_claims_cbor);
        lg_cose cose;

        assert_true(lg_cose_parse(token.bytes, token.n, &cose));
        if (cose.mac) {
            mac_holds(&cose, vector);
        } else {
            bool valid = strcmp(vector->expect, "signature valid") == 0;
            bool holds =
                cose_holds(&cose, vector->key_x, vector->key_y, (lg_bytes){NULL, 0}, vector->sig_structure);
            assert_int_equal(holds, valid);
            if (!valid)
                continue;
        }
        assert_int_equal(cose.payload.n, claims.n);
        assert_memory_equal(cose.payload.data, claims.bytes, claims.n);
    }
}

static void a_cwts_time_begins_with_nbf_and_ends_at_exp(void **state)
{
    buffer claims = hex(cwt_rfc8392_claims_cbor);
    lg_ticket ticket;

    (void)state;
    memset(&ticket, 0, sizeof ticket);
    assert_true(lg_ticket_claims(all(&claims), &ticket));
    assert_int_equal(ticket.cti.n, 2);
    for (size_t i = 0; i < COUNT(cwt_time_checks); i++) {
        const char *expect = cwt_time_checks[i].expect;
        int wanted = strncmp(expect, "valid", 5) == 0 ? 0 : strncmp(expect, "not yet", 7) == 0 ? -1 : 1;
        assert_int_equal(lg_ticket_when(&ticket, (uint64_t)cwt_time_checks[i].unix_s * 1000 + 999), wanted);
    }
}

static lg_result sun_result(const struct ntag424_sun *vector, lg_tag *tag)
{
    lg_crypto port = crypto();
    buffer file_key = hex(vector->k_file_read), mac = hex(vector->sdmmac);
    lg_bytes input = {(const uint8_t *)vector->mac_input_ascii, strlen(vector->mac_input_ascii)};

    if (vector->picc_enc_data != NULL) {
        buffer meta_key = hex(vector->k_meta_read), picc = hex(vector->picc_enc_data);
        return lg_sun_check(&port, meta_key.bytes, file_key.bytes, picc.bytes, input, mac.bytes, tag);
    }
    memcpy(tag->uid, hex(vector->uid_plain).bytes, LG_UID_BYTES);
    tag->counter = (uint32_t)strtoul(vector->read_ctr_plain, NULL, 16);
    return lg_sun_check_plain(&port, file_key.bytes, tag, input, mac.bytes);
}

static void sun_messages_give_uid_counter_and_file_data_or_are_refused(void **state)
{
    lg_crypto port = crypto();

    (void)state;
    for (size_t i = 0; i < COUNT(ntag424_sun); i++) {
        const struct ntag424_sun *vector = &ntag424_sun[i];
        bool valid = strcmp(vector->expect_valid, "True") == 0;
        lg_tag tag;

        assert_int_equal(sun_result(vector, &tag), valid ? LG_OK : LG_REFUSED);
        if (!valid)
            continue;
        assert_memory_equal(tag.uid, hex(vector->expect_uid).bytes, LG_UID_BYTES);
        assert_int_equal(tag.counter, strtoul(vector->expect_read_ctr, NULL, 10));
        if (vector->computed_file_data != NULL) {
            buffer in = hex(vector->enc_file_data), wanted = hex(vector->computed_file_data), key;
            uint8_t out[64];
            key = hex(vector->k_file_read);
            assert_int_equal(lg_sun_file_data(&port, key.bytes, &tag, all(&in), out), LG_OK);
            assert_memory_equal(out, wanted.bytes, wanted.n);
        }
    }
}

static void a_tag_is_read_from_its_url_its_query_or_as_bytes(void **state)
{
    static const char url[] =
        "https://example.com/?x=1&e=EF963FF7828658A599F3041510671E88&c=94eed9ee65337086";
    const char *query = strchr(url, '?') + 1;
    uint8_t picc[16], mac[8], bytes[24];

    (void)state;
    assert_true(lg_sun_token((lg_bytes){(const uint8_t *)url, strlen(url)}, "e", "c", picc, mac));
    assert_memory_equal(picc, hex(ntag424_sun[0].picc_enc_data).bytes, sizeof picc);
    assert_memory_equal(mac, hex(ntag424_sun[0].sdmmac).bytes, sizeof mac);
    memcpy(bytes, picc, sizeof picc);
    memcpy(bytes + sizeof picc, mac, sizeof mac);
    memset(picc, 0, sizeof picc);
    assert_true(lg_sun_token((lg_bytes){bytes, sizeof bytes}, "e", "c", picc, mac));
    assert_memory_equal(picc, bytes, sizeof picc);
    assert_true(lg_sun_token((lg_bytes){(const uint8_t *)query, strlen(query)}, "e", "c", picc, mac));
    assert_false(lg_sun_token((lg_bytes){(const uint8_t *)query, strlen(query) - 1}, "e", "c", picc, mac));
    assert_false(lg_sun_token((lg_bytes){(const uint8_t *)query, strlen(query)}, "picc", "c", picc, mac));
    assert_false(lg_sun_token((lg_bytes){NULL, 0}, "e", "c", picc, mac));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ed25519_signatures_hold_and_fail_when_a_bit_is_changed),
        cmocka_unit_test(aes_cmac_is_that_of_the_rfc),
        cmocka_unit_test(cose_messages_hold_where_they_should_and_nowhere_else),
        cmocka_unit_test(cwts_hold_where_they_should),
        cmocka_unit_test(a_cwts_time_begins_with_nbf_and_ends_at_exp),
        cmocka_unit_test(sun_messages_give_uid_counter_and_file_data_or_are_refused),
        cmocka_unit_test(a_tag_is_read_from_its_url_its_query_or_as_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
