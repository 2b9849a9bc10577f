/* The commands of liftgate-reader, a line each. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program.h"

static const char *reason_of(lg_result result)
{
    static const char *const reasons[] = {"",       "nothing",         "log-full", "busy",        "alone",
                                          "bad-argument", "flash-fault", "crypto-fault", "unknown-lane"};
    return reasons[result];
}

static void told(program *p, const char *what, lg_result result, uint64_t no)
{
    if (result == LG_OK) {
        say("kept %llu %s", (unsigned long long)no, what);
        return;
    }
    p->refused_full += result == LG_FULL;
    say("refused %s %s", what, reason_of(result));
}

static void scan(program *p, const char *what, uint8_t kind, const uint8_t *token, size_t n)
{
    lg_bytes bytes = {token, n};
    uint64_t no = 0;
    lg_result result = lg_reader_scan(&p->reader, p->lane, kind, bytes, p->now_ms, &no);
    told(p, what, result, no);
}

static void scan_text(program *p, const char *what, uint8_t kind, const char *text)
{
    scan(p, what, kind, (const uint8_t *)text, strlen(text));
}

static void scan_hex(program *p, const char *what, uint8_t kind, const char *hex)
{
    uint8_t token[LG_TOKEN_BYTES_MAX];
    size_t n = from_hex(hex, token, sizeof token);
    if (n == SIZE_MAX)
        say("refused %s not-hex", what);
    else
        scan(p, what, kind, token, n);
}

static void do_card(program *p, const char *rest)
{
    scan_hex(p, "card", LG_CARD, rest);
}

static void do_ticket(program *p, const char *rest)
{
    scan_text(p, "ticket", LG_QR, rest);
}

static void do_plate(program *p, const char *rest)
{
    scan_text(p, "plate", LG_PLATE, rest);
}

/* As the tag mirrors it: text; or its 24 bytes in hex. */
static void do_tag(program *p, const char *rest)
{
    if (strchr(rest, '='))
        scan_text(p, "tag", LG_SUN, rest);
    else
        scan_hex(p, "tag", LG_SUN, rest);
}

static void passage(program *p, const char *name, uint8_t what)
{
    lane_state *lane = &p->lanes[p->lane];
    bool with_session = lane->has_session && (what == LG_PASSED || what == LG_BACKED_OUT);
    uint64_t no = 0;
    if (what == LG_PASSED && !lane->up) {
        say("refused pass barrier-down");
        return;
    }
    lg_result result =
        lg_reader_passage(&p->reader, p->lane, what, with_session ? lane->session : NULL, p->now_ms, &no);
    told(p, name, result, no);
    lane->has_session = false;
    if (lane->mode != LG_HELD_OPEN)
        set_barrier(p, p->lane, false);
}

static void do_pass(program *p, const char *rest)
{
    (void)rest;
    passage(p, "pass", LG_PASSED);
}

static void do_back(program *p, const char *rest)
{
    (void)rest;
    passage(p, "back", LG_BACKED_OUT);
}

static void do_follow(program *p, const char *rest)
{
    (void)rest;
    passage(p, "follow", LG_FOLLOWED);
}

static void do_force(program *p, const char *rest)
{
    (void)rest;
    passage(p, "force", LG_FORCED);
}

static void do_report(program *p, const char *rest)
{
    uint64_t no = 0;
    lg_result result = report(p, rest, &no);
    told(p, "report", result, no);
}

static void do_lane(program *p, const char *rest)
{
    char *end = NULL;
    unsigned long lane = strtoul(rest, &end, 10);
    if (*rest == 0 || *end != 0 || lane >= LANES) {
        say("refused lane bad-argument");
        return;
    }
    p->lane = (uint8_t)lane;
    p->lanes[lane].here = true;
    say("lane %u", p->lane);
}

static void do_net(program *p, const char *rest)
{
    if (strcmp(rest, "down") == 0 && p->plugged) {
        p->plugged = false;
        link_cut(&p->link, &p->reader, p->now_ms);
    } else if (strcmp(rest, "up") == 0) {
        p->plugged = true;
    } else if (strcmp(rest, "down") != 0) {
        say("refused net bad-argument");
        return;
    }
    say("net %s", p->plugged ? "up" : "down");
}

static void do_clock(program *p, const char *rest)
{
    lg_reader_set_clock(&p->reader, host_clock_ms() + (uint64_t)strtoll(rest, NULL, 10), p->now_ms);
    say("clock %llu", (unsigned long long)lg_reader_clock(&p->reader, p->now_ms));
}

static void do_status(program *p, const char *rest)
{
    static const char *const names[] = {"offline", "connecting", "signing-on", "online", "closing"};
    const lg_reader_counts *c = &p->reader.counts;
    (void)rest;
    say("status %s%s boot %llu next %llu unacknowledged %llu waiting %u sign-ons %u resent %u replayed %u "
        "findings %u given-up %u late %u alone %u refused %u set-aside %u faults %u lost %llu clock %llu",
        names[p->reader.state], lg_reader_alone(&p->reader, p->now_ms) ? " alone" : "",
        (unsigned long long)p->log.boot, (unsigned long long)p->log.next_no,
        (unsigned long long)lg_log_count(&p->log), p->reader.pending_count, c->sign_ons, c->resent,
        c->replayed, c->findings, c->given_up, c->late, c->alone, c->refused, c->set_aside, c->faults,
        (unsigned long long)p->log.lost, (unsigned long long)lg_reader_clock(&p->reader, p->now_ms));
}

static void do_quit(program *p, const char *rest)
{
    (void)rest;
    p->quit = true;
}

static void do_help(program *p, const char *rest);

static const struct command {
    const char *name;
    void (*run)(program *p, const char *rest);
    const char *help;
} commands[] = {
    {"card", do_card, "HEX: a card's UID"},
    {"ticket", do_ticket, "TEXT: a QR code, as scanned (LG1:... or any other)"},
    {"plate", do_plate, "TEXT: a number plate"},
    {"tag", do_tag, "TEXT: what an NTAG 424 mirrored (its URL, or 24 bytes in hex)"},
    {"pass", do_pass, "the car passed through"},
    {"back", do_back, "it backed out"},
    {"follow", do_follow, "another followed without a credential"},
    {"force", do_force, "the barrier was forced"},
    {"report", do_report, "[TEXT]: the lane's status, with a fault"},
    {"lane", do_lane, "N: what follows happens at this lane"},
    {"net", do_net, "down | up: pull the network, put it back"},
    {"clock", do_clock, "MS: set the reader's clock so much ahead (-: behind) of this machine's"},
    {"status", do_status, "what the reader knows of itself"},
    {"help", do_help, "this"},
    {"quit", do_quit, "take leave and end"},
};

static void do_help(program *p, const char *rest)
{
    (void)p;
    (void)rest;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        say("help %-7s %s", commands[i].name, commands[i].help);
}

void run_command(program *p, char *line)
{
    line[strcspn(line, "\r\n")] = 0;
    size_t n = strcspn(line, " ");
    char *rest = line[n] ? line + n + 1 : line + n;
    line[n] = 0;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(line, commands[i].name) != 0)
            continue;
        commands[i].run(p, rest);
        return;
    }
    if (*line)
        say("refused %s unknown-command", line);
}
