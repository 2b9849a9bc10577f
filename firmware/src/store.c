/* Slot: [magic, sequence, length, mark][contents][CRC of both], filled up to whole pages, then later marks
 * [mark][CRC]. Integers are little-endian. Only whole pages are programmed, upwards, each once. */
#include "liftgate/store.h"

#include <string.h>

#include "bytes.h"
#include "liftgate/wire.h"

#define MAGIC 0x3153474Cu /* "LGS1" */
enum {
    MARK_AT = 12,
    HEAD_BYTES = MARK_AT + LG_MARK_BYTES,
    CRC_BYTES = 4,
    MARKED_BYTES = LG_MARK_BYTES + CRC_BYTES,
    COPY_BYTES = 32
};

static uint32_t slot_bytes(const lg_store *store)
{
    return store->flash.block_count / 2 * store->flash.block_bytes;
}

static uint32_t whole_pages(const lg_store *store, uint32_t bytes)
{
    return (bytes + store->flash.page_bytes - 1) / store->flash.page_bytes * store->flash.page_bytes;
}

static uint32_t mark_step(const lg_store *store)
{
    return whole_pages(store, MARKED_BYTES);
}

static lg_result read_at(const lg_store *store, uint32_t slot, uint32_t at, uint8_t *out, size_t n)
{
    return store->flash.read(store->flash.context, slot * slot_bytes(store) + at, out, n);
}

/* Sequence and length of a slot, or 0 where it does not hold what it should. */
static lg_result look(const lg_store *store, uint32_t slot, uint32_t *sequence, uint32_t *n)
{
    uint8_t piece[COPY_BYTES];
    uint32_t crc, at = HEAD_BYTES;

    *sequence = 0;
    if (read_at(store, slot, 0, piece, HEAD_BYTES) != LG_OK)
        return LG_FLASH_FAULT;
    *n = lg_load32(piece + 8);
    if (lg_load32(piece) != MAGIC || *n > slot_bytes(store) - HEAD_BYTES - CRC_BYTES)
        return LG_OK;
    crc = lg_crc32(0, piece, HEAD_BYTES);
    *sequence = lg_load32(piece + 4);
    while (at < HEAD_BYTES + *n) {
        uint32_t step = HEAD_BYTES + *n - at < COPY_BYTES ? HEAD_BYTES + *n - at : COPY_BYTES;
        if (read_at(store, slot, at, piece, step) != LG_OK)
            return LG_FLASH_FAULT;
        crc = lg_crc32(crc, piece, step);
        at += step;
    }
    if (read_at(store, slot, at, piece, CRC_BYTES) != LG_OK)
        return LG_FLASH_FAULT;
    if (lg_load32(piece) != crc)
        *sequence = 0;
    return LG_OK;
}

/* The last whole mark, and the place for the next. A place that is not erased is passed over, whole or not,
 * and the one after the last of them too: a cut may have begun to program it, so that it only looks erased.
 */
static lg_result find_marks(lg_store *store)
{
    uint8_t found[MARKED_BYTES];
    uint32_t step = mark_step(store), at = whole_pages(store, HEAD_BYTES + store->n + CRC_BYTES);

    if (read_at(store, store->slot, MARK_AT, store->mark, LG_MARK_BYTES) != LG_OK)
        return LG_FLASH_FAULT;
    store->mark_at = at + step;
    for (; at + step <= slot_bytes(store); at += step) {
        bool erased = true;
        if (read_at(store, store->slot, at, found, MARKED_BYTES) != LG_OK)
            return LG_FLASH_FAULT;
        for (size_t i = 0; i < MARKED_BYTES; i++)
            erased = erased && found[i] == 0xFF;
        if (erased)
            continue;
        store->mark_at = at + 2 * step;
        if (lg_load32(found + LG_MARK_BYTES) == lg_crc32(0, found, LG_MARK_BYTES))
            memcpy(store->mark, found, LG_MARK_BYTES);
    }
    return LG_OK;
}

lg_result lg_store_mount(lg_store *store, const lg_flash *flash)
{
    uint32_t sequence[2], n[2];

    memset(store, 0, sizeof *store);
    store->flash = *flash;
    if (flash->block_count < 2 || flash->block_count % 2 != 0 || flash->page_bytes > LG_PAGE_BYTES_MAX)
        return LG_BAD;
    for (uint32_t slot = 0; slot < 2; slot++)
        if (look(store, slot, &sequence[slot], &n[slot]) != LG_OK)
            return LG_FLASH_FAULT;
    store->slot = sequence[1] > sequence[0] ? 1 : 0;
    store->sequence = sequence[store->slot];
    if (store->sequence == 0)
        return LG_OK;
    store->n = n[store->slot];
    return find_marks(store);
}

static lg_result write_bytes(lg_store *store, const uint8_t *bytes, size_t n)
{
    uint32_t base = (1 - store->slot) * slot_bytes(store), page = store->flash.page_bytes;

    while (n > 0) {
        uint32_t in_page = store->write_at % page;
        uint32_t step = page - in_page < n ? page - in_page : (uint32_t)n;
        memcpy(store->page + in_page, bytes, step);
        store->write_at += step;
        bytes += step;
        n -= step;
        if (in_page + step < page)
            continue;
        if (store->flash.program(store->flash.context, base + store->write_at - page, store->page) != LG_OK)
            return LG_FLASH_FAULT;
        memset(store->page, 0xFF, page);
    }
    return LG_OK;
}

lg_result lg_store_begin(lg_store *store, uint32_t n, const uint8_t mark[LG_MARK_BYTES])
{
    uint8_t head[HEAD_BYTES];
    uint32_t blocks = store->flash.block_count / 2;

    if (n > slot_bytes(store) ||
        whole_pages(store, HEAD_BYTES + n + CRC_BYTES) + 2 * mark_step(store) > slot_bytes(store))
        return LG_FULL;
    for (uint32_t i = 0; i < blocks; i++)
        if (store->flash.erase(store->flash.context, (1 - store->slot) * blocks + i) != LG_OK)
            return LG_FLASH_FAULT;
    memset(store->page, 0xFF, sizeof store->page);
    lg_store32(head, MAGIC);
    lg_store32(head + 4, store->sequence + 1);
    lg_store32(head + 8, n);
    memcpy(head + MARK_AT, mark, LG_MARK_BYTES);
    memcpy(store->write_mark, mark, LG_MARK_BYTES);
    store->write_at = 0;
    store->write_n = n;
    store->write_crc = 0;
    return lg_store_put(store, head, sizeof head);
}

lg_result lg_store_put(lg_store *store, const void *bytes, size_t n)
{
    store->write_crc = lg_crc32(store->write_crc, bytes, n);
    return write_bytes(store, bytes, n);
}

lg_result lg_store_commit(lg_store *store)
{
    uint8_t crc[CRC_BYTES];
    uint32_t fill;
    lg_result result;

    if (store->write_at != HEAD_BYTES + store->write_n)
        return LG_BAD;
    lg_store32(crc, store->write_crc);
    result = write_bytes(store, crc, sizeof crc);
    fill = store->write_at % store->flash.page_bytes;
    if (result == LG_OK && fill != 0)
        result =
            store->flash.program(store->flash.context,
                                 (1 - store->slot) * slot_bytes(store) + store->write_at - fill, store->page);
    if (result != LG_OK)
        return LG_FLASH_FAULT;
    store->slot = 1 - store->slot;
    store->sequence++;
    store->n = store->write_n;
    store->mark_at = whole_pages(store, store->write_at);
    memcpy(store->mark, store->write_mark, LG_MARK_BYTES);
    return LG_OK;
}

lg_result lg_store_read(const lg_store *store, uint32_t at, void *out, size_t n)
{
    if (store->sequence == 0 || at > store->n || n > store->n - at)
        return LG_BAD;
    return read_at(store, store->slot, HEAD_BYTES + at, out, n);
}

/* Write the contents anew under this mark, so that there are free places behind them. */
static lg_result move(lg_store *store, const uint8_t *mark)
{
    uint8_t piece[COPY_BYTES];
    lg_result result = lg_store_begin(store, store->n, mark);

    for (uint32_t at = 0; result == LG_OK && at < store->n; at += COPY_BYTES) {
        uint32_t step = store->n - at < COPY_BYTES ? store->n - at : COPY_BYTES;
        result = lg_store_read(store, at, piece, step);
        if (result == LG_OK)
            result = lg_store_put(store, piece, step);
    }
    return result == LG_OK ? lg_store_commit(store) : result;
}

lg_result lg_store_mark(lg_store *store, const uint8_t mark[LG_MARK_BYTES])
{
    uint8_t bytes[MARKED_BYTES];
    uint32_t page = store->flash.page_bytes, step = mark_step(store);
    lg_result result = LG_OK;

    if (store->sequence == 0)
        return LG_BAD;
    memcpy(bytes, mark, LG_MARK_BYTES);
    lg_store32(bytes + LG_MARK_BYTES, lg_crc32(0, mark, LG_MARK_BYTES));
    if (store->mark_at + step > slot_bytes(store))
        return move(store, mark);
    for (uint32_t done = 0; result == LG_OK && done < step; done += page) {
        uint32_t n = done < MARKED_BYTES ? MARKED_BYTES - done : 0;
        memset(store->page, 0xFF, page);
        memcpy(store->page, bytes + (n > 0 ? done : 0), n < page ? n : page);
        result = store->flash.program(store->flash.context,
                                      store->slot * slot_bytes(store) + store->mark_at + done, store->page);
    }
    if (result != LG_OK)
        return result;
    store->mark_at += step;
    memcpy(store->mark, mark, LG_MARK_BYTES);
    return LG_OK;
}
