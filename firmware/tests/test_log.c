/* The ring log against a plain model, with the power cut everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "flash_sim.h"
#include "liftgate/log.h"
#include "liftgate/wire.h"

enum { NO_MAX = 20000 };

/* What the caller of the log was told about each number. */
typedef enum told { NOTHING, KEPT, MAYBE_ACKNOWLEDGED, ACKNOWLEDGED } told;

typedef struct life {
    flash_sim sim;
    lg_crypto crypto;
    uint64_t random;
    lg_log log;
    bool has_boot;
    uint64_t boot, last_no; /* the highest number that was kept */
    told told[NO_MAX];
    uint8_t seed_of[NO_MAX]; /* of the body */
    uint8_t verdict[NO_MAX], maybe_verdict[NO_MAX];
    uint64_t maybe_no; /* an append or an acknowledgement was under way when the power went */
    lg_range maybe_acknowledged;
    uint64_t full, appended;
} life;

static size_t body_of(uint64_t no, uint8_t seed, uint8_t *body)
{
    size_t n = 1 + (seed * 7u + no) % 90u;
    for (size_t i = 0; i < n; i++)
        body[i] = (uint8_t)(seed + i * no);
    return n;
}

static void expect_event(life *l, const lg_entry *entry)
{
    uint8_t body[LG_EVENT_BYTES_MAX], wanted[LG_EVENT_BYTES_MAX];
    CHECK(entry->no < NO_MAX);
    CHECK(lg_log_read(&l->log, entry, body) == LG_OK);
    if (entry->no == l->maybe_no) { /* it stands although nobody was told: from now on it is kept */
        l->told[entry->no] = KEPT;
        l->last_no = entry->no > l->last_no ? entry->no : l->last_no;
    }
    CHECK(l->told[entry->no] != NOTHING && l->told[entry->no] != ACKNOWLEDGED);
    size_t n = body_of(entry->no, l->seed_of[entry->no], wanted);
    CHECK(entry->n == n && memcmp(body, wanted, n) == 0);
    if (l->maybe_verdict[entry->no] != 0 && entry->verdict == l->maybe_verdict[entry->no])
        l->verdict[entry->no] = entry->verdict;
    l->maybe_verdict[entry->no] = 0;
    CHECK(entry->verdict == l->verdict[entry->no]);
    CHECK(entry->type == LG_SCAN);
}

static bool in_maybe(const life *l, uint64_t no)
{
    return no >= l->maybe_acknowledged.from && no <= l->maybe_acknowledged.to;
}

/* All that was kept and not acknowledged is there, once, in order; nothing else is. */
static void expect_all(life *l)
{
    lg_cursor cursor;
    lg_entry entry;
    uint64_t before = 0;
    lg_log_first(&l->log, &cursor);
    while (lg_log_next(&l->log, &cursor, &entry) == LG_OK) {
        CHECK(entry.no > before);
        for (uint64_t no = before + 1; no < entry.no; no++)
            CHECK(l->told[no] >= MAYBE_ACKNOWLEDGED || in_maybe(l, no));
        expect_event(l, &entry);
        before = entry.no;
    }
    for (uint64_t no = before + 1; no <= l->last_no; no++)
        CHECK(l->told[no] >= MAYBE_ACKNOWLEDGED || in_maybe(l, no));
    for (uint64_t no = 1; no <= l->last_no; no++) /* what it says now it will say again */
        if (lg_log_acknowledged(&l->log, no))
            l->told[no] = l->told[no] == KEPT ? MAYBE_ACKNOWLEDGED : l->told[no];
    CHECK(l->log.lost == 0);
    l->maybe_no = 0;
    l->maybe_acknowledged.from = 1, l->maybe_acknowledged.to = 0;
}

static void mount(life *l)
{
    lg_flash flash = flash_sim_port(&l->sim);
    bool created = false;
    if (lg_log_mount(&l->log, &flash, &l->crypto, &created) != LG_OK) {
        CHECK(l->sim.dead);
        return;
    }
    CHECK(!(created && l->has_boot && l->last_no > 0));
    if (l->has_boot && !created)
        CHECK(l->log.boot == l->boot);
    l->has_boot = true;
    l->boot = l->log.boot;
    CHECK(l->boot != 0 && l->log.next_no > l->last_no);
    CHECK(l->log.next_no <= l->last_no + 1 || l->log.next_no == l->maybe_no + 1);
    expect_all(l);
    CHECK(l->log.next_no == l->last_no + 1);
}

static void append(life *l)
{
    uint64_t no = l->log.next_no;
    uint8_t body[LG_EVENT_BYTES_MAX], seed = (uint8_t)(sim_random(&l->random) >> 16);
    lg_bytes bytes = {body, body_of(no, seed, body)};
    lg_entry entry;
    uint8_t verdict = (uint8_t)(sim_random(&l->random) % 3);
    l->seed_of[no] = seed;
    l->verdict[no] = verdict;
    lg_result result = lg_log_append(&l->log, LG_SCAN, verdict, bytes, &entry);
    CHECK(result == LG_OK || result == LG_FULL || (result == LG_FLASH_FAULT && l->sim.dead));
    l->full += result == LG_FULL;
    l->appended += result == LG_OK;
    if (result == LG_OK) {
        CHECK(entry.no == no);
        l->told[no] = KEPT;
        l->last_no = no;
    } else if (l->sim.dead) {
        l->maybe_no = no;
    }
}

static void acknowledge(life *l, uint64_t from, uint64_t to)
{
    lg_result result = lg_log_acknowledge(&l->log, from, to);
    CHECK(result == LG_OK || result == LG_FULL || (result == LG_FLASH_FAULT && l->sim.dead));
    if (l->sim.dead) {
        l->maybe_acknowledged.from = from, l->maybe_acknowledged.to = to;
        return;
    }
    for (uint64_t no = from; no <= to; no++)
        if (l->told[no] == KEPT) /* LG_OK for what memory alone knew before says nothing of the flash */
            l->told[no] = result == LG_OK ? ACKNOWLEDGED : MAYBE_ACKNOWLEDGED;
}

static void acknowledge_some(life *l)
{
    uint64_t done = l->log.done_to, open = l->last_no - done;
    if (open == 0)
        return;
    uint64_t from = done + 1 + (sim_random(&l->random) % 3 ? 0 : sim_random(&l->random) % open);
    uint64_t to = from + sim_random(&l->random) % 9;
    acknowledge(l, from, to > l->last_no ? l->last_no : to);
}

static void give_verdict(life *l)
{
    uint64_t open = l->last_no - l->log.done_to;
    uint64_t no = open ? l->log.done_to + 1 + sim_random(&l->random) % open : 0;
    if (no == 0 || l->told[no] != KEPT || l->verdict[no] != LG_NO_VERDICT)
        return;
    lg_result result = lg_log_set_verdict(&l->log, no, LG_OPEN);
    CHECK(result == LG_OK || result == LG_FULL || l->sim.dead);
    if (l->sim.dead)
        l->maybe_verdict[no] = LG_OPEN;
    else if (result == LG_OK)
        l->verdict[no] = LG_OPEN;
}

/* Live until the power goes, or for so many steps. appending: of 8 steps how many append. */
static void live(life *l, unsigned steps, unsigned appending)
{
    for (unsigned i = 0; i < steps && !l->sim.dead && l->log.next_no < NO_MAX - 2; i++) {
        uint64_t what = sim_random(&l->random) % 8;
        if (what < appending)
            append(l);
        else if (what == 7 && sim_random(&l->random) % 4 == 0)
            CHECK(lg_log_prepare(&l->log) == LG_OK || l->sim.dead);
        else if (what == 7)
            give_verdict(l);
        else
            acknowledge_some(l);
        if (!l->sim.dead && i % 16 == 0)
            expect_all(l);
    }
}

static life *begin(uint32_t page, uint32_t block, uint32_t blocks, uint64_t seed)
{
    life *l = calloc(1, sizeof *l);
    CHECK(l);
    l->random = seed * 2654435761u | 1u;
    flash_sim_make(&l->sim, page, block, blocks, seed + 99);
    l->crypto = sim_crypto(&l->random);
    l->maybe_acknowledged.from = 1;
    return l;
}

static void end(life *l)
{
    flash_sim_free(&l->sim);
    free(l);
}

static const struct geometry {
    uint32_t page, block, blocks;
} geometries[] = {{8, 1024, 3}, {16, 2048, 4}, {64, 1024, 5}, {256, 4096, 3}, {256, 2048, 8}};
enum { GEOMETRIES = sizeof geometries / sizeof *geometries };

static life *begin_in(unsigned which, uint64_t seed)
{
    const struct geometry *g = &geometries[which % GEOMETRIES];
    return begin(g->page, g->block, g->blocks, seed);
}

/* One life is lived again and again; each time the power goes a step later, and comes back for good. */
static void an_event_kept_survives_a_cut_at_every_step(void **state)
{
    (void)state;
    unsigned cuts = 0;
    for (unsigned which = 0; which < GEOMETRIES; which++) {
        bool cut = true;
        for (uint64_t step = 0; cut; step++) {
            life *l = begin_in(which, 7);
            flash_sim_power(&l->sim, step);
            mount(l);
            if (!l->sim.dead)
                live(l, 400, 4);
            cut = l->sim.dead;
            cuts += cut;
            flash_sim_power(&l->sim, UINT64_MAX);
            mount(l);
            live(l, 40, 4);
            mount(l);
            end(l);
        }
    }
    print_message("cuts: %u\n", cuts);
}

/* Long lives with many cuts, some of them while the log is found again after the one before. */
static void random_lives_lose_and_double_nothing(void **state)
{
    (void)state;
    const char *asked = getenv("LIVES");
    unsigned lives = asked ? (unsigned)strtoul(asked, NULL, 10) : 150;
    uint64_t appended = 0, full = 0, cuts = 0;
    for (unsigned n = 0; n < lives; n++) {
        life *l = begin_in(n, n + 1);
        for (unsigned cut = 0; cut < 60; cut++, cuts++) {
            flash_sim_power(&l->sim, sim_random(&l->random) % (cut % 3 == 0 ? 8 : 300));
            mount(l);
            if (!l->sim.dead)
                live(l, 400, 2 + n % 5);
        }
        flash_sim_power(&l->sim, UINT64_MAX);
        mount(l);
        appended += l->appended, full += l->full;
        end(l);
    }
    print_message("lives: %u, cuts: %llu, events: %llu, refused as full: %llu\n", lives,
                  (unsigned long long)cuts, (unsigned long long)appended, (unsigned long long)full);
}

static void a_full_log_refuses_and_takes_again_once_its_oldest_are_acknowledged(void **state)
{
    (void)state;
    for (unsigned which = 0; which < GEOMETRIES; which++) {
        life *l = begin_in(which, 3);
        mount(l);
        while (l->full == 0)
            append(l);
        assert_false(lg_log_has_room(&l->log));
        expect_all(l);
        uint64_t count = lg_log_count(&l->log);
        assert_int_equal(count, l->last_no);
        acknowledge(l, 1, l->last_no);
        assert_int_equal(lg_log_count(&l->log), 0);
        append(l);
        assert_int_equal(l->full, 1);
        mount(l);
        assert_int_equal(lg_log_count(&l->log), 1);
        end(l);
    }
}

static void a_log_that_stays_full_of_one_old_event_still_notes_acknowledgements(void **state)
{
    (void)state;
    for (unsigned which = 0; which < GEOMETRIES; which++) {
        life *l = begin_in(which, 5);
        mount(l);
        while (l->full == 0)
            append(l);
        acknowledge(l, 2, l->last_no);
        mount(l);
        assert_int_equal(lg_log_count(&l->log), 1);
        append(l);
        assert_int_equal(l->full, 2);
        acknowledge(l, 1, 1);
        append(l);
        assert_int_equal(l->full, 2);
        mount(l);
        assert_int_equal(lg_log_count(&l->log), 1);
        end(l);
    }
}

static void the_ring_wears_all_blocks_alike(void **state)
{
    (void)state;
    life *l = begin(16, 1024, 8, 11);
    uint32_t first = 0;
    mount(l);
    for (unsigned i = 0; i < 4000; i++) {
        append(l);
        acknowledge(l, l->last_no, l->last_no);
        first += l->log.newest_block == 0 && l->log.write_at < 128;
    }
    assert_true(first > 0);
    assert_true(l->log.sequence > 8 * 10); /* more than ten times round */
    assert_int_equal(l->log.sequence % 8, (l->log.newest_block + 1) % 8);
    end(l);
}

/* Bits of a record that nobody cut: its event is given up and counted, the others stay, the ring goes on. */
static void damage_is_counted_and_blocks_nothing(void **state)
{
    (void)state;
    life *l = begin(16, 1024, 4, 13);
    mount(l);
    for (unsigned i = 0; i < 6; i++)
        append(l);
    lg_cursor cursor;
    lg_entry entry;
    lg_log_first(&l->log, &cursor);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(lg_log_next(&l->log, &cursor, &entry), LG_OK);
    l->sim.bytes[entry.at] ^= 0x10;
    lg_flash flash = flash_sim_port(&l->sim);
    assert_int_equal(lg_log_mount(&l->log, &flash, &l->crypto, NULL), LG_OK);
    assert_int_equal(l->log.lost, 1);
    assert_int_equal(lg_log_count(&l->log), 5);
    assert_true(lg_log_acknowledged(&l->log, 3));
    assert_int_equal(l->log.next_no, 7);
    end(l);
}

static void flash_of_another_shape_is_refused(void **state)
{
    (void)state;
    static const struct geometry bad[] = {
        {8, 1024, 2}, {4, 1024, 3}, {512, 8192, 3}, {24, 1200, 3}, {256, 1024, 3}};
    life *l = begin(8, 1024, 3, 1);
    lg_flash flash = flash_sim_port(&l->sim);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        flash.page_bytes = bad[i].page, flash.block_bytes = bad[i].block, flash.block_count = bad[i].blocks;
        assert_int_equal(lg_log_mount(&l->log, &flash, &l->crypto, NULL), LG_BAD);
    }
    end(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_kept_survives_a_cut_at_every_step),
        cmocka_unit_test(random_lives_lose_and_double_nothing),
        cmocka_unit_test(a_full_log_refuses_and_takes_again_once_its_oldest_are_acknowledged),
        cmocka_unit_test(a_log_that_stays_full_of_one_old_event_still_notes_acknowledgements),
        cmocka_unit_test(the_ring_wears_all_blocks_alike),
        cmocka_unit_test(damage_is_counted_and_blocks_nothing),
        cmocka_unit_test(flash_of_another_shape_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
