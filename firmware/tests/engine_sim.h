/* An engine for tests: speaks the protocol, keeps what it decided through any cut, judges the reader. */
#ifndef ENGINE_SIM_H
#define ENGINE_SIM_H

#include "liftgate/pack.h"
#include "liftgate/reader.h"

enum { SIM_EVENTS_MAX = 4096, SIM_EVENT_BYTES = 120, SIM_BYTES = 1 << 16 };

typedef struct sim_event {
    uint8_t type, verdict; /* 0: not there; the verdict that came with a REPLAY */
    bool by_replay;
    uint16_t n;
    uint8_t body[SIM_EVENT_BYTES];
    unsigned times; /* received */
} sim_event;

typedef struct engine_sim {
    /* set by the test */
    lg_bytes key;
    bool wrong_mac, silent; /* silent: takes events and answers none */
    uint32_t in_flight_max, frame_bytes_max, heartbeat_s, pause_ms;
    uint64_t at_ms; /* its clock */
    unsigned errors_12; /* so many requests get ERROR 12 */
    int lane_unknown;   /* gets ERROR 13; -1: none */
    /* what it has */
    uint64_t boot, done_to, top;
    sim_event events[SIM_EVENTS_MAX];
    unsigned sign_ons, replays, replayed, answers, goodbyes, dones, pings, pongs, errors, last_error;
    uint32_t in_flight_seen, entries_max;
    uint64_t last_replay_ms, now_ms, time_asked;
    bool last_done_ok;
    /* the connection */
    uint8_t in[SIM_BYTES], out[SIM_BYTES];
    size_t in_n, out_from, out_to;
    uint8_t hello[256], challenge[64];
    size_t hello_n, challenge_n;
    int state; /* 0 none, 1 challenged, 2 signed on */
    bool closed;
    uint32_t ref;
} engine_sim;

void engine_sim_init(engine_sim *e);
void engine_sim_connect(engine_sim *e);
/* Bytes from the reader; answers stand in out. Violations of the protocol end the test. */
void engine_sim_feed(engine_sim *e, const uint8_t *data, size_t n);
/* Send a message of the engine's own accord. */
void engine_sim_send(engine_sim *e, uint8_t type, uint32_t ref, const lg_packer *body);
/* Is this number durable here? */
bool engine_sim_has(const engine_sim *e, uint64_t no);

#endif
