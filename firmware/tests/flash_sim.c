#include "flash_sim.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

uint64_t sim_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545F4914F6CDD1Du;
}

static lg_result random_bytes(void *context, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(sim_random(context) >> 32);
    return LG_OK;
}

lg_crypto sim_crypto(uint64_t *state)
{
    lg_crypto crypto = {.context = state, .random = random_bytes};
    return crypto;
}

void flash_sim_make(flash_sim *sim, uint32_t page_bytes, uint32_t block_bytes, uint32_t block_count,
                    uint64_t seed)
{
    memset(sim, 0, sizeof *sim);
    sim->page_bytes = page_bytes;
    sim->block_bytes = block_bytes;
    sim->block_count = block_count;
    sim->random = seed | 1u;
    size_t n = (size_t)block_bytes * block_count;
    sim->bytes = malloc(n);
    sim->touched = calloc(n / page_bytes, sizeof *sim->touched);
    CHECK(sim->bytes && sim->touched);
    random_bytes(&sim->random, sim->bytes, n); /* nobody promises that a new part is blank */
    memset(sim->touched, 1, n / page_bytes);
    sim->steps_left = UINT64_MAX;
}

void flash_sim_free(flash_sim *sim)
{
    free(sim->bytes);
    free(sim->touched);
}

void flash_sim_power(flash_sim *sim, uint64_t steps_left)
{
    sim->dead = false;
    sim->steps_left = steps_left;
    sim->programs = 0;
}

/* One step more: does the power last through it? */
static bool lasts(flash_sim *sim)
{
    sim->dead = sim->steps_left == 0;
    if (sim->steps_left != UINT64_MAX && !sim->dead)
        sim->steps_left--;
    sim->steps++;
    return !sim->dead;
}

static lg_result sim_read(void *context, uint32_t at, uint8_t *out, size_t n)
{
    flash_sim *sim = context;
    CHECK(at + n <= (size_t)sim->block_bytes * sim->block_count);
    if (sim->dead)
        return LG_FLASH_FAULT;
    memcpy(out, sim->bytes + at, n);
    return LG_OK;
}

/* What a cut leaves of a program: nothing, all, the first bytes, or any of its bits. */
static uint8_t torn(flash_sim *sim, uint64_t way, uint32_t i, uint64_t prefix)
{
    switch (way % 4) {
    case 0:
        return 0;
    case 1:
        return 0xFF;
    case 2:
        return i < prefix ? 0xFF : i == prefix ? (uint8_t)sim_random(&sim->random) : 0;
    default:
        return (uint8_t)(sim_random(&sim->random) >> 20);
    }
}

static lg_result sim_program(void *context, uint32_t at, const uint8_t *data)
{
    flash_sim *sim = context;
    CHECK(at % sim->page_bytes == 0 && at < sim->block_bytes * sim->block_count);
    if (sim->dead)
        return LG_FLASH_FAULT;
    CHECK(!sim->touched[at / sim->page_bytes]);
    bool whole = lasts(sim), blank = true;
    uint64_t way = sim_random(&sim->random), prefix = sim_random(&sim->random) % sim->page_bytes;
    for (uint32_t i = 0; i < sim->page_bytes; i++) {
        uint8_t cleared = (uint8_t)~data[i];
        sim->bytes[at + i] &= (uint8_t)~(cleared & (whole ? 0xFF : torn(sim, way, i, prefix)));
        blank = blank && sim->bytes[at + i] == 0xFF;
    }
    /* The log passes over one page after each cut. If the next cut comes in the first page after that, and
     * leaves it as blank as it was, nobody can know: that page may be tried again. */
    sim->touched[at / sim->page_bytes] = whole || !blank || sim->programs > 0;
    sim->programs++;
    return whole ? LG_OK : LG_FLASH_FAULT;
}

/* An erase that was cut: each page as it was, erased, with some bits back at 1, or with any bits at all. */
static void half_erase(flash_sim *sim, uint32_t from, uint32_t n)
{
    uint64_t way = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i % sim->page_bytes == 0)
            way = sim_random(&sim->random) % 4;
        uint8_t noise = (uint8_t)(sim_random(&sim->random) >> 20);
        uint8_t *byte = &sim->bytes[from + i];
        *byte = way == 0 ? *byte : way == 1 ? 0xFF : way == 2 ? *byte | noise : noise;
    }
}

static lg_result sim_erase(void *context, uint32_t block)
{
    flash_sim *sim = context;
    CHECK(block < sim->block_count);
    if (sim->dead)
        return LG_FLASH_FAULT;
    uint32_t from = block * sim->block_bytes, pages = sim->block_bytes / sim->page_bytes;
    bool whole = lasts(sim);
    if (whole)
        memset(sim->bytes + from, 0xFF, sim->block_bytes);
    else
        half_erase(sim, from, sim->block_bytes);
    memset(sim->touched + from / sim->page_bytes, whole ? 0 : 1, pages);
    return whole ? LG_OK : LG_FLASH_FAULT;
}

lg_flash flash_sim_port(flash_sim *sim)
{
    lg_flash flash = {sim,      sim->page_bytes, sim->block_bytes, sim->block_count,
                      sim_read, sim_program,     sim_erase};
    return flash;
}
