/* Records of the ring log, inside the library.
 *
 * A block begins with a BLOCK record; all records begin at a page. Header, 24 bytes, little-endian:
 *    0 u16 bytes of payload   2 u8 kind   3 u8 type   4 u8 verdict   5 three bytes 0
 *    8 u64 number            16 u32 CRC of the payload   20 u32 CRC of the header so far
 * Both CRCs begin with a value made of the boot and of the block's sequence number, but for BLOCK's: what an
 * interrupted erase left over from an earlier use of the block, or what a stranger wrote into a token, is no
 * record. The header has a CRC of its own, so that its length holds although the payload was torn.
 */
#ifndef LIFTGATE_LOG_RECORDS_H
#define LIFTGATE_LOG_RECORDS_H

#include "liftgate/log.h"

enum { HEADER_BYTES = 24, BLOCK_BYTES = 32, TOGETHER_BYTES = 8 };

typedef enum record_kind {
    RECORD_BLOCK = 1,    /* number: of the next event; payload: magic, sequence, boot, done_to, geometry */
    RECORD_EVENT = 2,    /* number, type, verdict; payload: the body */
    RECORD_DONE = 3,     /* number: first of a range that is acknowledged; payload: u64 the last */
    RECORD_VERDICT = 4,  /* number, verdict: of an event appended without one */
    RECORD_DAMAGED = 255 /* the header is whole, the payload is not */
} record_kind;

typedef struct record {
    uint8_t kind, type, verdict;
    uint16_t n;
    uint64_t no;
    uint32_t at; /* of the payload, in the flash */
} record;

typedef struct block_head {
    uint32_t sequence;
    uint64_t boot, next_no, done_to;
} block_head;

static inline uint32_t whole_pages(const lg_log *log, uint32_t n)
{
    return (n + log->flash.page_bytes - 1) & ~(log->flash.page_bytes - 1);
}

static inline uint32_t block_of(const lg_log *log, uint32_t sequence)
{
    uint32_t back = log->sequence - sequence;
    return (log->newest_block + log->flash.block_count - back) % log->flash.block_count;
}

/* Write a record at write_at of the newest block, which has the room; write_at moves on even where the flash
 * fails. */
lg_result record_write(lg_log *log, const record *r, const uint8_t *payload);
/* Write the BLOCK record of the newest block, which is erased. */
lg_result block_begin(lg_log *log);
/* The BLOCK record of a block; LG_EMPTY where there is none. */
lg_result block_read(lg_log *log, uint32_t block, block_head *head);
/* The next record at or after the cursor, which moves behind it; LG_EMPTY at the end of the log. */
lg_result record_next(lg_log *log, lg_cursor *cursor, record *r);
/* Note a range in memory, made one with those that it touches; returns the result in *range. LG_FULL: no
 * place for it. */
lg_result ranges_add(lg_log *log, lg_range *range);

#endif
