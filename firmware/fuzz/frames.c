/* Any bytes as frames and bodies: each is refused or read, and what is read is within. */
#include <string.h>

#include "check.h"
#include "liftgate/pack.h"
#include "liftgate/wire.h"

/* Read all items of a body that was checked: their bytes lie inside. */
static void walk(lg_bytes body)
{
    lg_unpacker u;
    lg_item item;
    lg_unpack_begin(&u, body);
    while (u.at != u.end) {
        if (lg_unpack(&u, &item) != LG_OK)
            return;
        if (item.bytes.n != 0)
            CHECK(item.bytes.data >= body.data && item.bytes.data + item.bytes.n <= body.data + body.n);
        if (item.kind == LG_ITEM_STR)
            (void)lg_utf8(item.bytes, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint32_t body_bytes = 0;
    lg_frame frame;
    if (n == 0)
        return 0;
    lg_bytes body = {data + 1, n - 1};
    lg_fault fault = lg_body_check(data[0] & 0x7F, body);
    walk(body);
    lg_unpacker u;
    lg_unpack_begin(&u, body);
    CHECK(lg_unpack_skip(&u) == LG_OK || fault == LG_FAULT_BODY);
    if (n >= LG_FRAME_HEADER_BYTES && lg_frame_header(data, 4096, &body_bytes) == LG_FAULT_NONE &&
        n - LG_FRAME_HEADER_BYTES >= body_bytes && lg_frame_open(data, &frame) == LG_FAULT_NONE)
        (void)lg_body_check(frame.type, frame.body);
    return 0;
}
