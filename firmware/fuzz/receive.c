/* A reader under an engine that says anything: whatever comes, and in whatever pieces, its log and its table
 * of what awaits an answer stay sound. The input is a list of steps; frames get their right CRC, or they
 * would all end there. */
#include <string.h>

#include "check.h"
#include "lane_sim.h"
#include "../src/bytes.h"

static void feed(lane_sim *l, uint8_t type, uint32_t ref, const uint8_t *body, size_t n, bool raw)
{
    uint8_t frame[LG_FRAME_HEADER_BYTES + 512];
    memcpy(frame + LG_FRAME_HEADER_BYTES, body, n);
    size_t whole = lg_frame_seal(frame, type, ref, n);
    const uint8_t *bytes = raw ? body : frame;
    size_t left = raw ? n : whole;
    while (left > 0) {
        size_t out = 0, taken = lg_reader_receive(&l->reader, bytes, left, l->now_ms);
        bytes += taken;
        left -= taken;
        (void)lg_reader_output(&l->reader, &out, l->now_ms);
        CHECK(taken > 0 || out > 0);
        lg_reader_sent(&l->reader, out);
    }
}

/* The engine of lane_sim signs it on; then the input speaks. */
static void online(lane_sim *l)
{
    lane_sim_unplug(l);
    lane_sim_run(l, 40000);
    CHECK(l->reader.state == LG_ONLINE);
}

static void expect_sound(const lane_sim *l)
{
    CHECK(l->reader.pending_count <= LG_PENDING_MAX && l->reader.tx_from <= l->reader.tx_to);
    CHECK(l->reader.tx_to <= sizeof l->tx && l->reader.rx_n <= sizeof l->rx);
    CHECK(l->log.range_count <= LG_RANGES_MAX && l->log.done_to < l->log.next_no);
    CHECK(lg_log_count(&l->log) < l->log.next_no);
    for (uint32_t i = 1; i < l->reader.pending_count; i++)
        CHECK(l->reader.pending[i - 1].entry.no < l->reader.pending[i].entry.no);
}

/* One that has signed on already, put back as it was for each input: signing on takes longer than most
 * inputs. */
static lane_sim *begin(void)
{
    static lane_sim *l, *saved;
    static uint8_t *bytes;
    size_t flash_bytes = 0;
    if (!l) {
        l = lane_sim_new(1);
        saved = malloc(sizeof *saved);
        flash_bytes = (size_t)l->sim.block_bytes * l->sim.block_count;
        bytes = malloc(flash_bytes);
        CHECK(saved && bytes && lane_sim_boot(l));
        online(l);
        memcpy(saved, l, sizeof *saved);
        memcpy(bytes, l->sim.bytes, flash_bytes);
    }
    flash_bytes = (size_t)l->sim.block_bytes * l->sim.block_count;
    memcpy(l, saved, sizeof *l);
    memcpy(l->sim.bytes, bytes, flash_bytes);
    /* who programs twice is test_log's */
    memset(l->sim.touched, 0, flash_bytes / l->sim.page_bytes * sizeof *l->sim.touched);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    lane_sim *l = begin();
    l->reader.offline = n % 2 ? &l->offline : NULL;
    unsigned connections = 0;
    for (size_t at = 0; at + 3 <= n && connections < 4;) {
        uint8_t what = data[at], type = data[at + 1], length = data[at + 2];
        at += 3;
        size_t most = n - at < length ? n - at : length;
        if (what % 8 == 0)
            (void)lane_sim_scan(l, type, NULL);
        else if (what % 8 == 1)
            l->now_ms += (uint64_t)type * 100;
        else if (what % 8 == 2)
            (void)lg_reader_tick(&l->reader, l->now_ms);
        else
            feed(l, type, what >> 3, data + at, most, what % 8 == 3);
        if (what % 8 > 2)
            at += most;
        expect_sound(l);
        if (l->log.next_no > SIM_EVENTS_MAX / 2)
            break; /* an engine that knows such numbers is believed; lane_sim's tables end there */
        if (l->reader.state != LG_ONLINE) {
            online(l);
            connections++;
        }
    }
    return 0;
}
