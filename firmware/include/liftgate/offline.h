/* What a reader decides alone, by the engine's last POLICY. See "Alone" in docs/firmware.md.
 *
 * lg_alone stands behind lg_offline of reader.h. It keeps the policy in flash of its own, and finds what it
 * let in, and which single-use tickets those were, in the event log: there is no second record of that.
 */
#ifndef LIFTGATE_OFFLINE_H
#define LIFTGATE_OFFLINE_H

#include "liftgate/policy.h"
#include "liftgate/reader.h"
#include "liftgate/ticket.h"

/* Single-use tickets taken alone and not yet told to the engine; when as many are held, further ones are
 * refused. */
#ifndef LG_USED_MAX
#define LG_USED_MAX 64u
#endif
enum {
    LG_LANES_MAX = 8,
    LG_CTI_BYTES = 8,
    /* docs/protocol.md, as far as they happen here */
    LG_REASON_FINE = 0,
    LG_REASON_CLOSED = 100,
    LG_REASON_KIND = 101,
    LG_REASON_UNKNOWN = 200,
    LG_REASON_DENIED = 201,
    LG_REASON_TIME = 202,
    LG_REASON_PROOF = 203,
    LG_REASON_USED = 204,
    LG_REASON_HELP = 500
};

/* "both" is decided as an exit: nobody is locked in, at the price of letting in whoever comes. */
typedef enum lg_direction { LG_ENTRY = 1, LG_EXIT = 2, LG_BOTH = 3 } lg_direction;

typedef struct lg_alone_lane {
    uint8_t number;
    uint8_t direction;
} lg_alone_lane;

typedef struct lg_alone {
    const lg_crypto *crypto;
    lg_log *log;
    lg_store store;
    lg_policy policy;
    lg_alone_lane lanes[LG_LANES_MAX];
    uint32_t lane_count;
    uint8_t modes[LG_LANES_MAX]; /* as SET_LANE said last, through power cuts */
    uint64_t connected_ms;       /* when the engine was there last, by its clock; 0 = never */
    uint32_t entered;            /* opened at entries since then */
    uint32_t used_count;         /* may be above LG_USED_MAX: then some are not in `used` */
    uint8_t used[LG_USED_MAX][LG_CTI_BYTES];
    uint8_t ticket[LG_TICKET_BYTES_MAX];
    uint8_t work[LG_EVENT_BYTES_MAX];
} lg_alone;

/* `log` is mounted. `flash` is for the policy alone: an even count of blocks. LG_BAD: it is not, or too many
 * lanes. */
lg_result lg_alone_init(lg_alone *alone, const lg_crypto *crypto, lg_log *log, const lg_flash *flash,
                        const lg_alone_lane *lanes, size_t lane_count);

/* Fill in what lg_reader_init takes; `alone` must outlive it. */
void lg_alone_port(lg_alone *alone, lg_offline *port);

/* SET_LANE came: a lane that was closed by order stays closed when the network goes, or the power.
 * LG_FLASH_FAULT: it is known until power goes. LG_BAD: no such lane. */
lg_result lg_alone_set_mode(lg_alone *alone, uint8_t lane, uint8_t mode);

#endif
