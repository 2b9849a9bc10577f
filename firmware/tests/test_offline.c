/* What a reader decides alone: by a policy, within its limits, and as if nothing had happened after a power
 * cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "crypto_mbedtls.h"
#include "flash_sim.h"
#include "liftgate/offline.h"
#include "liftgate/pack.h"
#include "ticket_maker.h"

enum { IN = 1, OUT = 2, BOTH_WAYS = 3, HOUR = 3600, NOW_S = 1800000000 };
#define NOW_MS ((uint64_t)NOW_S * 1000)

static const lg_alone_lane lanes[] = {{IN, LG_ENTRY}, {OUT, LG_EXIT}, {BOTH_WAYS, LG_BOTH}};
static const ticket_spec good = {
    .kid = "k1", .cti = 1, .lot = "north", .nbf_s = NOW_S - HOUR, .exp_s = NOW_S + HOUR};

typedef struct box {
    flash_sim log_flash, policy_flash;
    uint64_t random;
    lg_crypto crypto;
    lg_log log;
    lg_alone alone;
    lg_offline port;
    uint64_t now_ms;
    bool clock_known;
} box;

typedef struct policy_spec {
    uint32_t hours, entries;
    const char *cards, *kid;
    uint8_t (*denied)[32];
    uint32_t denied_count;
    uint8_t (*known)[32];
    uint32_t known_count;
} policy_spec;

static void text(lg_packer *p, const char *word)
{
    lg_pack_str(p, word, strlen(word));
}

static size_t pack_policy(const policy_spec *spec, uint8_t *body, size_t room)
{
    lg_packer p;
    uint8_t key[32];
    maker_public_key(key);
    lg_pack_begin(&p, body, room);
    lg_pack_array(&p, 3);
    lg_pack_array(&p, 1);
    lg_pack_array(&p, 2);
    text(&p, spec->kid == NULL ? "k1" : spec->kid);
    lg_pack_bin(&p, key, sizeof key);
    lg_pack_array(&p, spec->denied_count);
    for (uint32_t i = 0; i < spec->denied_count; i++)
        lg_pack_bin(&p, spec->denied[i], 32);
    lg_pack_map(&p, 6);
    text(&p, "hours");
    lg_pack_uint(&p, spec->hours);
    text(&p, "a later one");
    lg_pack_array(&p, 0);
    text(&p, "entries");
    lg_pack_uint(&p, spec->entries);
    text(&p, "lot");
    text(&p, "north");
    text(&p, "cards");
    text(&p, spec->cards == NULL ? "open" : spec->cards);
    text(&p, "known");
    lg_pack_array(&p, spec->known_count);
    for (uint32_t i = 0; i < spec->known_count; i++)
        lg_pack_bin(&p, spec->known[i], 8);
    CHECK(!p.too_long);
    return p.n;
}

static lg_result give_policy(box *b, const policy_spec *spec)
{
    uint8_t body[2048];
    const char *said;
    size_t n = pack_policy(spec, body, sizeof body);
    return b->port.policy(b->port.context, (lg_bytes){body, n}, &said);
}

/* Power comes, or comes back. */
static void boot(box *b)
{
    lg_flash log_flash = flash_sim_port(&b->log_flash), policy_flash = flash_sim_port(&b->policy_flash);
    assert_int_equal(lg_log_mount(&b->log, &log_flash, &b->crypto, NULL), LG_OK);
    assert_int_equal(lg_alone_init(&b->alone, &b->crypto, &b->log, &policy_flash, lanes, 3), LG_OK);
    lg_alone_port(&b->alone, &b->port);
}

static int begin(void **state)
{
    box *b = calloc(1, sizeof *b);
    flash_sim_make(&b->log_flash, 16, 4096, 4, 1);
    flash_sim_make(&b->policy_flash, 16, 4096, 2, 2);
    b->random = 7;
    b->crypto = sim_crypto(&b->random);
    crypto_mbedtls(&b->crypto);
    b->now_ms = NOW_MS;
    b->clock_known = true;
    boot(b);
    b->port.connected(b->port.context, NOW_MS);
    assert_int_equal(give_policy(b, &(policy_spec){.hours = 8, .entries = 100}), LG_OK);
    *state = b;
    return 0;
}

static int end(void **state)
{
    box *b = *state;
    flash_sim_free(&b->log_flash);
    flash_sim_free(&b->policy_flash);
    free(b);
    return 0;
}

static lg_alone_answer scan(box *b, uint8_t lane, uint8_t kind, const void *token, size_t n)
{
    lg_alone_scan told = {lane, kind, {token, n}, b->now_ms, b->clock_known};
    lg_alone_answer answer = {0, 0, NULL};
    b->port.decide(b->port.context, &told, &answer);
    assert_true(answer.verdict == LG_OPEN || answer.verdict == LG_REFUSE);
    assert_int_equal(answer.verdict == LG_OPEN, answer.reason == 0);
    assert_true(answer.text != NULL && strlen(answer.text) <= 64);
    return answer;
}

/* As lg_reader_scan does: what was decided stands in the log before the barrier moves. */
static unsigned scanned(box *b, uint8_t lane, uint8_t kind, const void *token, size_t n)
{
    lg_alone_answer answer = scan(b, lane, kind, token, n);
    uint8_t body[LG_EVENT_BYTES_MAX];
    lg_packer p;
    lg_entry entry;
    lg_pack_begin(&p, body, sizeof body);
    lg_pack_array(&p, 5);
    lg_pack_uint(&p, b->log.next_no);
    lg_pack_uint(&p, b->now_ms);
    lg_pack_uint(&p, lane);
    lg_pack_uint(&p, kind);
    lg_pack_bin(&p, token, n);
    assert_int_equal(lg_log_append(&b->log, LG_SCAN, answer.verdict, (lg_bytes){body, p.n}, &entry), LG_OK);
    return answer.reason;
}

static unsigned ticket(box *b, uint8_t lane, ticket_spec spec)
{
    uint8_t token[TOKEN_MAX];
    return scanned(b, lane, LG_QR, token, make_ticket(&spec, token));
}

static unsigned card(box *b, uint8_t lane, const char *uid)
{
    return scanned(b, lane, LG_CARD, uid, strlen(uid));
}

static void digest(box *b, uint8_t kind, const void *identity, size_t n, uint8_t *out)
{
    assert_int_equal(lg_policy_digest(&b->crypto, kind, (lg_bytes){identity, n}, out), LG_OK);
}

static void a_signed_ticket_opens_in_its_time_and_lot(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    assert_int_equal(ticket(b, IN, spec), 0);
    assert_int_equal(ticket(b, IN, spec), 0); /* not single use: the engine finds double entries afterwards */
    spec.tagged = true;
    assert_int_equal(ticket(b, IN, spec), 0);
    static const char *const elsewhere[] = {"south", "nort", "north2"};
    for (int i = 0; i < 3; i++) {
        spec = good, spec.lot = elsewhere[i];
        assert_int_equal(ticket(b, IN, spec), LG_REASON_UNKNOWN);
    }
    spec = good, spec.exp_s = NOW_S;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_TIME);
    spec.exp_s = NOW_S + 1;
    assert_int_equal(ticket(b, IN, spec), 0);
    spec = good, spec.nbf_s = NOW_S + 1;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_TIME);
}

static void a_ticket_that_nobody_vouches_for_is_refused(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    spec.kid = "k2";
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
    spec = good, spec.kid_unsigned = true;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
    spec = good, spec.mac = true;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
    spec = good, spec.doubled_exp = true;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
    spec = good, spec.cti = 9;
    b->crypto.ed25519_verify = NULL;
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
}

static void no_changed_character_of_a_ticket_opens(void **state)
{
    box *b = *state;
    uint8_t token[TOKEN_MAX];
    size_t n = make_ticket(&good, token);
    for (size_t i = 4; i < n; i++) { /* without LG1: it is no ticket but a code that nobody knows */
        uint8_t was = token[i];
        for (int tries = 0; tries < 3; tries++) {
            token[i] =
                (uint8_t)("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:,"[sim_random(&b->random) % 46]);
            if (token[i] != was)
                assert_int_not_equal(scan(b, IN, LG_QR, token, n).verdict, LG_OPEN);
        }
        token[i] = was;
        assert_int_not_equal(scan(b, IN, LG_QR, token, i).verdict, LG_OPEN);
    }
    assert_int_equal(scan(b, IN, LG_QR, token, n).verdict, LG_OPEN);
}

static void a_kid_of_bytes_is_known_by_its_hex(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    spec.kid = "\x01\xFE";
    assert_int_equal(give_policy(b, &(policy_spec){.hours = 8, .entries = 9, .kid = "01fe"}), LG_OK);
    assert_int_equal(ticket(b, IN, spec), 0);
    spec.kid = "01fe"; /* the same text, other bytes: printable, so it is its own name. Signed by the same key
                          here. */
    assert_int_equal(ticket(b, IN, spec), 0);
    spec.kid = "\x01\xFF";
    assert_int_equal(ticket(b, IN, spec), LG_REASON_PROOF);
}

static void a_single_use_ticket_opens_once_even_after_a_power_cut(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    spec.single_use = true;
    assert_int_equal(ticket(b, IN, spec), 0);
    assert_int_equal(ticket(b, IN, spec), LG_REASON_USED);
    boot(b);
    assert_int_equal(ticket(b, IN, spec), LG_REASON_USED);
    spec.tagged = true; /* other bytes, the same ticket */
    assert_int_equal(ticket(b, IN, spec), LG_REASON_USED);
    spec.cti = 2;
    assert_int_equal(ticket(b, IN, spec), 0);
    assert_int_equal(ticket(b, OUT, spec), 0);
}

static void single_use_tickets_are_let_go_of_once_the_engine_has_them(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    spec.single_use = true;
    assert_int_equal(ticket(b, IN, spec), 0);
    b->port.connected(b->port.context, b->now_ms); /* there, but the backlog has not gone out */
    assert_int_equal(ticket(b, IN, spec), LG_REASON_USED);
    assert_int_equal(lg_log_acknowledge(&b->log, 1, b->log.next_no - 1), LG_OK);
    b->port.connected(b->port.context, b->now_ms);
    assert_int_equal(b->alone.used_count, 0);
}

static void more_single_use_tickets_than_can_be_remembered_are_refused(void **state)
{
    box *b = *state;
    ticket_spec spec = good;
    spec.single_use = true;
    for (spec.cti = 1; spec.cti <= LG_USED_MAX; spec.cti++)
        assert_int_equal(ticket(b, IN, spec), 0);
    assert_int_equal(ticket(b, IN, spec), LG_REASON_HELP);
    boot(b);
    assert_int_equal(ticket(b, IN, spec), LG_REASON_HELP);
    assert_int_equal(ticket(b, IN, good), LG_REASON_FINE); /* others are not concerned, whatever their cti */
}

static void only_so_many_entries_are_opened_and_a_power_cut_gives_no_new_ones(void **state)
{
    box *b = *state;
    assert_int_equal(give_policy(b, &(policy_spec){.hours = 8, .entries = 3}), LG_OK);
    assert_int_equal(card(b, IN, "A"), 0);
    assert_int_equal(card(b, OUT, "A"), 0); /* an exit takes nothing of it */
    assert_int_equal(card(b, IN, "B"), 0);
    boot(b);
    assert_int_equal(card(b, IN, "C"), 0);
    assert_int_equal(card(b, IN, "D"), LG_REASON_HELP);
    boot(b);
    assert_int_equal(card(b, IN, "D"), LG_REASON_HELP);
    assert_int_equal(card(b, OUT, "D"), 0);
    b->port.connected(b->port.context, b->now_ms);
    assert_int_equal(card(b, IN, "D"), 0);
}

static void only_so_many_hours_after_the_engine_was_there(void **state)
{
    box *b = *state;
    b->now_ms = NOW_MS + 8 * HOUR * 1000ull - 1;
    assert_int_equal(card(b, IN, "A"), 0);
    b->now_ms++;
    assert_int_equal(card(b, IN, "A"), LG_REASON_HELP);
    assert_int_equal(card(b, OUT, "A"), 0);
    boot(b);
    assert_int_equal(card(b, IN, "A"), LG_REASON_HELP);
    b->port.connected(b->port.context, b->now_ms);
    b->now_ms += 1000;
    assert_int_equal(card(b, IN, "A"), 0);
    boot(b);
    assert_int_equal(card(b, IN, "A"), 0); /* that it was there was marked */
}

static void without_a_clock_or_with_one_that_went_back_only_exits_open(void **state)
{
    box *b = *state;
    b->clock_known = false;
    assert_int_equal(card(b, IN, "A"), LG_REASON_HELP);
    assert_int_equal(ticket(b, IN, good), LG_REASON_HELP);
    assert_int_equal(card(b, OUT, "A"), 0);
    b->clock_known = true;
    b->now_ms = NOW_MS - HOUR * 1000ull;
    assert_int_equal(card(b, IN, "A"), LG_REASON_HELP);
    b->now_ms = NOW_MS - 5000; /* a battery's clock, a little slow */
    assert_int_equal(card(b, IN, "A"), 0);
}

static void nobody_is_locked_in(void **state)
{
    box *b = *state;
    uint8_t denied[1][32];
    digest(b, LG_CARD, "A", 1, denied[0]);
    assert_int_equal(
        give_policy(b, &(policy_spec){.hours = 0, .cards = "off", .denied = denied, .denied_count = 1}),
        LG_OK);
    assert_int_equal(card(b, OUT, "A"), 0);
    assert_int_equal(card(b, BOTH_WAYS, "A"), 0);
    assert_int_equal(scanned(b, OUT, LG_QR, "LG1:garbage", 11), 0);
    assert_int_equal(scanned(b, OUT, LG_PLATE, "B-AB 1", 6), 0);
    assert_int_equal(card(b, IN, "B"), LG_REASON_HELP);
    assert_int_equal(card(b, 99, "B"), LG_REASON_CLOSED); /* no such lane */
}

static void who_is_denied_stays_out_by_card_and_by_ticket(void **state)
{
    box *b = *state;
    uint8_t denied[2][32];
    static const uint8_t cti[8] = {1};
    digest(b, LG_CARD, "A", 1, denied[0]);
    digest(b, LG_QR, cti, sizeof cti, denied[1]);
    assert_int_equal(
        give_policy(b, &(policy_spec){.hours = 8, .entries = 9, .denied = denied, .denied_count = 2}), LG_OK);
    boot(b);
    assert_int_equal(card(b, IN, "A"), LG_REASON_DENIED);
    assert_int_equal(card(b, IN, "B"), 0);
    assert_int_equal(scanned(b, IN, LG_PLATE, "A", 1), LG_REASON_UNKNOWN); /* another kind, another name */
    assert_int_equal(ticket(b, IN, good), LG_REASON_DENIED);
}

static void cards_open_as_the_policy_says(void **state)
{
    box *b = *state;
    uint8_t known[2][32];
    digest(b, LG_CARD, "A", 1, known[0]);
    digest(b, LG_PLATE, "B-AB 1", 6, known[1]);
    policy_spec spec = {.hours = 8, .entries = 9, .cards = "known", .known = known, .known_count = 2};
    assert_int_equal(give_policy(b, &spec), LG_OK);
    assert_int_equal(card(b, IN, "A"), 0);
    assert_int_equal(card(b, IN, "B"), LG_REASON_UNKNOWN);
    assert_int_equal(scanned(b, IN, LG_PLATE, "B-AB 1", 6), 0);
    assert_int_equal(scanned(b, IN, LG_QR, "a code", 6), LG_REASON_UNKNOWN);
    assert_int_equal(scanned(b, IN, LG_SUN, "A", 1), LG_REASON_KIND);
    spec.cards = "a word of tomorrow";
    assert_int_equal(give_policy(b, &spec), LG_OK);
    assert_int_equal(card(b, IN, "A"), LG_REASON_KIND);
    assert_int_equal(ticket(b, IN, good), 0);
}

static void an_order_about_a_lane_holds_when_the_network_and_the_power_go(void **state)
{
    box *b = *state;
    assert_int_equal(lg_alone_set_mode(&b->alone, 99, LG_CLOSED), LG_BAD);
    assert_int_equal(lg_alone_set_mode(&b->alone, IN, LG_CLOSED), LG_OK);
    assert_int_equal(lg_alone_set_mode(&b->alone, OUT, LG_CLOSED),
                     LG_OK); /* for entry only, says the protocol */
    boot(b);
    assert_int_equal(card(b, IN, "A"), LG_REASON_CLOSED);
    assert_int_equal(card(b, OUT, "A"), 0);
    assert_int_equal(lg_alone_set_mode(&b->alone, OUT, LG_CLOSED_TO_ALL), LG_OK);
    assert_int_equal(lg_alone_set_mode(&b->alone, IN, LG_KNOWN_ONLY), LG_OK);
    boot(b);
    assert_int_equal(card(b, OUT, "A"), LG_REASON_CLOSED);
    assert_int_equal(card(b, IN, "A"), LG_REASON_UNKNOWN);
    assert_int_equal(ticket(b, IN, good), LG_REASON_UNKNOWN);
    assert_int_equal(lg_alone_set_mode(&b->alone, IN, LG_HELD_OPEN), LG_OK);
    assert_int_equal(scanned(b, IN, LG_SUN, "?", 1), 0);
    assert_int_equal(lg_alone_set_mode(&b->alone, IN, LG_NORMAL), LG_OK);
    assert_int_equal(card(b, IN, "A"), 0);
}

static void before_any_policy_only_exits_open(void **state)
{
    box *b = *state;
    flash_sim_free(&b->policy_flash);
    flash_sim_make(&b->policy_flash, 16, 4096, 2, 3);
    boot(b);
    b->port.connected(b->port.context, b->now_ms);
    assert_int_equal(card(b, IN, "A"), LG_REASON_HELP);
    assert_int_equal(card(b, OUT, "A"), 0);
}

static void a_policy_is_written_once_however_often_it_comes(void **state)
{
    box *b = *state;
    uint64_t steps = b->policy_flash.steps;
    for (int i = 0; i < 100; i++) {
        assert_int_equal(give_policy(b, &(policy_spec){.hours = 8, .entries = 100}), LG_OK);
        b->port.connected(b->port.context,
                          b->now_ms += 1000); /* nor does a flapping connection wear the flash */
    }
    assert_int_equal(b->policy_flash.steps, steps);
    assert_int_equal(give_policy(b, &(policy_spec){.hours = 7, .entries = 100}), LG_OK);
    assert_true(b->policy_flash.steps > steps);
}

static void what_is_no_policy_is_refused_and_the_old_one_holds(void **state)
{
    box *b = *state;
    uint8_t body[2048];
    const char *said;
    size_t n = pack_policy(&(policy_spec){.hours = 1, .entries = 1, .cards = "off"}, body, sizeof body);
    for (size_t cut = 0; cut < n; cut++) {
        assert_int_equal(b->port.policy(b->port.context, (lg_bytes){body, cut}, &said), LG_REFUSED);
        assert_true(strlen(said) > 0);
    }
    assert_int_equal(b->alone.policy.hours, 8);
    assert_int_equal(card(b, IN, "A"), 0);
    boot(b);
    assert_int_equal(b->alone.policy.hours, 8);
}

static void a_policy_that_its_flash_cannot_hold_is_refused_and_the_old_one_holds(void **state)
{
    box *b = *state;
    static uint8_t many[300][32], body[16384];
    const char *said;
    policy_spec spec = {.hours = 1, .entries = 1, .denied = many, .denied_count = 300};
    size_t n = pack_policy(&spec, body, sizeof body);
    assert_int_equal(b->port.policy(b->port.context, (lg_bytes){body, n}, &said), LG_FULL);
    assert_string_equal(said, "too long to be kept");
    assert_int_equal(card(b, IN, "A"), 0);
}

/* Cut while a policy is written, at every step: afterwards the old one or the new one holds, nothing in
 * between. */
static void a_power_cut_while_a_policy_is_kept_leaves_one_of_two(void **state)
{
    box *b = *state;
    bool done = false;
    for (uint64_t cut = 0; !done; cut++) {
        uint32_t before = b->alone.policy.hours, after = before == 8 ? 9 : 8;
        flash_sim_power(&b->policy_flash, cut);
        done = give_policy(b, &(policy_spec){.hours = after, .entries = 100}) == LG_OK;
        flash_sim_power(&b->policy_flash, UINT64_MAX);
        boot(b);
        assert_true(b->alone.policy.hours == after || (!done && b->alone.policy.hours == before));
        assert_int_equal(ticket(b, IN, good), 0);
        assert_int_equal(lg_log_acknowledge(&b->log, 1, b->log.next_no - 1), LG_OK);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signed_ticket_opens_in_its_time_and_lot),
        TEST(a_ticket_that_nobody_vouches_for_is_refused),
        TEST(no_changed_character_of_a_ticket_opens),
        TEST(a_kid_of_bytes_is_known_by_its_hex),
        TEST(a_single_use_ticket_opens_once_even_after_a_power_cut),
        TEST(single_use_tickets_are_let_go_of_once_the_engine_has_them),
        TEST(more_single_use_tickets_than_can_be_remembered_are_refused),
        TEST(only_so_many_entries_are_opened_and_a_power_cut_gives_no_new_ones),
        TEST(only_so_many_hours_after_the_engine_was_there),
        TEST(without_a_clock_or_with_one_that_went_back_only_exits_open),
        TEST(nobody_is_locked_in),
        TEST(who_is_denied_stays_out_by_card_and_by_ticket),
        TEST(cards_open_as_the_policy_says),
        TEST(an_order_about_a_lane_holds_when_the_network_and_the_power_go),
        TEST(before_any_policy_only_exits_open),
        TEST(a_policy_is_written_once_however_often_it_comes),
        TEST(what_is_no_policy_is_refused_and_the_old_one_holds),
        TEST(a_policy_that_its_flash_cannot_hold_is_refused_and_the_old_one_holds),
        TEST(a_power_cut_while_a_policy_is_kept_leaves_one_of_two),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
