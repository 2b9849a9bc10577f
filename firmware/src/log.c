/* The ring log: what is appended, what is acknowledged, and which block may go. Its promises are in
 * liftgate/log.h.
 *
 * Events stand in the order of their numbers, and what is noted about an event stands behind it. So the
 * oldest block can go as soon as all of its events are acknowledged and the flash says so in another block:
 * then an erase that is cut short cannot bring one of them back. The first page of a block says the
 * numbering, the next number and done_to, so erasing an older one loses nothing of that.
 */
#include <string.h>

#include "bytes.h"
#include "log_records.h"

/* Room in each block that events leave for acknowledgements: a log that is full of events must still be able
 * to note that they arrived. The last of them is kept for the one that frees a block. */
enum { SPARE_RECORDS = 4 };

static uint32_t room_left(const lg_log *log)
{
    return log->write_at < log->flash.block_bytes ? log->flash.block_bytes - log->write_at : 0;
}

/* The last number in the oldest block. */
static uint64_t oldest_last_no(lg_log *log)
{
    block_head head;
    for (uint32_t s = log->oldest_sequence + 1; s <= log->sequence; s++)
        if (block_read(log, block_of(log, s), &head) == LG_OK && head.sequence == s)
            return head.next_no - 1;
    return log->next_no - 1;
}

static bool ring_is_whole(const lg_log *log)
{
    return log->sequence - log->oldest_sequence + 1 >= log->flash.block_count;
}

/* Note in the flash what memory knows of done_to, if there is any room. */
static void write_done_to(lg_log *log)
{
    uint8_t last[TOGETHER_BYTES];
    lg_store64(last, log->done_to);
    record r = {RECORD_DONE, 0, 0, sizeof last, 1, 0};
    if (whole_pages(log, HEADER_BYTES + sizeof last) <= room_left(log) &&
        record_write(log, &r, last) == LG_OK)
        log->done_to_in_flash = log->done_to;
}

/* Erase the block after the newest. LG_FULL: it has events that nobody acknowledged. */
static lg_result free_next(lg_log *log)
{
    if (log->next_is_erased)
        return LG_OK;
    if (ring_is_whole(log)) {
        uint64_t last = oldest_last_no(log);
        if (last > log->done_to)
            return LG_FULL;
        if (last > log->done_to_in_flash)
            /* where that finds no room, a cut now may send an event again: the engine knows it */
            write_done_to(log);
        log->oldest_sequence++;
    }
    uint32_t next = (log->newest_block + 1) % log->flash.block_count;
    log->next_is_erased = log->flash.erase(log->flash.context, next) == LG_OK;
    return log->next_is_erased ? LG_OK : LG_FLASH_FAULT;
}

static bool next_may_go(lg_log *log)
{
    return log->next_is_erased || !ring_is_whole(log) || oldest_last_no(log) <= log->done_to;
}

static lg_result take_next(lg_log *log)
{
    lg_result result = free_next(log);
    if (result != LG_OK)
        return result;
    uint32_t full = log->newest_block;
    log->newest_block = (full + 1) % log->flash.block_count;
    log->sequence++;
    log->next_is_erased = false;
    result = block_begin(log);
    /* nothing may stand in a block that has no beginning: the full one is the newest again */
    if (result != LG_OK) {
        log->newest_block = full;
        log->sequence--;
        log->write_at = log->flash.block_bytes;
    }
    return result;
}

/* Room for a record of total bytes that leaves spare bytes, in this block or the next. */
static lg_result make_room(lg_log *log, uint32_t total, uint32_t spare)
{
    uint32_t left = room_left(log);
    if (left >= total && (left - total >= spare || next_may_go(log)))
        return LG_OK;
    return take_next(log);
}

static uint32_t spare_bytes(const lg_log *log, uint32_t records)
{
    return records * whole_pages(log, HEADER_BYTES + TOGETHER_BYTES);
}

lg_result lg_log_append(lg_log *log, uint8_t type, uint8_t verdict, lg_bytes body, lg_entry *entry)
{
    if (body.n > LG_EVENT_BYTES_MAX)
        return LG_BAD;
    uint32_t total = whole_pages(log, HEADER_BYTES + (uint32_t)body.n);
    lg_result result = make_room(log, total, spare_bytes(log, SPARE_RECORDS));
    if (result != LG_OK)
        return result;
    record r = {RECORD_EVENT, type, verdict, (uint16_t)body.n, log->next_no, 0};
    entry->no = log->next_no;
    entry->type = type;
    entry->verdict = verdict;
    entry->n = (uint16_t)body.n;
    entry->at = log->newest_block * log->flash.block_bytes + log->write_at + HEADER_BYTES;
    lg_cursor here = {log->sequence, log->write_at};
    result = record_write(log, &r, body.data);
    if (result != LG_OK && (record_next(log, &here, &r) != LG_OK || r.kind != RECORD_EVENT))
        return result;
    /* also where the flash complained of an event that stands there whole: its number is used */
    log->next_no++;
    return LG_OK;
}

lg_result lg_log_set_verdict(lg_log *log, uint64_t no, uint8_t verdict)
{
    lg_result result = make_room(log, whole_pages(log, HEADER_BYTES), spare_bytes(log, SPARE_RECORDS));
    record r = {RECORD_VERDICT, 0, verdict, 0, no, 0};
    return result == LG_OK ? record_write(log, &r, NULL) : result;
}

bool lg_log_has_room(lg_log *log)
{
    uint32_t needed = whole_pages(log, HEADER_BYTES + LG_EVENT_BYTES_MAX) + spare_bytes(log, SPARE_RECORDS);
    return room_left(log) >= needed || next_may_go(log);
}

lg_result lg_log_prepare(lg_log *log)
{
    if (log->next_is_erased || log->write_at < log->flash.block_bytes / 2 || !next_may_go(log))
        return LG_OK;
    return free_next(log);
}

/* -- what is acknowledged */

bool lg_log_acknowledged(const lg_log *log, uint64_t no)
{
    bool found = no <= log->done_to;
    for (uint32_t i = 0; !found && i < log->range_count; i++)
        found = no >= log->ranges[i].from && no <= log->ranges[i].to;
    return found;
}

uint64_t lg_log_count(const lg_log *log)
{
    uint64_t count = log->next_no - 1 - log->done_to;
    for (uint32_t i = 0; i < log->range_count; i++)
        count -= log->ranges[i].to - log->ranges[i].from + 1;
    return count;
}

static void range_remove(lg_log *log, uint32_t i)
{
    log->ranges[i] = log->ranges[--log->range_count];
}

lg_result ranges_add(lg_log *log, lg_range *range)
{
    for (uint32_t i = 0; i < log->range_count;) {
        const lg_range *other = &log->ranges[i];
        if (range->from > other->to + 1 || other->from > range->to + 1) {
            i++;
            continue;
        }
        range->from = range->from < other->from ? range->from : other->from;
        range->to = range->to > other->to ? range->to : other->to;
        range_remove(log, i); /* and look at all again: the wider one may touch those passed over */
        i = 0;
    }
    if (range->from <= log->done_to + 1) {
        range->from = 1;
        log->done_to = range->to > log->done_to ? range->to : log->done_to;
        range->to = log->done_to;
        return LG_OK;
    }
    if (log->range_count == LG_RANGES_MAX)
        return LG_FULL;
    log->ranges[log->range_count++] = *range;
    return LG_OK;
}

static bool all_acknowledged(const lg_log *log, const lg_range *range)
{
    bool inside = range->to <= log->done_to;
    for (uint32_t i = 0; !inside && i < log->range_count; i++)
        inside = range->from >= log->ranges[i].from && range->to <= log->ranges[i].to;
    return inside;
}

/* Room for one more acknowledgement? The last place of a block is for what free_next may have to note. */
static bool room_to_note(lg_log *log)
{
    return room_left(log) >= spare_bytes(log, 2) || take_next(log) == LG_OK;
}

lg_result lg_log_acknowledge(lg_log *log, uint64_t from, uint64_t to)
{
    lg_range range = {from == 0 ? 1 : from, to < log->next_no ? to : log->next_no - 1};
    if (range.from > range.to || all_acknowledged(log, &range))
        return LG_OK;
    if (range.from <= log->done_to)
        range.from = log->done_to + 1;
    if (ranges_add(log, &range) != LG_OK)
        return LG_FULL;
    if (!room_to_note(log))
        return LG_FULL;
    uint8_t last[TOGETHER_BYTES];
    lg_store64(last, range.to);
    record r = {RECORD_DONE, 0, 0, sizeof last, range.from, 0};
    lg_result result = record_write(log, &r, last);
    if (result == LG_OK && range.from == 1)
        log->done_to_in_flash = log->done_to;
    return result;
}
