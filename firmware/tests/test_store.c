/* The store of two slots, with the power cut at every step: what stands is what was kept last, or what was
 * being kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check.h"
#include "flash_sim.h"
#include "liftgate/store.h"

enum { BYTES_MAX = 700 };

/* Contents and mark are both made of one number each. */
typedef struct life {
    flash_sim sim;
    lg_store store;
    uint64_t random;
    bool has;
    uint32_t contents, mark; /* kept */
    bool trying;             /* and these may be, since power went meanwhile */
    uint32_t tried_contents, tried_mark;
} life;

static uint32_t bytes_of(uint32_t number, uint8_t *bytes)
{
    uint32_t n = number * 37u % BYTES_MAX;
    for (uint32_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(number + i * i);
    return n;
}

static void mark_of(uint32_t number, uint8_t mark[LG_MARK_BYTES])
{
    memset(mark, 0xFF, LG_MARK_BYTES);
    memcpy(mark, &number, sizeof number);
}

static lg_result keep(lg_store *store, uint32_t contents, uint32_t mark)
{
    uint8_t bytes[BYTES_MAX], marked[LG_MARK_BYTES];
    uint32_t n = bytes_of(contents, bytes), half = n / 3;
    mark_of(mark, marked);
    lg_result result = lg_store_begin(store, n, marked);
    if (result == LG_OK)
        result = lg_store_put(store, bytes, half);
    if (result == LG_OK)
        result = lg_store_put(store, bytes + half, n - half);
    return result == LG_OK ? lg_store_commit(store) : result;
}

static bool holds(const lg_store *store, uint32_t contents, uint32_t mark)
{
    uint8_t wanted[BYTES_MAX], found[BYTES_MAX], marked[LG_MARK_BYTES];
    uint32_t n = bytes_of(contents, wanted);
    mark_of(mark, marked);
    return store->n == n && lg_store_read(store, 0, found, n) == LG_OK && memcmp(found, wanted, n) == 0 &&
           memcmp(store->mark, marked, LG_MARK_BYTES) == 0;
}

/* Power comes back. */
static void mount(life *l)
{
    lg_flash flash = flash_sim_port(&l->sim);
    CHECK(lg_store_mount(&l->store, &flash) == LG_OK);
    if (l->trying && l->store.sequence != 0 && holds(&l->store, l->tried_contents, l->tried_mark)) {
        l->has = true;
        l->contents = l->tried_contents;
        l->mark = l->tried_mark;
    }
    l->trying = false;
    CHECK(l->has == (l->store.sequence != 0));
    CHECK(!l->has || holds(&l->store, l->contents, l->mark));
}

static bool act(life *l, uint32_t number)
{
    uint8_t marked[LG_MARK_BYTES];
    bool marks = l->has && sim_random(&l->random) % 4 != 0;
    l->tried_contents = marks ? l->contents : number;
    l->tried_mark = number;
    l->trying = true;
    mark_of(number, marked);
    if ((marks ? lg_store_mark(&l->store, marked) : keep(&l->store, number, number)) != LG_OK)
        return false;
    l->trying = false;
    l->has = true;
    l->contents = l->tried_contents;
    l->mark = l->tried_mark;
    CHECK(holds(&l->store, l->contents, l->mark));
    return true;
}

static void live(uint32_t page, uint32_t block, uint32_t blocks, uint64_t seed, unsigned powers)
{
    life l;
    memset(&l, 0, sizeof l);
    l.random = seed * 2 + 1;
    flash_sim_make(&l.sim, page, block, blocks, seed);
    uint32_t number = 0;
    for (unsigned power = 0; power < powers; power++) {
        flash_sim_power(&l.sim, UINT64_MAX);
        mount(&l);
        flash_sim_power(&l.sim, sim_random(&l.random) % 150);
        while (act(&l, ++number))
            continue;
        CHECK(l.sim.dead);
    }
    CHECK(number > powers);
    flash_sim_free(&l.sim);
}

static void random_lives_keep_the_last_or_what_was_being_kept(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        live(8, 1024, 2, seed, 120);
        live(16, 1024, 4, seed, 120);
        live(256, 2048, 2, seed, 120);
    }
}

static void a_cut_at_any_step_of_a_replacement_leaves_the_old_or_the_new(void **state)
{
    (void)state;
    for (uint64_t cut = 0;; cut++) {
        life l;
        memset(&l, 0, sizeof l);
        flash_sim_make(&l.sim, 16, 1024, 2, cut + 1);
        flash_sim_power(&l.sim, UINT64_MAX);
        mount(&l);
        CHECK(keep(&l.store, 11, 12) == LG_OK);
        flash_sim_power(&l.sim, cut);
        lg_result result = keep(&l.store, 13, 14);
        flash_sim_power(&l.sim, UINT64_MAX);
        lg_flash flash = flash_sim_port(&l.sim);
        CHECK(lg_store_mount(&l.store, &flash) == LG_OK);
        CHECK(holds(&l.store, 13, 14) || (result != LG_OK && holds(&l.store, 11, 12)));
        flash_sim_free(&l.sim);
        if (result == LG_OK)
            break;
        CHECK(cut < 1000);
    }
}

static void what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    life l;
    uint8_t mark[LG_MARK_BYTES];
    memset(&l, 0, sizeof l);
    flash_sim_make(&l.sim, 16, 1024, 2, 1);
    flash_sim_power(&l.sim, UINT64_MAX);
    mount(&l);
    mark_of(1, mark);
    assert_int_equal(lg_store_mark(&l.store, mark), LG_BAD); /* beside nothing */
    assert_int_equal(keep(&l.store, 5, 6), LG_OK);
    assert_int_equal(lg_store_begin(&l.store, 1024, mark), LG_FULL);
    assert_int_equal(lg_store_begin(&l.store, UINT32_MAX, mark), LG_FULL);
    assert_true(holds(&l.store, 5, 6));
    assert_int_equal(lg_store_begin(&l.store, 900, mark), LG_OK);
    assert_int_equal(lg_store_commit(&l.store), LG_BAD); /* before all of it was put */
    assert_true(holds(&l.store, 5, 6));
    assert_int_equal(lg_store_read(&l.store, l.store.n, mark, 1), LG_BAD);
    flash_sim_free(&l.sim);
}

static void flash_without_two_slots_is_refused(void **state)
{
    (void)state;
    flash_sim sim;
    lg_store store;
    flash_sim_make(&sim, 16, 1024, 3, 1);
    lg_flash flash = flash_sim_port(&sim);
    assert_int_equal(lg_store_mount(&store, &flash), LG_BAD);
    flash_sim_free(&sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_lives_keep_the_last_or_what_was_being_kept),
        cmocka_unit_test(a_cut_at_any_step_of_a_replacement_leaves_the_old_or_the_new),
        cmocka_unit_test(what_does_not_fit_is_refused_and_changes_nothing),
        cmocka_unit_test(flash_without_two_slots_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
