/* The frame: a 16-byte header with a CRC over itself and the body. */
#include "bytes.h"
#include "liftgate/wire.h"

enum { VERSION_AT = 2, TYPE_AT = 3, LENGTH_AT = 4, REF_AT = 8, CRC_AT = 12 };

static uint32_t crc_of(const uint8_t *frame, size_t body_bytes)
{
    return lg_crc32(lg_crc32(0, frame, CRC_AT), frame + LG_FRAME_HEADER_BYTES, body_bytes);
}

lg_fault lg_frame_header(const uint8_t *header, uint32_t body_bytes_max, uint32_t *body_bytes)
{
    if (header[0] != 'L' || header[1] != 'G')
        return LG_FAULT_MAGIC;
    if (header[VERSION_AT] != LG_VERSION)
        return LG_FAULT_VERSION;
    *body_bytes = lg_load32(header + LENGTH_AT);
    return *body_bytes > body_bytes_max ? LG_FAULT_TOO_LONG : LG_FAULT_NONE;
}

lg_fault lg_frame_open(const uint8_t *bytes, lg_frame *frame)
{
    frame->type = bytes[TYPE_AT];
    frame->ref = lg_load32(bytes + REF_AT);
    frame->body.data = bytes + LG_FRAME_HEADER_BYTES;
    frame->body.n = lg_load32(bytes + LENGTH_AT);
    return crc_of(bytes, frame->body.n) == lg_load32(bytes + CRC_AT) ? LG_FAULT_NONE : LG_FAULT_CRC;
}

size_t lg_frame_seal(uint8_t *frame, uint8_t type, uint32_t ref, size_t body_bytes)
{
    frame[0] = 'L';
    frame[1] = 'G';
    frame[VERSION_AT] = LG_VERSION;
    frame[TYPE_AT] = type;
    lg_store32(frame + LENGTH_AT, (uint32_t)body_bytes);
    lg_store32(frame + REF_AT, ref);
    lg_store32(frame + CRC_AT, crc_of(frame, body_bytes));
    return LG_FRAME_HEADER_BYTES + body_bytes;
}
