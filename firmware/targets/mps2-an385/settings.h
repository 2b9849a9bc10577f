/* What a reader is told at the factory, in the first block of its flash; provision.py writes it. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "liftgate/offline.h"

typedef struct settings {
    char id[LG_ID_BYTES_MAX + 1];
    uint8_t key[LG_KEY_BYTES_MAX];
    size_t key_bytes;
    lg_alone_lane lanes[LG_LANES_MAX];
    size_t lane_count;
} settings;

/* False: the block does not hold settings. */
bool settings_load(settings *out);

#endif
