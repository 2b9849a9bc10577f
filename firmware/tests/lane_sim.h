/* A reader with all that it stands on, in virtual time: flash, log, a lane that notes what it was told, a
 * connection that can be cut anywhere. */
#ifndef LANE_SIM_H
#define LANE_SIM_H

#include "engine_sim.h"
#include "flash_sim.h"

typedef struct lane_sim {
    uint64_t now_ms, random;
    flash_sim sim;
    lg_crypto crypto;
    lg_log log;
    lg_reader reader;
    lg_reader_config config;
    lg_lane_port port;
    lg_offline offline;
    bool with_offline;
    engine_sim engine;
    bool connected, plugged;
    /* bytes that still get through, each way; then the connection ends. UINT64_MAX: all */
    uint64_t cut_up, cut_down;
    size_t chunk;              /* the largest piece that comes at once */
    /* what the lane was told */
    unsigned decisions, opened, refused, late, alone, vends, displays, mode, policies, connects;
    uint8_t opened_by[SIM_EVENTS_MAX]; /* how often each number moved the barrier */
    lg_decision last;
    uint8_t rx[4096 + LG_FRAME_HEADER_BYTES], tx[2048];
} lane_sim;

lane_sim *lane_sim_new(uint64_t seed);
void lane_sim_free(lane_sim *l);
/* The power comes back: mount and begin. False: it went again meanwhile. */
bool lane_sim_boot(lane_sim *l);
/* Let so much time pass, with all that happens in it. Stops when the power goes. */
void lane_sim_run(lane_sim *l, uint64_t ms);
void lane_sim_unplug(lane_sim *l);
/* Scan a card that is `n`'s. */
lg_result lane_sim_scan(lane_sim *l, unsigned n, uint64_t *no);

#endif
