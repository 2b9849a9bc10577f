/* Records of the ring log in the flash: written in whole pages, found again after whatever happened. */
#include <string.h>

#include "bytes.h"
#include "liftgate/wire.h"
#include "log_records.h"

#define BLOCK_MAGIC 0x314C474Cu /* "LGL1": the layout's version is in it */

static uint32_t crc_seed(const lg_log *log, uint32_t sequence)
{
    uint8_t name[12];
    lg_store64(name, log->boot);
    lg_store32(name + 8, sequence);
    return lg_crc32(0, name, sizeof name);
}

/* Byte i of header and payload as one piece; what pads the last page stays as erased. */
static void fill_page(const lg_log *log, uint8_t *page, uint32_t from, const uint8_t *header,
                      const uint8_t *payload, uint32_t n)
{
    for (uint32_t i = 0; i < log->flash.page_bytes; i++) {
        uint32_t at = from + i;
        page[i] = at < HEADER_BYTES ? header[at] : at - HEADER_BYTES < n ? payload[at - HEADER_BYTES] : 0xFF;
    }
}

lg_result record_write(lg_log *log, const record *r, const uint8_t *payload)
{
    uint32_t seed = r->kind == RECORD_BLOCK ? 0 : crc_seed(log, log->sequence);
    uint8_t header[HEADER_BYTES] = {0};
    lg_store16(header, r->n);
    header[2] = r->kind;
    header[3] = r->type;
    header[4] = r->verdict;
    lg_store64(header + 8, r->no);
    lg_store32(header + 16, lg_crc32(seed, payload, r->n));
    lg_store32(header + 20, lg_crc32(seed, header, 20));

    const lg_flash *flash = &log->flash;
    uint32_t at = log->newest_block * flash->block_bytes + log->write_at;
    uint32_t total = whole_pages(log, HEADER_BYTES + r->n);
    log->write_at += total; /* a page that failed half way is not tried again */
    for (uint32_t from = 0; from < total; from += flash->page_bytes) {
        fill_page(log, log->page, from, header, payload, r->n);
        if (flash->program(flash->context, at + from, log->page) != LG_OK)
            return LG_FLASH_FAULT;
    }
    return LG_OK;
}

/* A whole header at that place of the flash? */
static bool header_read(const lg_log *log, uint32_t at, uint32_t seed, record *r, uint32_t *payload_crc)
{
    uint8_t header[HEADER_BYTES];
    if (log->flash.read(log->flash.context, at, header, sizeof header) != LG_OK)
        return false;
    if (lg_crc32(seed, header, 20) != lg_load32(header + 20))
        return false;
    r->n = lg_load16(header);
    r->kind = header[2];
    r->type = header[3];
    r->verdict = header[4];
    r->no = lg_load64(header + 8);
    r->at = at + HEADER_BYTES;
    *payload_crc = lg_load32(header + 16);
    return true;
}

static bool payload_whole(lg_log *log, const record *r, uint32_t crc, uint32_t payload_crc)
{
    uint32_t step = log->flash.page_bytes;
    for (uint32_t done = 0; done < r->n; done += step) {
        uint32_t n = r->n - done < step ? r->n - done : step;
        if (log->flash.read(log->flash.context, r->at + done, log->page, n) != LG_OK)
            return false;
        crc = lg_crc32(crc, log->page, n);
    }
    return crc == payload_crc;
}

lg_result block_read(lg_log *log, uint32_t block, block_head *head)
{
    record r;
    uint8_t told[BLOCK_BYTES];
    uint32_t crc = 0;
    const lg_flash *flash = &log->flash;
    if (!header_read(log, block * flash->block_bytes, 0, &r, &crc) || r.kind != RECORD_BLOCK ||
        r.n != sizeof told)
        return LG_EMPTY;
    if (flash->read(flash->context, r.at, told, sizeof told) != LG_OK ||
        lg_crc32(0, told, sizeof told) != crc)
        return LG_EMPTY;
    head->sequence = lg_load32(told + 4);
    head->boot = lg_load64(told + 8);
    head->done_to = lg_load64(told + 16);
    head->next_no = r.no;
    bool ours = lg_load32(told) == BLOCK_MAGIC && lg_load32(told + 24) == flash->page_bytes &&
                lg_load32(told + 28) == flash->block_bytes;
    return ours ? LG_OK : LG_EMPTY;
}

lg_result block_begin(lg_log *log)
{
    uint8_t told[BLOCK_BYTES];
    lg_store32(told, BLOCK_MAGIC);
    lg_store32(told + 4, log->sequence);
    lg_store64(told + 8, log->boot);
    lg_store64(told + 16, log->done_to);
    lg_store32(told + 24, log->flash.page_bytes);
    lg_store32(told + 28, log->flash.block_bytes);
    record r = {RECORD_BLOCK, 0, 0, sizeof told, log->next_no, 0};
    log->write_at = 0;
    lg_result result = record_write(log, &r, told);
    if (result == LG_OK)
        log->done_to_in_flash = log->done_to;
    return result;
}

/* Look at one place of a block; returns by how much to go on from there. */
static uint32_t record_at(lg_log *log, const lg_cursor *cursor, record *r)
{
    uint32_t crc = 0, seed = crc_seed(log, cursor->sequence);
    uint32_t begin = block_of(log, cursor->sequence) * log->flash.block_bytes;
    uint32_t left = log->flash.block_bytes - cursor->at;
    r->kind = 0;
    if (left < HEADER_BYTES || !header_read(log, begin + cursor->at, seed, r, &crc) ||
        r->n > left - HEADER_BYTES) {
        r->kind = 0;
        return log->flash.page_bytes;
    }
    if (!payload_whole(log, r, seed, crc))
        r->kind = RECORD_DAMAGED;
    return whole_pages(log, HEADER_BYTES + r->n);
}

lg_result record_next(lg_log *log, lg_cursor *cursor, record *r)
{
    while (cursor->sequence <= log->sequence) {
        bool newest = cursor->sequence == log->sequence;
        uint32_t end = newest ? log->write_at : log->flash.block_bytes;
        block_head head;
        if (cursor->at == 0) { /* a block whose beginning is damaged has nothing that can be trusted */
            bool whole = block_read(log, block_of(log, cursor->sequence), &head) == LG_OK &&
                         head.boot == log->boot && head.sequence == cursor->sequence;
            cursor->at = whole ? whole_pages(log, HEADER_BYTES + BLOCK_BYTES) : end;
        }
        while (cursor->at < end) {
            cursor->at += record_at(log, cursor, r);
            if (r->kind != 0)
                return LG_OK;
        }
        if (newest)
            return LG_EMPTY;
        cursor->sequence++;
        cursor->at = 0;
    }
    return LG_EMPTY;
}
