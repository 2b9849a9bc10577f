/* Any bytes as what the flash holds: a log is found or made, and then it keeps what it is given. The input is
 * laid over a flash with a real log in it, so that changes of good records are tried too. */
#include <string.h>

#include "check.h"
#include "flash_sim.h"
#include "liftgate/log.h"
#include "liftgate/wire.h"

enum { PAGE = 16, BLOCK = 1024, BLOCKS = 4 };

static void live(lg_log *log, unsigned events)
{
    uint8_t body[40];
    lg_bytes bytes = {body, sizeof body};
    lg_entry entry;
    for (unsigned i = 0; i < events; i++) {
        memset(body, (int)i, sizeof body);
        if (lg_log_append(log, LG_SCAN, (uint8_t)(i % 12 ? 1 : 0), bytes, &entry) == LG_OK && i % 3)
            (void)lg_log_acknowledge(log, entry.no, entry.no);
    }
}

static uint64_t walk(lg_log *log)
{
    lg_cursor cursor;
    lg_entry entry;
    static uint8_t body[1 << 16];
    uint64_t count = 0;
    lg_log_first(log, &cursor);
    while (lg_log_next(log, &cursor, &entry) == LG_OK) {
        CHECK(lg_log_read(log, &entry, body) == LG_OK);
        count++;
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    flash_sim sim;
    uint64_t random = 3;
    lg_crypto crypto = sim_crypto(&random);
    lg_log log;
    flash_sim_make(&sim, PAGE, BLOCK, BLOCKS, 3);
    lg_flash flash = flash_sim_port(&sim);
    CHECK(lg_log_mount(&log, &flash, &crypto, NULL) == LG_OK);
    live(&log, n > 0 ? data[0] % 64 : 0);
    for (size_t at = 1; at + 4 <= n; at += 4) { /* place, and what is changed there */
        uint32_t place = (uint32_t)(data[at] | data[at + 1] << 8) % (BLOCK * BLOCKS);
        sim.bytes[place] = data[at + 2] & 1 ? data[at + 3] : (uint8_t)(sim.bytes[place] ^ data[at + 3]);
        sim.touched[place / PAGE] = sim.touched[place / PAGE] || sim.bytes[place] != 0xFF;
    }
    CHECK(lg_log_mount(&log, &flash, &crypto, NULL) == LG_OK);
    CHECK(log.boot != 0 && log.done_to < log.next_no);
    uint64_t found = walk(&log), before = lg_log_count(&log);
    /* less: among many ranges a lost number found no place; the next mount looks again */
    CHECK(found <= before);
    lg_entry entry;
    lg_bytes body = {(const uint8_t *)"x", 1};
    if (lg_log_append(&log, LG_PASSAGE, LG_NO_VERDICT, body, &entry) == LG_OK) {
        CHECK(lg_log_mount(&log, &flash, &crypto, NULL) == LG_OK);
        CHECK(log.next_no == entry.no + 1 && walk(&log) == found + 1);
    }
    flash_sim_free(&sim);
    return 0;
}
