/* What the parts of the reader know of each other; not for hosts. */
#ifndef LIFTGATE_READER_PARTS_H
#define LIFTGATE_READER_PARTS_H

#include "liftgate/pack.h"
#include "liftgate/reader.h"

enum {
    SIGN_ON_MS = 10000, /* the engine gives us 5 s; past twice that it is not there */
    CLOSING_MS = 5000,  /* a last word that does not get out in that time never does */
    /* a connection that lasted so long was a good one: begin with the shortest pause again */
    STABLE_MS = 10000,
    RETRY_MS = 5000,     /* after ERROR 12: the engine is stopping, or its disk is full */
    ROUND_TRIP_MS = 1000 /* a TIME that was longer under way says too little */
};

/* -- reader_out.c: what goes out */
/* What the sender of events leaves free, so that an order that made the host tell of an event can still be
 * answered. */
enum { REPLY_BYTES = LG_FRAME_HEADER_BYTES + LG_REPLY_BYTES_MAX };
/* A packer over the room for one body, or false where a frame of at least `body_bytes` does not fit now. No
 * frame is taken in while an answer has no room, so answers need not look. */
bool out_begin(lg_reader *r, lg_packer *p, size_t body_bytes);
/* Seal what was packed; false where it did not fit: nothing goes out then. */
bool out_end(lg_reader *r, const lg_packer *p, uint8_t type, uint32_t ref);
size_t out_room(lg_reader *r);
uint32_t next_ref(lg_reader *r);
void send_hello(lg_reader *r);
/* The body of HELLO, as it was sent, into r->body. */
size_t hello_body(lg_reader *r);
void send_error(lg_reader *r, lg_fault code, uint32_t ref, bool fatal);
/* All that is due and has room: time, live events, backlog. */
void pump(lg_reader *r);

/* -- reader_in.c: what comes in */
/* Take the whole frame in rx. */
void take_frame(lg_reader *r);
/* Say what was wrong and end the connection. */
void fail(lg_reader *r, lg_fault code, uint32_t ref);

/* -- reader.c */
void set_state(lg_reader *r, lg_state state, lg_text why);
/* The engine is there, or was until now: for lg_offline. */
void tell_connected(lg_reader *r);
lg_text text_of(const char *constant);

/* -- events.c */
/* Scans whose driver waited long enough; all that is live, where the reader is alone. */
void give_up_what_is_due(lg_reader *r);
/* Note as acknowledged, but for scans that still await their answer: their bodies are needed. */
void acknowledge(lg_reader *r, uint64_t from, uint64_t to);
lg_pending *pending_find(lg_reader *r, uint64_t no);
lg_pending *pending_by_ref(lg_reader *r, uint32_t ref);
void pending_remove(lg_reader *r, lg_pending *p);
/* After a restart: scans whose drivers cannot have gone yet are live again, and get the first answer. */
void revive_scans(lg_reader *r);
/* Go through the log from its beginning for what REPLAY has to carry. */
void rewind_backlog(lg_reader *r);
/* Tell the host that a scan is refused here, with a constant text. */
void refuse_here(lg_reader *r, uint64_t no, uint8_t lane, const char *text);

#endif
