#include "console.h"

#include <string.h>

#include "board.h"

static const char *const states[] = {"offline", "await-challenge", "await-welcome", "online", "closing"};

static void say_bytes(const char *text, size_t n)
{
    while (n > 0) {
        size_t given = uart_write(CONSOLE, (const uint8_t *)text, n);
        text += given;
        n -= given;
    }
}

static void say(const char *text)
{
    say_bytes(text, strlen(text));
}

static void say_number(uint64_t number)
{
    char digits[20];
    size_t at = sizeof digits;

    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    say_bytes(digits + at, sizeof digits - at);
}

void console_say(const char *word, const char *more)
{
    say(word);
    say(" ");
    say(more);
    say("\n");
}

void console_start(console *to, lg_reader *reader, uint8_t lane)
{
    memset(to, 0, sizeof *to);
    to->reader = reader;
    to->lane = lane;
}

void console_decision(console *to, const lg_decision *decision)
{
    static const char *const verdicts[] = {"none", "open", "refuse", "pay"};

    to->has_session = decision->has_session;
    memcpy(to->session, decision->session, sizeof to->session);
    say(decision->late ? "late " : "decision ");
    say_number(decision->no);
    say(" ");
    say(verdicts[decision->verdict & 3]);
    say(" ");
    say_number(decision->reason);
    say(decision->alone ? " alone " : " engine ");
    say_bytes(decision->text.at, decision->text.n);
    say("\n");
}

static const char *result_name(lg_result result)
{
    switch (result) {
    case LG_FULL: return "log is full";
    case LG_BUSY: return "too many await their answer";
    case LG_ALONE: return "nobody decides";
    case LG_FLASH_FAULT: return "flash fault";
    case LG_REFUSED: return "the engine does not know this lane";
    default: return "not understood";
    }
}

/* `more` becomes bytes where it stands; returns how many, 0 where it is not hex. */
static size_t from_hex(char *more)
{
    size_t n = 0;

    for (; more[2 * n] != '\0'; n++) {
        int value = 0;
        for (size_t i = 0; i < 2; i++) {
            char c = more[2 * n + i];
            int digit = c >= '0' && c <= '9'                     ? c - '0'
                        : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                                 : -1;
            if (digit < 0)
                return 0;
            value = value << 4 | digit;
        }
        more[n] = (char)value;
    }
    return n;
}

static void told(const char *word, lg_result result, uint64_t no)
{
    if (result != LG_OK) {
        console_say("refused", result_name(result));
        return;
    }
    say(word);
    say(" ");
    say_number(no);
    say("\n");
}

static void scan(console *to, uint8_t kind, const char *token, size_t n, uint64_t now_ms)
{
    uint64_t no = 0;
    lg_result result =
        lg_reader_scan(to->reader, to->lane, kind, (lg_bytes){(const uint8_t *)token, n}, now_ms, &no);

    told("scan", result, no);
}

static void pass(console *to, uint64_t now_ms)
{
    uint64_t no = 0;
    lg_result result =
        lg_reader_passage(to->reader, to->lane, LG_PASSED, to->has_session ? to->session : NULL, now_ms, &no);

    to->has_session = false;
    told("passage", result, no);
}

static void status(console *to, uint64_t now_ms)
{
    const lg_reader *r = to->reader;
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {" boot=", r->log->boot},           {" next=", r->log->next_no},
        {" kept=", lg_log_count(r->log)},   {" alone=", lg_reader_alone(r, now_ms)},
        {" replayed=", r->counts.replayed}, {" findings=", r->counts.findings},
        {" faults=", r->counts.faults},     {" lost=", r->log->lost},
    };

    say("status state=");
    say(states[r->state]);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        say(rows[i].name);
        say_number(rows[i].value);
    }
    say("\n");
}

static void set_lane(console *to, const char *digits)
{
    unsigned lane = 0;

    for (; *digits >= '0' && *digits <= '9' && lane < 256; digits++)
        lane = lane * 10 + (unsigned)(*digits - '0');
    if (*digits != '\0' || lane > 255) {
        console_say("refused", result_name(LG_BAD));
        return;
    }
    to->lane = (uint8_t)lane;
    say("lane ");
    say_number(lane);
    say("\n");
}

static void act(console *to, uint64_t now_ms)
{
    char *space = strchr(to->line, ' '), *more = space == NULL ? to->line + to->n : space + 1;

    if (space != NULL)
        *space = '\0';
    if (strcmp(to->line, "card") == 0)
        scan(to, LG_CARD, more, from_hex(more), now_ms);
    else if (strcmp(to->line, "tag") == 0)
        scan(to, LG_SUN, more, from_hex(more), now_ms);
    else if (strcmp(to->line, "ticket") == 0)
        scan(to, LG_QR, more, strlen(more), now_ms);
    else if (strcmp(to->line, "plate") == 0)
        scan(to, LG_PLATE, more, strlen(more), now_ms);
    else if (strcmp(to->line, "pass") == 0)
        pass(to, now_ms);
    else if (strcmp(to->line, "lane") == 0)
        set_lane(to, more);
    else if (strcmp(to->line, "status") == 0)
        status(to, now_ms);
    else
        console_say("refused", result_name(LG_BAD));
}

void console_poll(console *to, uint64_t now_ms)
{
    uint8_t byte;

    while (uart_read(CONSOLE, &byte, 1) == 1) {
        if (byte == '\n') {
            to->line[to->n] = '\0';
            act(to, now_ms);
            to->n = 0;
        } else if (byte != '\r' && to->n < sizeof to->line - 1) {
            to->line[to->n++] = (char)byte;
        }
    }
}
