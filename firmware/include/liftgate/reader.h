/* A gate reader's side of the protocol: bytes in, bytes out, and a clock that somebody else reads.
 *
 * No heap, no threads, no sockets. One lg_reader, its buffers and its log are all the memory there is. The
 * host
 *  - opens a connection when lg_reader_wants_connection says so, and tells lg_reader_connected /
 * lg_reader_disconnected;
 *  - gives what it received to lg_reader_receive, and sends what lg_reader_output has;
 *  - calls lg_reader_tick at the time that it returned, or earlier;
 *  - tells what happens at its lanes (lg_reader_scan, lg_reader_passage, lg_reader_lane_status);
 *  - does what the functions of lg_lane_port ask.
 * now_ms is a clock that only goes forward, from any beginning; never a calendar's.
 */
#ifndef LIFTGATE_READER_H
#define LIFTGATE_READER_H

#include "liftgate/log.h"
#include "liftgate/port.h"
#include "liftgate/wire.h"

/* Live events that await their answer. A lane has one driver at its barrier; a reader has few lanes. */
#ifndef LG_PENDING_MAX
#define LG_PENDING_MAX 8u
#endif
enum {
    LG_ID_BYTES_MAX = 64,
    LG_SOFTWARE_BYTES_MAX = 64,
    LG_KEY_BYTES_MAX = 64,
    LG_BODY_BYTES_MAX = LG_EVENT_BYTES_MAX,
    /* WELCOME with 64 ranges is the longest before a size is agreed */
    LG_RX_BYTES_MIN = LG_FRAME_HEADER_BYTES + 1536,
    LG_REPLY_BYTES_MAX = 128, /* the longest answer to a frame; while there is no room for it none is taken */
    LG_TX_BYTES_MIN = 2 * LG_FRAME_HEADER_BYTES + LG_EVENT_BYTES_MAX + LG_REPLY_BYTES_MAX + 8,
    LG_FAULTS_MAX = 16,
    LG_FAULT_BYTES_MAX = 64
};

typedef enum lg_state {
    LG_OFFLINE,         /* no connection */
    LG_AWAIT_CHALLENGE, /* HELLO is on its way */
    LG_AWAIT_WELCOME,   /* AUTH is on its way */
    LG_ONLINE,          /* the engine has proved that it holds the key */
    LG_CLOSING          /* what is in the output goes out, then the host closes */
} lg_state;

typedef struct lg_text {
    const char *at; /* UTF-8, no 0 at its end; valid during the call */
    size_t n;
} lg_text;

/* An answer to a scan. */
typedef struct lg_decision {
    uint64_t no;
    uint8_t lane;
    uint8_t verdict; /* lg_verdict: move the barrier only for LG_OPEN, and only where `late` is false */
    uint16_t reason; /* 0 = fine; docs/protocol.md */
    /* it was given up before: for the screen, never for the barrier; `lane` is not known any more */
    bool late;
    bool alone; /* decided here, without the engine */
    bool has_session;
    uint8_t session[16];
    lg_text spot, text;
    bool has_price;
    int64_t price_minor;
    lg_text currency;
} lg_decision;

/* What happens at the lanes when the engine, or the reader alone, says so. Each returns quickly; all must be
 * there. */
typedef struct lg_lane_port {
    void *context;
    void (*decision)(void *context, const lg_decision *decision);
    /* These three answer by DONE: true = done. */
    bool (*vend)(void *context, uint8_t lane, lg_text cause);
    bool (*set_lane)(void *context, uint8_t lane, uint8_t mode);
    bool (*display)(void *context, uint8_t lane, lg_text text, uint32_t seconds);
    /* For the log of the host: the state changed; why is a constant or valid during the call, "" where it
     * needs none. */
    void (*state)(void *context, lg_state state, lg_text why);
} lg_lane_port;

/* A scan that nobody but the reader can decide. */
typedef struct lg_alone_scan {
    uint8_t lane;
    uint8_t kind;
    lg_bytes token;
    uint64_t at_ms;   /* by the reader's clock */
    bool clock_known; /* at_ms was ever set, by an engine or by the host */
} lg_alone_scan;

typedef struct lg_alone_answer {
    uint8_t verdict; /* LG_OPEN or LG_REFUSE */
    uint16_t reason;
    const char *text; /* for the display; a constant, at most 64 bytes */
} lg_alone_answer;

/* Decisions without an engine, if the reader is to make any. Pass NULL instead of it to have none: a scan is
 * then LG_ALONE and nothing is recorded. */
typedef struct lg_offline {
    void *context;
    /* POLICY came, `body` as sent and already checked as far as lg_body_check does. LG_OK = it is kept;
     * anything else goes back as DONE false with *text, a constant of at most 64 bytes. */
    lg_result (*policy)(void *context, lg_bytes body, const char **text);
    /* Called before the scan is recorded and before any barrier moves. */
    void (*decide)(void *context, const lg_alone_scan *scan, lg_alone_answer *answer);
    /* The engine is there, or was until now: at each WELCOME, each TIME and each loss of the connection.
     * at_ms is the reader's clock, which is the engine's then. */
    void (*connected)(void *context, uint64_t at_ms);
} lg_offline;

typedef struct lg_reader_config {
    const char *id;       /* at most LG_ID_BYTES_MAX bytes; must outlive the reader, as all here */
    const char *software; /* at most LG_SOFTWARE_BYTES_MAX */
    lg_bytes key;         /* at most LG_KEY_BYTES_MAX */
    uint8_t *rx;          /* at least LG_RX_BYTES_MIN; frame_bytes_max of HELLO is its size less a header */
    size_t rx_bytes;
    uint8_t *tx; /* at least LG_TX_BYTES_MIN; the more, the more events go into one REPLAY */
    size_t tx_bytes;
    uint32_t answer_ms_max; /* a driver waits that long: then the scan is given up; 0 = 10,000 */
    uint32_t alone_ms;      /* so long without an engine and the reader is alone; 0 = 5,000 */
    uint32_t backoff_ms_min, backoff_ms_max; /* pause before the next connection; 0 = 500 and 30,000 */
    uint32_t time_ms;                        /* between two TIME_ASK; 0 = 600,000 */
} lg_reader_config;

/* An event that awaits its answer, live. */
typedef struct lg_pending {
    lg_entry entry;
    uint8_t lane;
    bool sent;      /* on this connection */
    bool ever_sent; /* on any: the engine may have decided it */
    uint32_t ref;
    uint64_t until_ms;
} lg_pending;

typedef struct lg_reader_counts {
    uint32_t sign_ons; /* connections that got as far as WELCOME */
    uint32_t resent;   /* live events that were sent again */
    uint32_t replayed; /* events that went by REPLAY */
    uint32_t findings; /* of those: what the engine's rules would have decided otherwise */
    uint32_t given_up; /* scans without an answer in time */
    uint32_t late;     /* answers to those */
    uint32_t alone;    /* scans decided here */
    uint32_t refused;  /* scans and other events for which the log had no room */
    /* events that the engine will never take (a lane it does not know): acknowledged here */
    uint32_t set_aside;
    uint32_t faults; /* of flash or crypto */
} lg_reader_counts;

/* Read what you like, change it through the functions below only. */
typedef struct lg_reader {
    lg_reader_config config;
    const lg_crypto *crypto;
    const lg_lane_port *lane;
    const lg_offline *offline;
    lg_log *log;
    lg_state state;
    lg_reader_counts counts;
    uint8_t nonce[16], engine_mac[32];
    uint8_t lanes_unknown[32]; /* a bit for each lane that the engine does not know as this reader's */

    uint64_t now_ms, offset_ms; /* clock = now + offset, modulo 2^64 */
    bool clock_known, pinged;
    uint64_t heard_ms, state_ms, lost_ms, connect_ms; /* connect: not before */
    uint32_t backoff_ms, heartbeat_ms;

    uint32_t ref, in_flight_max, frame_bytes_max;
    uint32_t ask_ref, replay_ref; /* 0: none under way */
    /* not before: TIME_ASK, REPLAY, a live event after ERROR 12 */
    uint64_t ask_ms, asked_t0, replay_ms, retry_ms;
    bool backlog;    /* there may be events for REPLAY at or after the cursor */
    bool gaps_first; /* live events wait for the backlog: ERROR 11 */
    bool replay_one; /* the last REPLAY had an entry that the engine did not take: find out which */
    lg_cursor cursor;

    lg_pending pending[LG_PENDING_MAX]; /* in the order of their numbers */
    uint32_t pending_count;
    size_t rx_n, tx_from, tx_to;
    uint8_t body[LG_BODY_BYTES_MAX];
} lg_reader;

/* log is mounted. What it holds from before goes out by REPLAY and opens nothing any more, but for scans
 * younger than answer_ms_max when the engine is back: they are sent again, live. LG_BAD: see
 * lg_reader_config. */
lg_result lg_reader_init(lg_reader *r, const lg_reader_config *config, const lg_crypto *crypto,
                         const lg_lane_port *lane, const lg_offline *offline, lg_log *log, uint64_t now_ms);

/* Is it time to connect? Says yes until lg_reader_connected or lg_reader_disconnected tells how that went. */
bool lg_reader_wants_connection(lg_reader *r, uint64_t now_ms);
void lg_reader_connected(lg_reader *r, uint64_t now_ms);
/* The connection ended or could not be made. */
void lg_reader_disconnected(lg_reader *r, uint64_t now_ms);
/* Close the connection when the output is empty (then tell lg_reader_disconnected)? */
bool lg_reader_wants_close(const lg_reader *r);
/* Take leave: GOODBYE, then close. */
void lg_reader_goodbye(lg_reader *r, const char *reason, uint64_t now_ms);

/* Returns how many bytes were taken; fewer than n while the output has no room for what they ask for: send,
 * then come again. */
size_t lg_reader_receive(lg_reader *r, const uint8_t *data, size_t n, uint64_t now_ms);
/* What is to be sent: *n bytes, valid until the next call of any function; then lg_reader_sent with how many
 * went. */
const uint8_t *lg_reader_output(lg_reader *r, size_t *n, uint64_t now_ms);
void lg_reader_sent(lg_reader *r, size_t n);
/* Let time pass; returns for how many ms at most nothing is to be done. */
uint32_t lg_reader_tick(lg_reader *r, uint64_t now_ms);

/* Tell what happened; *no (may be NULL) is the event's number. The event is in flash when LG_OK is returned.
 * A scan's answer comes by lg_lane_port.decision, possibly before this returns (alone). LG_REFUSED: the
 * engine does not know the lane. LG_BUSY: LG_PENDING_MAX scans await their answers. Other events never are
 * LG_BUSY or LG_ALONE: they wait. */
lg_result lg_reader_scan(lg_reader *r, uint8_t lane, uint8_t kind, lg_bytes token, uint64_t now_ms,
                         uint64_t *no);
/* session: 16 bytes of the decision's, or NULL. */
lg_result lg_reader_passage(lg_reader *r, uint8_t lane, uint8_t what, const uint8_t *session, uint64_t now_ms,
                            uint64_t *no);
lg_result lg_reader_lane_status(lg_reader *r, uint8_t lane, uint8_t barrier, bool loop, const lg_text *faults,
                                size_t fault_count, uint64_t now_ms, uint64_t *no);

/* Unix ms by the reader's clock. Set it where the board has a clock; an engine's time replaces it. */
uint64_t lg_reader_clock(const lg_reader *r, uint64_t now_ms);
void lg_reader_set_clock(lg_reader *r, uint64_t at_ms, uint64_t now_ms);
/* Is there no engine for so long that the reader decides by itself? */
bool lg_reader_alone(const lg_reader *r, uint64_t now_ms);

#endif
