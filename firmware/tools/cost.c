/* For callgrind: DECISION frames are taken by a reader that is online, `measured` alone is counted. The flash
 * is memory. */
#include <string.h>

#include "lane_sim.h"

enum { DECISIONS = 200 };

static lg_result copy_page(void *context, uint32_t at, const uint8_t *data)
{
    flash_sim *sim = context;
    memcpy(sim->bytes + at, data, sim->page_bytes);
    return LG_OK;
}

static lg_result copy_out(void *context, uint32_t at, uint8_t *out, size_t n)
{
    const flash_sim *sim = context;
    memcpy(out, sim->bytes + at, n);
    return LG_OK;
}

size_t measured(lg_reader *r, const uint8_t *data, size_t n, uint64_t now_ms);

/* Header, CRC, check of the body, the lane told, the acknowledgement noted in the flash. */
__attribute__((noinline)) size_t measured(lg_reader *r, const uint8_t *data, size_t n, uint64_t now_ms)
{
    return lg_reader_receive(r, data, n, now_ms);
}

int main(void)
{
    lane_sim *l = lane_sim_new(1);
    if (!lane_sim_boot(l))
        return 1;
    lane_sim_run(l, 1000);
    l->log.flash.program = copy_page;
    l->log.flash.read = copy_out;
    engine_sim *e = &l->engine;
    for (unsigned i = 0; i < DECISIONS; i++) {
        size_t n = 0;
        if (lane_sim_scan(l, i, NULL) != LG_OK)
            return 1;
        const uint8_t *out = lg_reader_output(&l->reader, &n, l->now_ms);
        engine_sim_feed(e, out, n);
        lg_reader_sent(&l->reader, n);
        e->out_from += measured(&l->reader, e->out + e->out_from, e->out_to - e->out_from, l->now_ms);
        (void)lg_log_prepare(&l->log);
    }
    bool all = l->opened == DECISIONS && lg_log_count(&l->log) == 0;
    lane_sim_free(l);
    return all ? 0 : 1;
}
