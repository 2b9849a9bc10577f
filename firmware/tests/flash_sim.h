/* A flash in memory whose power is cut where a test says, with whatever that leaves in the cells. */
#ifndef FLASH_SIM_H
#define FLASH_SIM_H

#include "liftgate/port.h"

typedef struct flash_sim {
    uint32_t page_bytes, block_bytes, block_count;
    uint8_t *bytes;
    /* by page: programmed, or half programmed, or half erased, since its last whole erase */
    bool *touched;
    uint64_t steps_left; /* programs and erases that go through; the next one is cut. UINT64_MAX: never */
    bool dead;
    uint64_t random; /* state of the generator */
    uint64_t programs;   /* since the power came */
    uint64_t steps;      /* done so far */
} flash_sim;

void flash_sim_make(flash_sim *sim, uint32_t page_bytes, uint32_t block_bytes, uint32_t block_count,
                    uint64_t seed);
void flash_sim_free(flash_sim *sim);
/* Power is back; it is cut again after so many steps. */
void flash_sim_power(flash_sim *sim, uint64_t steps_left);
lg_flash flash_sim_port(flash_sim *sim);

/* xorshift64*: the same numbers on every machine. */
uint64_t sim_random(uint64_t *state);
/* A crypto port whose random is that; nothing else is in it. */
lg_crypto sim_crypto(uint64_t *state);

#endif
