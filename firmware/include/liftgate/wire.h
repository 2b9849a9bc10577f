/* Frames and messages of the wire protocol (docs/protocol.md): numbers, and bytes in and out of them. */
#ifndef LIFTGATE_WIRE_H
#define LIFTGATE_WIRE_H

#include "liftgate/port.h"

enum { LG_FRAME_HEADER_BYTES = 16, LG_VERSION = 1, LG_TOKEN_BYTES_MAX = 512 };

typedef enum lg_type {
    LG_HELLO = 0x01,
    LG_CHALLENGE = 0x02,
    LG_AUTH = 0x03,
    LG_WELCOME = 0x04,
    LG_SCAN = 0x10,
    LG_DECISION = 0x11,
    LG_PASSAGE = 0x12,
    LG_LANE_STATUS = 0x13,
    LG_ACK = 0x14,
    LG_REPLAY = 0x15,
    LG_REPLAYED = 0x16,
    LG_VEND = 0x20,
    LG_SET_LANE = 0x21,
    LG_DISPLAY = 0x22,
    LG_DONE = 0x23,
    LG_POLICY = 0x24,
    LG_TIME_ASK = 0x28,
    LG_TIME = 0x29,
    LG_PING = 0x2A,
    LG_PONG = 0x2B,
    LG_GOODBYE = 0x2E,
    LG_ERROR = 0x2F
} lg_type;

/* Codes of ERROR. */
typedef enum lg_fault {
    LG_FAULT_NONE = 0,
    LG_FAULT_MAGIC = 1,
    LG_FAULT_VERSION = 2,
    LG_FAULT_TOO_LONG = 3,
    LG_FAULT_CRC = 4,
    LG_FAULT_BODY = 5,
    LG_FAULT_FIELD = 6,
    LG_FAULT_TYPE = 7, /* not fatal */
    LG_FAULT_SIGN_ON = 8,
    LG_FAULT_STATE = 9,
    LG_FAULT_IN_FLIGHT = 10,
    LG_FAULT_GAPS = 11,
    LG_FAULT_STOPPING = 12,
    LG_FAULT_LANE = 13,
    LG_FAULT_TOO_SLOW = 14
} lg_fault;

typedef enum lg_kind { LG_QR = 1, LG_CARD = 2, LG_SUN = 3, LG_PLATE = 4 } lg_kind;
typedef enum lg_verdict { LG_NO_VERDICT = 0, LG_OPEN = 1, LG_REFUSE = 2, LG_PAY_FIRST = 3 } lg_verdict;
typedef enum lg_what { LG_PASSED = 1, LG_BACKED_OUT = 2, LG_FOLLOWED = 3, LG_FORCED = 4 } lg_what;
typedef enum lg_barrier { LG_DOWN = 0, LG_UP = 1, LG_MOVING = 2, LG_BARRIER_FAULT = 3 } lg_barrier;
typedef enum lg_mode {
    LG_NORMAL = 1,
    LG_HELD_OPEN = 2,
    LG_CLOSED = 3,
    LG_CLOSED_TO_ALL = 4,
    LG_KNOWN_ONLY = 5
} lg_mode;

/* CRC-32 as in zlib; begin with 0, and go on with what the last call returned. */
uint32_t lg_crc32(uint32_t crc, const uint8_t *data, size_t n);

typedef struct lg_frame {
    uint8_t type;
    uint32_t ref;
    lg_bytes body;
} lg_frame;

/* Look at the 16 bytes of a header; *body_bytes is what follows it. */
lg_fault lg_frame_header(const uint8_t *header, uint32_t body_bytes_max, uint32_t *body_bytes);
/* The frame whose header and whole body stand at bytes, its CRC checked. */
lg_fault lg_frame_open(const uint8_t *bytes, lg_frame *frame);
/* Write the header before body_bytes of body that stand at frame + 16 already; returns the frame's length. */
size_t lg_frame_seal(uint8_t *frame, uint8_t type, uint32_t ref, size_t body_bytes);

/* Is a received body what its type says: one MessagePack array, at most 16 deep, fields in their ranges?
 * Knows what an engine sends; LG_FAULT_TYPE for other types. Every field may be read without a check after
 * it. */
lg_fault lg_body_check(uint8_t type, lg_bytes body);

#endif
