/* Finding the log in the flash, whatever state a power cut left it in; and walking through its events. */
#include <string.h>

#include "bytes.h"
#include "liftgate/wire.h"
#include "log_records.h"

static bool geometry_is_good(const lg_flash *flash)
{
    uint32_t page = flash->page_bytes;
    return page >= 8 && page <= LG_PAGE_BYTES_MAX && (page & (page - 1)) == 0 && flash->block_count >= 3 &&
           flash->block_bytes >= 1024 && flash->block_bytes / 8 >= page && flash->block_bytes % page == 0;
}

static lg_result create(lg_log *log, const lg_crypto *crypto)
{
    uint8_t name[8];
    do {
        if (crypto->random(crypto->context, name, sizeof name) != LG_OK)
            return LG_CRYPTO_FAULT;
        log->boot = lg_load64(name);
    } while (log->boot == 0); /* comes once in 2^64; 0 names nothing */
    /* of another log nothing may be found later */
    for (uint32_t block = 0; block < log->flash.block_count; block++)
        if (log->flash.erase(log->flash.context, block) != LG_OK)
            return LG_FLASH_FAULT;
    log->sequence = log->oldest_sequence = 1;
    log->next_no = 1;
    return block_begin(log);
}

/* The newest block, and the oldest that belongs to the same row; LG_EMPTY where there is none. */
static lg_result find_blocks(lg_log *log)
{
    block_head head;
    for (uint32_t block = 0; block < log->flash.block_count; block++) {
        if (block_read(log, block, &head) != LG_OK || head.sequence <= log->sequence)
            continue;
        log->sequence = head.sequence;
        log->boot = head.boot;
        log->newest_block = block;
    }
    if (log->sequence == 0)
        return LG_EMPTY;
    log->oldest_sequence = log->sequence;
    for (uint32_t back = 1; back < log->flash.block_count && back < log->sequence; back++) {
        uint32_t sequence = log->sequence - back;
        if (block_read(log, block_of(log, sequence), &head) == LG_OK && head.boot == log->boot &&
            head.sequence == sequence)
            log->oldest_sequence = sequence;
    }
    return LG_OK;
}

/* Behind the last byte of the newest block that was ever programmed, and a page more: the cut may have come
 * before the first bit of a page was visibly changed, and such a page is not programmed again. */
static lg_result find_write_at(lg_log *log, uint32_t records_end)
{
    const lg_flash *flash = &log->flash;
    uint32_t at = flash->block_bytes;
    bool blank = true;
    while (blank && at > records_end) {
        at -= flash->page_bytes;
        if (flash->read(flash->context, log->newest_block * flash->block_bytes + at, log->page,
                        flash->page_bytes) != LG_OK)
            return LG_FLASH_FAULT;
        for (uint32_t i = 0; blank && i < flash->page_bytes; i++)
            blank = log->page[i] == 0xFF;
    }
    uint32_t end = blank ? records_end : at + flash->page_bytes;
    log->write_at = end < flash->block_bytes ? end + flash->page_bytes : flash->block_bytes;
    return LG_OK;
}

static void take_head(lg_log *log, uint32_t sequence)
{
    block_head head;
    if (block_read(log, block_of(log, sequence), &head) != LG_OK || head.sequence != sequence)
        return;
    uint64_t gone = sequence == log->oldest_sequence ? head.next_no - 1 : 0; /* what went had arrived */
    log->next_no = head.next_no > log->next_no ? head.next_no : log->next_no;
    head.done_to = head.done_to > gone ? head.done_to : gone;
    log->done_to = head.done_to > log->done_to ? head.done_to : log->done_to;
}

/* Also where the event itself is damaged: no number is given twice. */
static void number_was_given(lg_log *log, uint64_t no)
{
    if (no >= log->next_no)
        log->next_no = no + 1;
}

static void take_done(lg_log *log, const record *r)
{
    uint8_t last[TOGETHER_BYTES];
    if (r->n != sizeof last || log->flash.read(log->flash.context, r->at, last, sizeof last) != LG_OK)
        return;
    lg_range range = {r->no, lg_load64(last)};
    number_was_given(log, range.to);
    if (range.to > log->done_to)
        (void)ranges_add(log, &range); /* no place for it: its events come again, and the engine knows them */
}

/* All that the records say; returns where those of the newest block end. */
static uint32_t take_records(lg_log *log)
{
    uint32_t end = whole_pages(log, HEADER_BYTES + BLOCK_BYTES);
    log->write_at = log->flash.block_bytes; /* look at all of the newest block */
    for (uint32_t s = log->oldest_sequence; s <= log->sequence; s++)
        take_head(log, s);
    lg_cursor cursor = {log->oldest_sequence, 0};
    record r;
    while (record_next(log, &cursor, &r) == LG_OK) {
        if (r.kind == RECORD_EVENT || r.kind == RECORD_VERDICT)
            number_was_given(log, r.no);
        if (r.kind == RECORD_DONE)
            take_done(log, &r);
        if (cursor.sequence == log->sequence)
            end = cursor.at;
    }
    return end;
}

/* A number that neither stands here nor was acknowledged was lost to damage. It would block the ring for
 * ever. */
static void give_up_lost(lg_log *log)
{
    uint64_t before = lg_log_count(log), wanted = log->done_to + 1, found = 0;
    lg_cursor cursor;
    lg_entry entry;
    lg_log_first(log, &cursor);
    while (lg_log_next(log, &cursor, &entry) == LG_OK) {
        found++;
        lg_range gap = {wanted, entry.no - 1};
        if (gap.from <= gap.to && gap.from > log->done_to)
            (void)ranges_add(log, &gap);
        wanted = entry.no + 1;
    }
    lg_range rest = {wanted, log->next_no - 1};
    if (rest.from <= rest.to)
        (void)ranges_add(log, &rest);
    log->lost = before - found;
}

lg_result lg_log_mount(lg_log *log, const lg_flash *flash, const lg_crypto *crypto, bool *created)
{
    memset(log, 0, sizeof *log);
    log->flash = *flash;
    log->next_no = 1;
    if (!geometry_is_good(flash))
        return LG_BAD;
    bool none = find_blocks(log) == LG_EMPTY;
    if (created)
        *created = none;
    if (none)
        return create(log, crypto);
    uint32_t end = take_records(log);
    lg_result result = find_write_at(log, end);
    log->done_to_in_flash = log->done_to;
    if (result == LG_OK)
        give_up_lost(log);
    return result;
}

/* -- the walk through the events */

void lg_log_first(const lg_log *log, lg_cursor *cursor)
{
    cursor->sequence = log->oldest_sequence;
    cursor->at = 0;
}

/* What was done with an event is noted behind it, if it was not known at once. */
static uint8_t later_verdict(lg_log *log, lg_cursor cursor, uint64_t no)
{
    record r;
    uint8_t verdict = LG_NO_VERDICT;
    while (record_next(log, &cursor, &r) == LG_OK)
        if (r.kind == RECORD_VERDICT && r.no == no)
            verdict = r.verdict;
    return verdict;
}

lg_result lg_log_next(lg_log *log, lg_cursor *cursor, lg_entry *entry)
{
    record r;
    if (cursor->sequence < log->oldest_sequence)
        lg_log_first(log, cursor);
    while (record_next(log, cursor, &r) == LG_OK) {
        if (r.kind != RECORD_EVENT || lg_log_acknowledged(log, r.no))
            continue;
        entry->no = r.no;
        entry->type = r.type;
        bool open = r.type == LG_SCAN && r.verdict == LG_NO_VERDICT;
        entry->verdict = open ? later_verdict(log, *cursor, r.no) : r.verdict;
        entry->at = r.at;
        entry->n = r.n;
        return LG_OK;
    }
    return LG_EMPTY;
}

lg_result lg_log_read(lg_log *log, const lg_entry *entry, uint8_t *body)
{
    return log->flash.read(log->flash.context, entry->at, body, entry->n);
}
