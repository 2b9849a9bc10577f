/* The lanes of liftgate-reader: barriers, and what the engine has done with them. */
#include <stdio.h>
#include <string.h>

#include "program.h"

void set_barrier(program *p, uint8_t lane, bool up)
{
    lane_state *state = &p->lanes[lane];
    if (state->up != up)
        say_barrier(lane, up);
    state->up = up;
    state->down_ms = up && state->mode != LG_HELD_OPEN ? p->now_ms + OPEN_MS : UINT64_MAX;
}

static void on_decision(void *context, const lg_decision *d)
{
    static const char *const verdicts[] = {"none", "open", "refuse", "pay"};
    program *p = context;
    const char *how = d->late ? " late" : d->alone ? " alone" : "";
    say("decision %llu %s reason %u%s%s%.*s%s%.*s", (unsigned long long)d->no, verdicts[d->verdict],
        d->reason, how, d->spot.n ? " spot " : "", (int)d->spot.n, d->spot.at, d->text.n ? " text " : "",
        (int)d->text.n, d->text.at);
    if (d->has_price)
        say("price %llu %lld %.*s", (unsigned long long)d->no, (long long)d->price_minor, (int)d->currency.n,
            d->currency.at);
    if (d->verdict != LG_OPEN || d->late)
        return;
    lane_state *lane = &p->lanes[d->lane];
    lane->has_session = d->has_session;
    memcpy(lane->session, d->session, sizeof lane->session);
    set_barrier(p, d->lane, true);
}

static bool on_vend(void *context, uint8_t lane, lg_text cause)
{
    program *p = context;
    if (!p->lanes[lane].here)
        return false;
    say("vend %u %.*s", lane, (int)cause.n, cause.at);
    p->lanes[lane].has_session = false;
    set_barrier(p, lane, true);
    return true;
}

static bool on_set_lane(void *context, uint8_t lane, uint8_t mode)
{
    program *p = context;
    if (!p->lanes[lane].here)
        return false;
    say("mode %u %u", lane, mode);
    p->lanes[lane].mode = mode;
    set_barrier(p, lane, mode == LG_HELD_OPEN);
    return lg_alone_set_mode(&p->alone, lane, mode) !=
           LG_FLASH_FAULT; /* a lane that it does not know alone is fine */
}

static bool on_display(void *context, uint8_t lane, lg_text text, uint32_t seconds)
{
    const program *p = context;
    if (!p->lanes[lane].here)
        return false;
    say("display %u %u %.*s", lane, seconds, (int)text.n, text.at);
    return true;
}

static void on_state(void *context, lg_state state, lg_text why)
{
    static const char *const names[] = {"offline", "connecting", "signing-on", "online", "closing"};
    (void)context;
    if (state != LG_AWAIT_CHALLENGE && state != LG_AWAIT_WELCOME)
        say("state %s%s%.*s", names[state], why.n ? " " : "", (int)why.n, why.at);
}

void lanes_port(program *p, lg_lane_port *port)
{
    lg_lane_port here = {p, on_decision, on_vend, on_set_lane, on_display, on_state};
    *port = here;
}

lg_result report(program *p, const char *fault, uint64_t *no)
{
    lg_text text = {fault, strlen(fault)};
    uint8_t barrier = *fault ? LG_BARRIER_FAULT : p->lanes[p->lane].up ? LG_UP : LG_DOWN;
    return lg_reader_lane_status(&p->reader, p->lane, barrier, false, &text, *fault ? 1 : 0, p->now_ms, no);
}

int tend_lanes(program *p, uint32_t wait_ms)
{
    uint64_t next_ms = p->now_ms + wait_ms;
    for (unsigned lane = 0; lane < LANES; lane++) {
        if (p->lanes[lane].up && p->lanes[lane].down_ms <= p->now_ms)
            set_barrier(p, (uint8_t)lane, false);
        else if (p->lanes[lane].up && p->lanes[lane].down_ms < next_ms)
            next_ms = p->lanes[lane].down_ms;
    }
    if (p->refused_full != 0 && lg_log_has_room(&p->log)) {
        char fault[LG_FAULT_BYTES_MAX];
        uint64_t no = 0;
        snprintf(fault, sizeof fault, "event log was full: %u refused", p->refused_full);
        if (report(p, fault, &no) == LG_OK) {
            say("kept %llu %s", (unsigned long long)no, fault);
            p->refused_full = 0;
        }
    }
    return (int)(next_ms - p->now_ms);
}
