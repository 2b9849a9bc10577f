/* The parts of liftgate-reader: its lanes (lanes.c), its commands (commands.c), what it decides alone
 * (alone.c), its loop (reader.c). */
#ifndef LIFTGATE_PROGRAM_H
#define LIFTGATE_PROGRAM_H

#include "host.h"
#include "liftgate/offline.h"
#include "terminal.h"

enum { LANES = 256, OPEN_MS = 15000 /* a barrier that nobody passes comes down again */ };

typedef struct lane_state {
    bool here; /* it has such a lane: named by an option, or by the command `lane` */
    bool up, has_session;
    uint8_t session[16]; /* of the last decision that opened */
    uint8_t mode;
    uint64_t down_ms;
} lane_state;

typedef struct program {
    lg_reader reader;
    lg_log log;
    flash_file flash, policy_flash;
    lg_alone alone;
    lg_offline offline, keep; /* what the reader calls, and what stands behind it */
    tcp_link link;
    bool plugged, quit;
    uint8_t lane;
    lane_state lanes[LANES];
    uint64_t now_ms;
    uint32_t refused_full; /* scans since the log became full, to be told once it has room */
    uint8_t key[LG_KEY_BYTES_MAX];
    uint8_t rx[LG_FRAME_HEADER_BYTES + 4096], tx[16384];
} program;

/* What the engine's orders and answers do here. */
void lanes_port(program *p, lg_lane_port *port);
void set_barrier(program *p, uint8_t lane, bool up);
/* Tell the engine how the lane is; fault may be "". */
lg_result report(program *p, const char *fault, uint64_t *no);
/* Barriers come down by themselves; what could not be kept is told as soon as it can. Returns ms until the
 * next of these. */
int tend_lanes(program *p, uint32_t wait_ms);

/* NULL where no lanes are named: then nothing is decided alone. */
const lg_offline *begin_alone(program *p, const options *o);

void run_command(program *p, char *line);

#endif
