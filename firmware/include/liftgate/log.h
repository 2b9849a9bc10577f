/* The ring log of events that nobody has acknowledged yet, over flash whose power may be cut at any moment.
 *
 * An event is kept from the moment that lg_log_append returns LG_OK until it is acknowledged. Numbers rise by
 * one. When the ring is full, blocks all of whose events are acknowledged are erased, oldest first; if the
 * oldest block has one that is not, appending is refused. Nothing is overwritten. Layout and reasoning:
 * src/log.c and docs/firmware.md.
 */
#ifndef LIFTGATE_LOG_H
#define LIFTGATE_LOG_H

#include "liftgate/port.h"

/* Ranges of acknowledged numbers above the first that is not, in memory. Live answers make one, each hole one
 * more. */
#ifndef LG_RANGES_MAX
#define LG_RANGES_MAX 16u
#endif
enum { LG_EVENT_BYTES_MAX = 600 };

typedef struct lg_range {
    uint64_t from, to;
} lg_range;

typedef struct lg_log {
    lg_flash flash;
    uint64_t boot;    /* names the numbering, never 0 */
    uint64_t next_no; /* what the next event gets */
    uint64_t done_to; /* all up to here are acknowledged */
    lg_range ranges[LG_RANGES_MAX];
    uint32_t range_count;
    uint32_t sequence;        /* of the newest block; blocks are numbered from 1 in the order of their use */
    uint32_t oldest_sequence; /* of the oldest block that is not erased */
    uint32_t newest_block;
    uint32_t write_at;   /* next free byte of the newest block, from its beginning */
    bool next_is_erased;      /* the block after the newest was erased since the mount */
    uint64_t done_to_in_flash; /* done_to as a mount would find it */
    /* events that the mount should have found and did not: damaged flash. Nobody gets them. */
    uint64_t lost;
    uint8_t page[LG_PAGE_BYTES_MAX];
} lg_log;

/* One event as it was appended. */
typedef struct lg_entry {
    uint64_t no;
    uint8_t type;    /* LG_SCAN, LG_PASSAGE, LG_LANE_STATUS */
    uint8_t verdict; /* what the reader did alone, LG_NO_VERDICT where it did not */
    uint32_t at;     /* where in flash, for lg_log_read */
    uint16_t n;      /* bytes of its body */
} lg_entry;

/* Where a walk through the events is. */
typedef struct lg_cursor {
    uint32_t sequence;
    uint32_t at;
} lg_cursor;

/* Find the log in the flash, in whatever state a power cut left it; where there is none, make one under a new
 * boot. *created tells which (may be NULL). */
lg_result lg_log_mount(lg_log *log, const lg_flash *flash, const lg_crypto *crypto, bool *created);
/* Keep an event under log->next_no, which moves on. LG_FULL: nothing was recorded. */
lg_result lg_log_append(lg_log *log, uint8_t type, uint8_t verdict, lg_bytes body, lg_entry *entry);
/* Keep what was done with an event after it was appended; the last call holds. */
lg_result lg_log_set_verdict(lg_log *log, uint64_t no, uint8_t verdict);
/* Events from..to are acknowledged. LG_OK: noted, now or before. LG_FULL: not, or only in memory; they come
 * back later or after a power cut, and the engine knows them again. */
lg_result lg_log_acknowledge(lg_log *log, uint64_t from, uint64_t to);
bool lg_log_acknowledged(const lg_log *log, uint64_t no);
/* How many events are not acknowledged. */
uint64_t lg_log_count(const lg_log *log);
/* Would an event of the largest size find room? */
bool lg_log_has_room(lg_log *log);
/* Erase ahead, when there is time: an erase takes tens of ms and an append should not wait for it. */
lg_result lg_log_prepare(lg_log *log);

void lg_log_first(const lg_log *log, lg_cursor *cursor);
/* The next event that is not acknowledged, in the order of their numbers; LG_EMPTY at the end. */
lg_result lg_log_next(lg_log *log, lg_cursor *cursor, lg_entry *entry);
/* The body of an entry, checked; room is at least entry->n. */
lg_result lg_log_read(lg_log *log, const lg_entry *entry, uint8_t *body);

#endif
