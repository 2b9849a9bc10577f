/* What goes out: frames packed where they are sent from, and what is due when there is room. */
#include <string.h>

#include "bytes.h"
#include "reader_parts.h"

size_t out_room(lg_reader *r)
{
    if (r->tx_from > 0) {
        memmove(r->config.tx, r->config.tx + r->tx_from, r->tx_to - r->tx_from);
        r->tx_to -= r->tx_from;
        r->tx_from = 0;
    }
    return r->config.tx_bytes - r->tx_to;
}

bool out_begin(lg_reader *r, lg_packer *p, size_t body_bytes)
{
    size_t room = out_room(r);
    if (room < LG_FRAME_HEADER_BYTES + body_bytes) {
        lg_pack_begin(p, NULL, 0);
        p->too_long = true; /* who packs all the same packs nothing */
        return false;
    }
    lg_pack_begin(p, r->config.tx + r->tx_to + LG_FRAME_HEADER_BYTES, room - LG_FRAME_HEADER_BYTES);
    return true;
}

bool out_end(lg_reader *r, const lg_packer *p, uint8_t type, uint32_t ref)
{
    if (p->too_long)
        return false;
    r->tx_to += lg_frame_seal(r->config.tx + r->tx_to, type, ref, p->n);
    return true;
}

uint32_t next_ref(lg_reader *r)
{
    if (++r->ref == 0)
        r->ref = 1;
    return r->ref;
}

size_t hello_body(lg_reader *r)
{
    lg_packer p;
    lg_pack_begin(&p, r->body, sizeof r->body);
    lg_pack_array(&p, 7);
    lg_pack_uint(&p, 1);
    lg_pack_str(&p, r->config.id, strlen(r->config.id));
    lg_pack_uint(&p, r->log->boot);
    lg_pack_array(&p, 1);
    lg_pack_uint(&p, LG_VERSION);
    lg_pack_bin(&p, r->nonce, sizeof r->nonce);
    lg_pack_str(&p, r->config.software, strlen(r->config.software));
    lg_pack_uint(&p, r->config.rx_bytes - LG_FRAME_HEADER_BYTES);
    return p.n;
}

void send_hello(lg_reader *r)
{
    lg_packer p;
    if (r->crypto->random(r->crypto->context, r->nonce, sizeof r->nonce) != LG_OK) {
        r->counts.faults++; /* a nonce that can be foreseen would let an old conversation be played back */
        set_state(r, LG_CLOSING, text_of("no random numbers"));
        return;
    }
    (void)out_begin(r, &p, LG_BODY_BYTES_MAX); /* the output is empty */
    lg_pack_raw(&p, r->body, hello_body(r));
    (void)out_end(r, &p, LG_HELLO, next_ref(r));
    set_state(r, LG_AWAIT_CHALLENGE, text_of(""));
}

static const char *const fault_texts[] = {
    "",     "magic", "version",      "frame too long",  "CRC",
    "body", "field", "unknown type", "sign-on refused", "not now",
};

void send_error(lg_reader *r, lg_fault code, uint32_t ref, bool fatal)
{
    lg_packer p;
    (void)out_begin(r, &p, LG_REPLY_BYTES_MAX);
    lg_pack_array(&p, 3);
    lg_pack_uint(&p, (uint64_t)code);
    lg_pack_str(&p, fault_texts[code], strlen(fault_texts[code]));
    lg_pack_bool(&p, fatal);
    (void)out_end(r, &p, LG_ERROR, ref);
}

static uint32_t in_flight(const lg_reader *r)
{
    uint32_t count = (r->ask_ref != 0 ? 1u : 0u) + (r->replay_ref != 0 ? 1u : 0u);
    for (uint32_t i = 0; i < r->pending_count; i++)
        count += r->pending[i].sent;
    return count;
}

static void send_time_ask(lg_reader *r)
{
    lg_packer p;
    if (r->ask_ref != 0 || r->now_ms < r->ask_ms || in_flight(r) >= r->in_flight_max ||
        !out_begin(r, &p, 16 + REPLY_BYTES))
        return;
    r->asked_t0 = lg_reader_clock(r, r->now_ms);
    lg_pack_array(&p, 1);
    lg_pack_uint(&p, r->asked_t0);
    r->ask_ref = next_ref(r);
    (void)out_end(r, &p, LG_TIME_ASK, r->ask_ref);
}

/* False: there is no room now. */
static bool send_live(lg_reader *r, lg_pending *pending)
{
    lg_packer p;
    if (!out_begin(r, &p, pending->entry.n + REPLY_BYTES))
        return false;
    if (lg_log_read(r->log, &pending->entry, p.out) != LG_OK) {
        r->counts.faults++;
        return false; /* it is given up in its time */
    }
    p.n = pending->entry.n;
    pending->ref = next_ref(r);
    (void)out_end(r, &p, pending->entry.type, pending->ref);
    r->counts.resent += pending->ever_sent;
    pending->sent = pending->ever_sent = true;
    return true;
}

/* True: every live event is on its way. */
static bool send_all_live(lg_reader *r)
{
    if (r->now_ms < r->retry_ms)
        return true; /* the engine cannot take them; nor would it take a REPLAY: that has its own time */
    for (uint32_t i = 0; i < r->pending_count; i++) {
        lg_pending *pending = &r->pending[i];
        if (!pending->sent && (in_flight(r) >= r->in_flight_max || !send_live(r, pending)))
            return false;
    }
    return true;
}

/* One entry at the end of what is packed; LG_FULL where it does not fit any more. */
static lg_result pack_entry(lg_reader *r, lg_packer *p, const lg_entry *entry)
{
    if (p->room - p->n < entry->n + 4u)
        return LG_FULL;
    bool scan = entry->type == LG_SCAN;
    lg_pack_array(p, 3);
    lg_pack_uint(p, entry->type);
    lg_pack_uint(p, scan && entry->verdict == LG_NO_VERDICT ? LG_REFUSE : entry->verdict);
    if (lg_log_read(r->log, entry, p->out + p->n) != LG_OK)
        return LG_FLASH_FAULT;
    p->n += entry->n;
    return LG_OK;
}

/* As many entries as fit; a scan without a verdict opened nothing, whatever became of it. */
static uint32_t pack_entries(lg_reader *r, lg_packer *p)
{
    uint32_t count = 0, most = r->replay_one ? 1 : UINT32_MAX;
    lg_entry entry;
    while (count < most) {
        lg_cursor before = r->cursor;
        size_t n = p->n;
        if (lg_log_next(r->log, &r->cursor, &entry) != LG_OK)
            break;
        if (pending_find(r, entry.no))
            continue;
        lg_result result = pack_entry(r, p, &entry);
        if (result == LG_FULL) {
            r->cursor = before;
            break;
        }
        if (result == LG_OK) {
            count++;
        } else {
            p->n = n;
            r->counts.faults++;
        }
    }
    return count;
}

enum { REPLAY_HEAD_BYTES = 4 }; /* an array of one, and the head of up to 65,535 entries */

static void send_replay(lg_reader *r)
{
    lg_packer p, head;
    if (!out_begin(r, &p, REPLAY_HEAD_BYTES + LG_EVENT_BYTES_MAX + 4 + REPLY_BYTES))
        return;
    size_t room = p.room - REPLY_BYTES, most = r->frame_bytes_max < room ? r->frame_bytes_max : room;
    lg_packer entries;
    lg_pack_begin(&entries, p.out + REPLAY_HEAD_BYTES, most - REPLAY_HEAD_BYTES);
    uint32_t count = pack_entries(r, &entries);
    if (count == 0) {
        r->backlog = r->gaps_first = false;
        return;
    }
    lg_pack_begin(&head, p.out, REPLAY_HEAD_BYTES);
    lg_pack_array(&head, 1);
    lg_pack_array(&head, count);
    memmove(p.out + head.n, entries.out, entries.n); /* the head is in its smallest form */
    p.n = head.n + entries.n;
    r->replay_ref = next_ref(r);
    r->counts.replayed += count;
    (void)out_end(r, &p, LG_REPLAY, r->replay_ref);
}

void pump(lg_reader *r)
{
    if (r->state != LG_ONLINE)
        return;
    send_time_ask(r);
    bool live_first = !r->gaps_first && !send_all_live(r);
    bool due = r->backlog && r->replay_ref == 0 && r->now_ms >= r->replay_ms;
    if (due && !live_first && in_flight(r) < r->in_flight_max && r->tx_to == r->tx_from)
        send_replay(r);
}
