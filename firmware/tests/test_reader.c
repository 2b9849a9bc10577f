/* The reader against an engine that judges it, in virtual time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "lane_sim.h"

static lane_sim *online(uint64_t seed)
{
    lane_sim *l = lane_sim_new(seed);
    assert_true(lane_sim_boot(l));
    lane_sim_run(l, 100);
    assert_int_equal(l->reader.state, LG_ONLINE);
    return l;
}

static void send(lane_sim *l, uint8_t type, uint32_t ref, lg_packer *p)
{
    engine_sim_send(&l->engine, type, ref, p);
    lane_sim_run(l, 10);
}

static lg_packer *packer(uint32_t fields)
{
    static uint8_t bytes[2048];
    static lg_packer p;
    lg_pack_begin(&p, bytes, sizeof bytes);
    lg_pack_array(&p, fields);
    return &p;
}

static void a_scan_is_answered_and_acknowledged(void **state)
{
    (void)state;
    lane_sim *l = online(1);
    uint64_t no = 0;
    assert_int_equal(lane_sim_scan(l, 1, &no), LG_OK);
    assert_int_equal(lg_log_count(&l->log), 1); /* it is in flash before it is anywhere else */
    lane_sim_run(l, 100);
    assert_int_equal(no, 1);
    assert_int_equal(l->opened, 1);
    assert_int_equal(l->last.lane, 1);
    assert_true(l->last.has_session && l->last.has_price && l->last.price_minor == -450);
    assert_int_equal(lg_log_count(&l->log), 0);
    assert_int_equal(lg_reader_passage(&l->reader, 1, LG_PASSED, l->last.session, l->now_ms, NULL), LG_OK);
    lg_text fault = {"paper low", 9};
    assert_int_equal(lg_reader_lane_status(&l->reader, 1, LG_DOWN, true, &fault, 1, l->now_ms, NULL), LG_OK);
    lane_sim_run(l, 100);
    assert_int_equal(lg_log_count(&l->log), 0);
    assert_int_equal(l->engine.events[2].type, LG_PASSAGE);
    assert_int_equal(l->engine.events[3].type, LG_LANE_STATUS);
    assert_int_equal(l->engine.replays, 0);
    lane_sim_free(l);
}

static void an_engine_without_the_key_is_not_obeyed(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(2);
    l->engine.wrong_mac = true;
    assert_true(lane_sim_boot(l));
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    lg_packer *p = packer(2);
    lg_pack_uint(p, 1);
    lg_pack_str(p, "intercom", 8);
    engine_sim_connect(&l->engine);
    lane_sim_run(l, 4000);
    assert_int_equal(l->vends + l->opened, 0);
    assert_int_equal(l->engine.answers, 0);
    assert_int_equal(l->engine.last_error, LG_FAULT_SIGN_ON);
    /* and pauses between */
    assert_true(l->reader.state != LG_ONLINE && l->engine.sign_ons > 1 && l->engine.sign_ons < 6);
    lane_sim_free(l);
}

static void orders_are_answered_by_done(void **state)
{
    (void)state;
    lane_sim *l = online(3);
    lg_packer *p = packer(3); /* a field more than version 1 has */
    lg_pack_uint(p, 1);
    lg_pack_str(p, "intercom", 8);
    lg_pack_nil(p);
    send(l, LG_VEND, 9, p);
    assert_int_equal(l->vends, 1);
    assert_true(l->engine.last_done_ok);
    assert_int_equal(l->engine.events[1].type, LG_LANE_STATUS); /* that the host told of in between */
    p = packer(2);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, LG_CLOSED);
    send(l, LG_SET_LANE, 10, p);
    assert_int_equal(l->mode, LG_CLOSED);
    p = packer(3);
    lg_pack_uint(p, 1);
    lg_pack_str(p, "Gr\xC3\xBC\xC3\x9F" "e", 7);
    lg_pack_uint(p, 10);
    send(l, LG_DISPLAY, 11, p);
    assert_int_equal(l->displays, 1);
    assert_false(l->engine.last_done_ok); /* this host says that it has none */
    p = packer(3);
    lg_pack_array(p, 0);
    lg_pack_array(p, 0);
    lg_pack_map(p, 0);
    send(l, LG_POLICY, 12, p);
    assert_false(l->engine.last_done_ok); /* without a hook nothing is decided alone */
    assert_int_equal(l->engine.dones, 4);
    lane_sim_free(l);
}

static void each_wrong_frame_gets_its_error_and_nothing_after_it_is_done(void **state)
{
    (void)state;
    static const struct wrong {
        uint8_t type;
        uint32_t ref, fields;
        unsigned error;
    } wrongs[] = {
        {LG_VEND, 9, 1, LG_FAULT_FIELD}, {LG_VEND, 0, 2, LG_FAULT_FIELD}, {LG_WELCOME, 9, 0, LG_FAULT_FIELD},
        {0x40, 9, 0, LG_FAULT_TYPE},     {0x7E, 9, 0, LG_FAULT_TYPE},     {LG_TIME, 0, 2, LG_FAULT_FIELD},
    };
    for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
        lane_sim *l = online(4);
        lg_packer *p = packer(wrongs[i].fields);
        lg_pack_uint(p, 1);
        if (wrongs[i].fields == 2)
            lg_pack_str(p, "intercom", 8);
        p->n = wrongs[i].fields == 0 ? 1 : p->n;
        engine_sim_send(&l->engine, wrongs[i].type, wrongs[i].ref, p);
        p = packer(2);
        lg_pack_uint(p, 1);
        lg_pack_str(p, "intercom", 8);
        engine_sim_send(&l->engine, LG_VEND, 21, p);
        lane_sim_run(l, 10);
        assert_int_equal(l->engine.last_error, wrongs[i].error);
        assert_int_equal(l->vends, wrongs[i].error == LG_FAULT_TYPE ? 1 : 0);
        lane_sim_free(l);
    }
}

static void silence_is_asked_after_and_then_ended(void **state)
{
    (void)state;
    lane_sim *l = online(5);
    lane_sim_run(l, 15500);
    assert_int_equal(l->engine.pings, 1);
    assert_int_equal(l->reader.state, LG_ONLINE);
    lane_sim_run(l, 100000);
    assert_int_equal(l->engine.sign_ons, 1);
    assert_true(l->engine.pings >= 6);
    l->cut_down = UINT64_MAX - 1; /* what the engine says is lost from now on */
    l->engine.out_from = l->engine.out_to = 0;
    size_t n = 0;
    uint64_t begun = l->now_ms;
    while (l->reader.state == LG_ONLINE && l->now_ms < begun + 60000) { /* nothing comes in any more */
        (void)lg_reader_tick(&l->reader, l->now_ms);
        (void)lg_reader_output(&l->reader, &n, l->now_ms);
        lg_reader_sent(&l->reader, n);
        l->now_ms += 100;
    }
    assert_int_equal(l->reader.state, LG_CLOSING);
    assert_true(l->now_ms - begun <= 31000);
    lane_sim_free(l);
}

static void a_ping_is_answered_and_a_goodbye_ends_it(void **state)
{
    (void)state;
    lane_sim *l = online(6);
    send(l, LG_PING, 0, packer(0));
    assert_int_equal(l->engine.pongs, 1);
    lg_packer *p = packer(1);
    lg_pack_str(p, "replaced", 8);
    send(l, LG_GOODBYE, 0, p);
    assert_int_equal(l->reader.state, LG_OFFLINE);
    lane_sim_run(l, 2000);
    assert_int_equal(l->engine.sign_ons, 2);
    lane_sim_free(l);
}

static void the_clock_follows_the_engine(void **state)
{
    (void)state;
    lane_sim *l = online(7);
    assert_int_equal(lg_reader_clock(&l->reader, l->now_ms), l->engine.at_ms);
    l->engine.at_ms += 3600000; /* somebody sets it right */
    lane_sim_run(l, 600000);
    assert_int_equal(lg_reader_clock(&l->reader, l->now_ms), l->engine.at_ms);
    assert_int_equal(l->engine.time_asked, 2);
    lane_sim_free(l);
}

static void a_scan_without_an_answer_is_given_up_and_a_late_one_opens_nothing(void **state)
{
    (void)state;
    lane_sim *l = online(8);
    l->engine.silent = true;
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    lane_sim_run(l, 10100);
    assert_int_equal(l->refused, 1);
    assert_int_equal(l->reader.counts.given_up, 1);
    lg_packer *p = packer(9);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, LG_OPEN);
    lg_pack_uint(p, 0);
    lg_pack_nil(p);
    lg_pack_nil(p);
    lg_pack_str(p, "", 0);
    lg_pack_nil(p);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, 7);
    send(l, LG_DECISION, 4, p);
    assert_int_equal(l->late, 1);
    assert_int_equal(l->opened, 0);
    assert_int_equal(lg_log_count(&l->log), 0);
    lane_sim_free(l);
}

static void a_full_house_of_scans_is_busy_and_in_flight_is_obeyed(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(9);
    l->engine.in_flight_max = 2;
    assert_true(lane_sim_boot(l));
    for (unsigned i = 0; i < LG_PENDING_MAX; i++)
        assert_int_equal(lane_sim_scan(l, i, NULL), LG_OK);
    assert_int_equal(lane_sim_scan(l, 99, NULL), LG_BUSY);
    assert_int_equal(l->log.next_no, LG_PENDING_MAX + 1); /* nothing was recorded */
    lane_sim_run(l, 1000);
    assert_int_equal(l->opened, LG_PENDING_MAX);
    assert_int_equal(l->engine.in_flight_seen, 2);
    lane_sim_free(l);
}

static void an_engine_that_cannot_now_is_asked_again(void **state)
{
    (void)state;
    lane_sim *l = online(10);
    l->engine.errors_12 = 1;
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    lane_sim_run(l, 4000);
    assert_int_equal(l->decisions, 0);
    lane_sim_run(l, 2000);
    assert_int_equal(l->opened, 1);
    assert_int_equal(l->engine.sign_ons, 1);
    lane_sim_free(l);
}

static void a_lane_that_the_engine_does_not_know_blocks_nothing(void **state)
{
    (void)state;
    lane_sim *l = online(11);
    l->engine.lane_unknown = 1;
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    lane_sim_run(l, 5000);
    assert_int_equal(l->refused, 1);
    assert_int_equal(lane_sim_scan(l, 2, NULL), LG_REFUSED);
    lg_bytes token = {(const uint8_t *)"x", 1};
    assert_int_equal(lg_reader_scan(&l->reader, 2, LG_QR, token, l->now_ms, NULL), LG_OK);
    lane_sim_run(l, 100);
    assert_int_equal(l->opened, 1);
    l->engine.lane_unknown = -1;
    lg_packer *p = packer(2);
    lg_pack_uint(p, 1);
    lg_pack_uint(p, LG_NORMAL);
    send(l, LG_SET_LANE, 10, p);
    assert_int_equal(lane_sim_scan(l, 3, NULL), LG_OK);
    lane_sim_run(l, 100);
    assert_int_equal(l->opened, 2);
    assert_int_equal(lg_log_count(&l->log), 0);
    lane_sim_free(l);
}

static void one_entry_that_is_never_taken_does_not_hold_up_the_backlog(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(12);
    l->with_offline = true;
    l->plugged = false;
    l->engine.lane_unknown = 7;
    assert_true(lane_sim_boot(l));
    lane_sim_run(l, 6000);
    lg_bytes token = {(const uint8_t *)"1", 1};
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(lg_reader_scan(&l->reader, i == 4 ? 7 : 1, LG_QR, token, l->now_ms, NULL), LG_OK);
    l->plugged = true;
    lane_sim_run(l, 90000);
    assert_int_equal(l->reader.counts.set_aside, 1);
    assert_int_equal(lg_log_count(&l->log), 0);
    for (uint64_t no = 1; no <= 9; no++)
        assert_int_equal(engine_sim_has(&l->engine, no), no != 5);
    lane_sim_free(l);
}

static void alone_it_refuses_and_records_nothing_without_a_hook(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(13);
    l->plugged = false;
    assert_true(lane_sim_boot(l));
    lane_sim_run(l, 6000);
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_ALONE);
    assert_int_equal(lg_log_count(&l->log), 0);
    assert_int_equal(lg_reader_passage(&l->reader, 1, LG_FORCED, NULL, l->now_ms, NULL), LG_OK);
    l->plugged = true;
    lane_sim_run(l, 40000);
    assert_true(l->engine.events[1].by_replay);
    assert_int_equal(lg_log_count(&l->log), 0);
    lane_sim_free(l);
}

static void alone_it_decides_by_the_hook_and_replays_in_paces_what_it_did(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(14);
    l->with_offline = true;
    l->plugged = false;
    l->engine.pause_ms = 200;
    l->engine.frame_bytes_max = 1024;
    assert_true(lane_sim_boot(l));
    lane_sim_run(l, 6000);
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(lane_sim_scan(l, i, NULL), LG_OK);
        if (i % 2)
            assert_int_equal(lg_reader_passage(&l->reader, 1, LG_PASSED, NULL, l->now_ms, NULL), LG_OK);
        lane_sim_run(l, 50);
    }
    assert_int_equal(l->alone, 150);
    assert_int_equal(l->opened, 75);
    l->plugged = true;
    while (l->reader.state != LG_ONLINE)
        lane_sim_run(l, 5);
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK); /* live, before the backlog is through */
    lane_sim_run(l, 100);
    assert_true(l->engine.replayed < 225 && !l->engine.events[226].by_replay);
    lane_sim_run(l, 20000);
    assert_int_equal(lg_log_count(&l->log), 0);
    assert_int_equal(l->engine.replayed, 225);
    assert_true(l->engine.replays >= 3); /* the engine holds it to frames of 1,024, and to the pause */
    assert_int_equal(l->opened, 76);
    uint64_t no = 1;
    for (unsigned i = 0; i < 150; i++) {
        assert_int_equal(l->engine.events[no].verdict, i % 2 ? LG_OPEN : LG_REFUSE);
        no += 1 + i % 2;
    }
    assert_int_equal(l->reader.counts.findings, l->engine.replays);
    lane_sim_free(l);
}

static void what_waits_when_it_becomes_alone_is_decided_once(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(15);
    l->with_offline = true;
    l->plugged = false;
    assert_true(lane_sim_boot(l));
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK); /* no engine saw this one: it keeps its number */
    lane_sim_run(l, 6000);
    assert_int_equal(l->opened_by[1], 1);
    l->plugged = true;
    lane_sim_run(l, 10000);
    assert_int_equal(l->engine.events[1].verdict, LG_OPEN);
    l->engine.silent = true;
    /* this one was sent: what is done alone is another event */
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    lane_sim_run(l, 100);
    l->plugged = false;
    lane_sim_unplug(l);
    lane_sim_run(l, 6000);
    assert_int_equal(l->opened_by[2], 0);
    assert_int_equal(l->opened_by[3], 1);
    l->engine.silent = false;
    l->plugged = true;
    lane_sim_run(l, 60000);
    assert_int_equal(l->engine.events[3].verdict, LG_OPEN);
    assert_int_equal(lg_log_count(&l->log), 0);
    lane_sim_free(l);
}

static void a_full_log_refuses_scans_until_the_engine_is_back(void **state)
{
    (void)state;
    lane_sim *l = lane_sim_new(16);
    l->with_offline = true;
    l->plugged = false;
    assert_true(lane_sim_boot(l));
    lane_sim_run(l, 6000);
    unsigned kept = 0;
    while (lane_sim_scan(l, 1, NULL) == LG_OK)
        kept++;
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_FULL);
    assert_int_equal(l->opened, kept); /* what could not be recorded was not let in */
    l->plugged = true;
    lane_sim_run(l, 60000);
    assert_int_equal(lg_log_count(&l->log), 0);
    assert_int_equal(l->engine.replayed, kept);
    assert_int_equal(lane_sim_scan(l, 2, NULL), LG_OK);
    lane_sim_free(l);
}

static void a_scan_that_was_cut_off_gets_its_first_answer_while_its_driver_waits(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        lane_sim *l = online(19);
        assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
        size_t n = 0;
        const uint8_t *out = lg_reader_output(&l->reader, &n, l->now_ms);
        if (!late)
            engine_sim_feed(&l->engine, out, n); /* decided, and then the reader's power goes */
        l->now_ms += late ? 11000 : 3000;
        l->engine.at_ms += late ? 11000 : 3000;
        assert_true(lane_sim_boot(l));
        assert_int_equal(lg_log_count(&l->log), 1);
        assert_int_equal(lane_sim_scan(l, 2, NULL), LG_OK); /* before the connection is there again */
        lane_sim_run(l, 2000);
        assert_int_equal(l->opened_by[1], late ? 0 : 1);
        assert_int_equal(l->engine.events[1].verdict,
                         late ? LG_REFUSE : LG_NO_VERDICT); /* as history: it opened nothing */
        assert_int_equal(l->opened_by[2], 1);
        assert_int_equal(lg_log_count(&l->log), 0);
        lane_sim_free(l);
    }
}

static void a_scan_that_the_engine_has_stays_in_the_log_until_its_answer_is_here(void **state)
{
    (void)state;
    lane_sim *l = online(20);
    l->engine.silent = true;
    assert_int_equal(lane_sim_scan(l, 1, NULL), LG_OK);
    assert_int_equal(lg_reader_passage(&l->reader, 1, LG_FORCED, NULL, l->now_ms, NULL), LG_OK);
    lane_sim_run(l, 50);
    lane_sim_unplug(l);
    lane_sim_run(l, 1000);
    assert_int_equal(l->engine.sign_ons, 2);      /* WELCOME knew both: */
    assert_int_equal(lg_log_count(&l->log), 1);   /* the passage is done with, */
    assert_int_equal(l->reader.pending_count, 1); /* the scan's driver still waits */
    l->engine.silent = false;
    lane_sim_unplug(l);
    lane_sim_run(l, 3000);
    assert_int_equal(l->opened, 1);
    assert_int_equal(lg_log_count(&l->log), 0);
    lane_sim_free(l);
}

static void a_log_that_forgot_gives_no_number_twice(void **state)
{
    (void)state;
    lane_sim *l = online(17);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(lane_sim_scan(l, i, NULL), LG_OK);
    lane_sim_run(l, 100);
    l->log.next_no = 2; /* as after an old image of the flash was put back */
    lane_sim_unplug(l);
    lane_sim_run(l, 5000);
    uint64_t no = 0;
    assert_int_equal(lane_sim_scan(l, 9, &no), LG_OK);
    assert_int_equal(no, 6);
    lane_sim_free(l);
}

/* What a lane does in the cut tests: six scans, each followed by a car. Goes on until all of it is kept. */
static void traffic(lane_sim *l, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to && !l->sim.dead; i++) {
        if (lane_sim_scan(l, i, NULL) == LG_OK)
            lane_sim_run(l, 40);
        if (!l->sim.dead && i % 3 == 0)
            (void)lg_reader_passage(&l->reader, 1, LG_PASSED, NULL, l->now_ms, NULL);
    }
}

/* Every number below next_no is the engine's, each barrier went up at most once for each, and nothing is left
 * over. */
static void expect_all_once(const lane_sim *l)
{
    CHECK(lg_log_count(&l->log) == 0);
    for (uint64_t no = 1; no < l->log.next_no; no++) {
        CHECK(engine_sim_has(&l->engine, no));
        CHECK(l->opened_by[no] <= 1);
    }
    CHECK(l->engine.top == l->log.next_no - 1);
}

static void a_conversation_cut_after_every_byte_ends_the_same(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (unsigned way = 0; way < 2; way++) {
        bool cut = true;
        for (uint64_t bytes = 1; cut; bytes++, cuts++) {
            lane_sim *l = lane_sim_new(18);
            l->chunk = bytes % 3 ? SIZE_MAX : 7;
            *(way ? &l->cut_up : &l->cut_down) = bytes;
            CHECK(lane_sim_boot(l));
            lane_sim_run(l, 10);
            traffic(l, 0, 6);
            lane_sim_run(l, 20000);
            cut = l->engine.sign_ons > 1 || (way ? l->cut_up : l->cut_down) == UINT64_MAX;
            expect_all_once(l);
            CHECK(l->opened == 6 && l->engine.top == 8);
            CHECK(l->engine.replays == 0); /* all of it was live */
            lane_sim_free(l);
        }
    }
    print_message("cuts: %u\n", cuts);
}

static void power_cuts_and_connection_cuts_together_lose_and_double_nothing(void **state)
{
    (void)state;
    unsigned cuts = 0, events = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        lane_sim *l = lane_sim_new(seed);
        l->with_offline = seed % 2 == 0;
        for (unsigned life = 0; life < 25; life++, cuts++) {
            flash_sim_power(&l->sim, sim_random(&l->random) % 200);
            l->chunk = life % 2 ? 30 : SIZE_MAX;
            l->plugged = life % 3 != 0;
            l->cut_down = life % 4 ? UINT64_MAX : 1 + sim_random(&l->random) % 900;
            if (!lane_sim_boot(l))
                continue;
            lane_sim_run(l, sim_random(&l->random) % 8000);
            traffic(l, life * 30, life * 30 + 30);
        }
        flash_sim_power(&l->sim, UINT64_MAX);
        l->cut_down = UINT64_MAX;
        l->plugged = true;
        CHECK(lane_sim_boot(l));
        lane_sim_run(l, 120000);
        expect_all_once(l);
        events += (unsigned)l->engine.top;
        lane_sim_free(l);
    }
    print_message("power cuts: %u, events: %u\n", cuts, events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_scan_is_answered_and_acknowledged),
        cmocka_unit_test(an_engine_without_the_key_is_not_obeyed),
        cmocka_unit_test(orders_are_answered_by_done),
        cmocka_unit_test(each_wrong_frame_gets_its_error_and_nothing_after_it_is_done),
        cmocka_unit_test(silence_is_asked_after_and_then_ended),
        cmocka_unit_test(a_ping_is_answered_and_a_goodbye_ends_it),
        cmocka_unit_test(the_clock_follows_the_engine),
        cmocka_unit_test(a_scan_without_an_answer_is_given_up_and_a_late_one_opens_nothing),
        cmocka_unit_test(a_full_house_of_scans_is_busy_and_in_flight_is_obeyed),
        cmocka_unit_test(an_engine_that_cannot_now_is_asked_again),
        cmocka_unit_test(a_lane_that_the_engine_does_not_know_blocks_nothing),
        cmocka_unit_test(one_entry_that_is_never_taken_does_not_hold_up_the_backlog),
        cmocka_unit_test(alone_it_refuses_and_records_nothing_without_a_hook),
        cmocka_unit_test(alone_it_decides_by_the_hook_and_replays_in_paces_what_it_did),
        cmocka_unit_test(what_waits_when_it_becomes_alone_is_decided_once),
        cmocka_unit_test(a_full_log_refuses_scans_until_the_engine_is_back),
        cmocka_unit_test(a_scan_that_was_cut_off_gets_its_first_answer_while_its_driver_waits),
        cmocka_unit_test(a_scan_that_the_engine_has_stays_in_the_log_until_its_answer_is_here),
        cmocka_unit_test(a_log_that_forgot_gives_no_number_twice),
        cmocka_unit_test(a_conversation_cut_after_every_byte_ends_the_same),
        cmocka_unit_test(power_cuts_and_connection_cuts_together_lose_and_double_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
