/* What the parts of the load generators share: loadgen.c (options, the run), connect.c, signon.c, requests.c (what
 * goes out), answers.c (what comes in); storm.c is a program of its own on the same pieces. */
#ifndef LIFTGATE_BENCH_LOADGEN_H
#define LIFTGATE_BENCH_LOADGEN_H

#include <stdbool.h>
#include <stdlib.h>

#include "histogram.h"
#include "wire.h"

/* 255 slots fit the low byte of ref. A request to Redis is below 256 bytes, one with a forged ticket below 288. */
enum { SLOTS_MAX = 255, REQUEST_MAX = 288, FORGED_MIN = 100, FORGED_MAX = 240, READ_BYTES = 1 << 16, KEY_BYTES = 32 };

enum state { CLOSED, CONNECTING, HELLO_SENT, AUTH_SENT, READY };

struct options {
    const char *host, *sha, *forged;
    int port, connections, in_flight, idle, scans, first;
    double seconds, warm_up, rate, patience;
    bool redis, sign_on, announce;
    uint8_t key[KEY_BYTES];
};

/* One card: where it is, and its request under way, if busy. */
struct slot {
    uint64_t no, sent_ns;
    uint32_t scans, spot;
    bool busy, inside;
};

struct connection {
    int fd;
    uint32_t index;
    enum state state;
    uint64_t boot, next_no, timetable_at;
    struct slot *slots;         /* none where it is only idle */
    uint8_t *stack;             /* open loop: free slots; Redis, which answers in order: a ring of busy ones */
    uint32_t stacked, ring_at, ring_count;
    uint8_t *unsent;
    uint32_t unsent_bytes, part_bytes, hello_bytes, challenge_bytes;
    uint8_t hello[192], challenge[160];
    uint8_t part[FRAME_BYTES_MAX];
};

/* live: requests under way; answers: all of them, those outside the measured time too; next_at: how far the
 * timetable of the open loop has come; settling: time is over, cars that are inside leave. */
struct run {
    struct connection *connections;
    int epoll_fd, timer_fd, opened, opening;
    bool started, settling;
    uint64_t start_ns, from_ns, until_ns, progress_ns, wall_offset_ms;
    uint64_t errors, answers, live, next_at, timetable_end, result_hash;
    char redis_head[160];
    size_t redis_head_bytes;
    struct histogram latencies;
};

extern struct options opt;
extern struct run run;
/* Room for every slot's request, and for a PONG to each PING that fits a read. */
extern uint8_t in_buffer[READ_BYTES + FRAME_BYTES_MAX], out_buffer[SLOTS_MAX * REQUEST_MAX + sizeof in_buffer];

/* connect.c */
uint64_t now_ns(void);
void tell_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void prepare_clock_and_files(void);
void open_connection(struct connection *c);
void on_connected(struct connection *c);
bool read_key(const char *hex);
/* What a connection has said: its unfinished piece and what came now, in in_buffer; how many bytes, 0: nothing came.
 * keep_rest: what of it is no whole answer yet. */
size_t take_input(struct connection *c);
void keep_rest(struct connection *c, const uint8_t *rest, size_t n);

/* loadgen.c, storm.c */
void print_result(void);
#define fail(...) (tell_error(__VA_ARGS__), print_result(), exit(1))

/* signon.c */
void say_hello(struct connection *c);
void on_challenge(struct connection *c, const uint8_t *frame, size_t body_bytes);
void on_welcome(struct connection *c, const uint8_t *body, size_t body_bytes);
void become_ready(struct connection *c);

/* requests.c: the put_ functions return the bytes they wrote at `out` */
size_t put_request(uint8_t *out, struct connection *c, uint32_t slot, uint64_t sent_ns, uint64_t at_ns);
size_t put_due(uint8_t *out, struct connection *c, uint64_t at_ns);
void start_due(void);
void arm_timer(void);
void watch(struct connection *c, int operation, uint32_t events);
void send_bytes(struct connection *c, const uint8_t *bytes, size_t n);
void flush_unsent(struct connection *c);

/* answers.c */
void on_readable(struct connection *c);

#endif
