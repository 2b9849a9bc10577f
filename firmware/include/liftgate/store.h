/* One thing kept in flash through power cuts, replaced as a whole, and a small mark beside it that changes
 * more often.
 *
 * Two slots, each half of the flash. Contents are written into the other slot, with their CRC at the end:
 * until that stands, the old ones do. Later marks go into the pages that are left behind the contents, each
 * with a CRC of its own; the last whole one holds.
 */
#ifndef LIFTGATE_STORE_H
#define LIFTGATE_STORE_H

#include "liftgate/port.h"

enum { LG_MARK_BYTES = 16 };

typedef struct lg_store {
    lg_flash flash; /* block_count even, at least 2 */
    uint32_t slot;  /* 0, 1; where `n` bytes stand under `sequence`; sequence 0: nothing was ever kept */
    uint32_t sequence;
    uint32_t n;
    uint32_t mark_at;                      /* the next free place in the slot, in bytes from its beginning */
    uint8_t mark[LG_MARK_BYTES];           /* the last one */
    uint32_t write_at, write_n, write_crc; /* of what is being written */
    uint8_t write_mark[LG_MARK_BYTES];
    uint8_t page[LG_PAGE_BYTES_MAX];
} lg_store;

/* LG_BAD: the flash has no two slots. A store without contents is LG_OK. */
lg_result lg_store_mount(lg_store *store, const lg_flash *flash);

/* Replace contents and mark: begin with how many bytes it will be, put them in pieces, commit. What stood
 * before can be read until then. LG_FULL: they and two later marks do not fit a slot. */
lg_result lg_store_begin(lg_store *store, uint32_t n, const uint8_t mark[LG_MARK_BYTES]);
lg_result lg_store_put(lg_store *store, const void *bytes, size_t n);
lg_result lg_store_commit(lg_store *store);

lg_result lg_store_read(const lg_store *store, uint32_t at, void *out, size_t n);

/* Keep a mark. When there is no place left, the contents move to the other slot, which takes an erase. */
lg_result lg_store_mark(lg_store *store, const uint8_t mark[LG_MARK_BYTES]);

#endif
