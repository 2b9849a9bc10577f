/* liftgate-reader: a lane in a terminal, or a reader under a script. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program.h"

static const option_spec specs[] = {
    {"config", "", "a file of `name = value` lines, these names"},
    {"connect", "127.0.0.1:7400", "HOST:PORT of the engine, or @FILE: the ready file that it writes"},
    {"reader", "", "the reader's id, as in the engine's configuration"},
    {"key", "", "its key, in hex"},
    {"key-file", "", "a file with the key in hex"},
    {"flash", "", "the file that is its flash; made where there is none"},
    {"flash-blocks", "64", "its size when it is made, in blocks of 4 KiB"},
    {"sync", "no", "yes: the flash survives a power cut of this machine too, and is slow"},
    {"lane", "0", "its lane; the command `lane` gives it others"},
    {"lanes", "", "`0:entry,1:exit,2:both`: which way lanes go, to decide alone there; none: it does not"},
    {"answer-ms", "0", "how long a driver waits; 0: the library's 10,000"},
    {"alone-ms", "0", "after how long without an engine it is alone; 0: the library's 5,000"},
    {"backoff-ms", "0", "the first pause between two connections; 0: the library's 500"},
    {"backoff-ms-max", "0", "the longest; 0: the library's 30,000"},
    {"plain", "no", "yes: no colours and pictures"},
};
static const char about[] =
    "A gate reader in a terminal. Commands on standard input, one line of output for each thing that\n"
    "happens; `help` lists them. The connection is plain TCP: where TLS is wanted, run a TLS proxy beside\n"
    "it.";

/* -- the loop */

typedef struct input {
    char line[2 * LG_TOKEN_BYTES_MAX + 64];
    size_t n;
    bool ended;
} input;

/* All whole lines that standard input has. */
static void read_commands(program *p, input *in)
{
    ssize_t got = read(STDIN_FILENO, in->line + in->n, sizeof in->line - 1 - in->n);
    in->ended = got <= 0;
    in->n += got > 0 ? (size_t)got : 0;
    char *end;
    while ((end = memchr(in->line, '\n', in->n)) && !p->quit) {
        size_t n = (size_t)(end - in->line) + 1;
        char line[sizeof in->line];
        memcpy(line, in->line, n);
        line[n] = 0;
        memmove(in->line, in->line + n, in->n - n);
        in->n -= n;
        run_command(p, line);
    }
    if (in->n == sizeof in->line - 1) {
        say("refused line too-long");
        in->n = 0;
    }
    prompt(p->lane);
}

static void step(program *p, input *in)
{
    p->now_ms = host_now_ms();
    if (p->plugged)
        link_tend(&p->link, &p->reader, p->now_ms);
    int wait_ms = tend_lanes(p, lg_reader_tick(&p->reader, p->now_ms));
    if (p->link.fd >= 0 && lg_reader_wants_close(&p->reader))
        wait_ms = 0;
    if (in->ended && p->reader.pending_count == 0)
        p->quit = true; /* nothing waits for an answer any more */
    struct pollfd polled[2] = {{in->ended ? -1 : STDIN_FILENO, POLLIN, 0}, {p->link.fd, 0, 0}};
    if (p->link.fd >= 0)
        polled[1].events = link_events(&p->link, &p->reader, p->now_ms);
    if (p->quit || poll(polled, 2, wait_ms) < 0)
        return; /* a signal came: look at the clock and begin again */
    p->now_ms = host_now_ms();
    if (polled[1].revents)
        link_ready(&p->link, &p->reader, polled[1].revents, p->now_ms);
    if (polled[0].revents)
        read_commands(p, in);
    link_send(&p->link, &p->reader, p->now_ms);
}

static size_t read_key(const options *o, uint8_t *key)
{
    char hex[2 * LG_KEY_BYTES_MAX + 2] = {0};
    if (option_set(o, "key-file")) {
        FILE *file = fopen(option(o, "key-file"), "r");
        if (!file || !fgets(hex, sizeof hex, file))
            die("%s: no key can be read", option(o, "key-file"));
        fclose(file);
        hex[strcspn(hex, "\r\n")] = 0;
    } else {
        snprintf(hex, sizeof hex, "%s", option(o, "key"));
    }
    size_t n = from_hex(hex, key, LG_KEY_BYTES_MAX);
    if (n == 0 || n == SIZE_MAX)
        die("the key is not %d bytes of hex or fewer", LG_KEY_BYTES_MAX);
    return n;
}

static void open_flash(program *p, const options *o)
{
    bool created = false;
    if (!option_set(o, "flash"))
        die("--flash FILE is needed: without it every event that was not acknowledged would be lost");
    lg_result result = flash_file_open(&p->flash, option(o, "flash"), option_number(o, "flash-blocks"),
                                       strcmp(option(o, "sync"), "yes") == 0);
    if (result == LG_OK)
        result = lg_log_mount(&p->log, &p->flash.port, host_crypto(), &created);
    if (result != LG_OK)
        die("%s: %s", option(o, "flash"),
            result == LG_BUSY ? "another process has it" : "no log can be kept there");
    say("log %s boot %llu next %llu unacknowledged %llu", created ? "new" : "found",
        (unsigned long long)p->log.boot, (unsigned long long)p->log.next_no,
        (unsigned long long)lg_log_count(&p->log));
}

static void begin(program *p, const options *o)
{
    lg_reader_config config = {.id = option(o, "reader"), .software = "liftgate-reader 0.1"};
    static lg_lane_port lane;
    lanes_port(p, &lane);
    config.key.data = p->key;
    config.key.n = read_key(o, p->key);
    config.rx = p->rx, config.rx_bytes = sizeof p->rx;
    config.tx = p->tx, config.tx_bytes = sizeof p->tx;
    config.answer_ms_max = option_number(o, "answer-ms");
    config.alone_ms = option_number(o, "alone-ms");
    config.backoff_ms_min = option_number(o, "backoff-ms");
    config.backoff_ms_max = option_number(o, "backoff-ms-max");
    p->lane = (uint8_t)option_number(o, "lane");
    p->lanes[p->lane].here = true;
    p->now_ms = host_now_ms();
    p->plugged = true;
    if (lg_reader_init(&p->reader, &config, host_crypto(), &lane, begin_alone(p, o), &p->log, p->now_ms) !=
        LG_OK)
        die("--reader: an id of 1 to %d bytes is needed", LG_ID_BYTES_MAX);
    lg_reader_set_clock(&p->reader, host_clock_ms(), p->now_ms);
    link_init(&p->link, option(o, "connect"));
}

/* Leave as the protocol asks, if the engine takes the last word in a second. */
static void take_leave(program *p)
{
    uint64_t until_ms = host_now_ms() + 1000;
    lg_reader_goodbye(&p->reader, "quit", host_now_ms());
    while (p->link.fd >= 0 && !lg_reader_wants_close(&p->reader) && host_now_ms() < until_ms) {
        struct pollfd polled = {p->link.fd, POLLOUT, 0};
        (void)poll(&polled, 1, 100);
        link_send(&p->link, &p->reader, host_now_ms());
    }
    flash_file_close(&p->flash);
}

int main(int argc, char **argv)
{
    static program p;
    static options o;
    static input in;
    options_read(&o, specs, sizeof specs / sizeof *specs, argc, argv, about);
    terminal_begin(strcmp(option(&o, "plain"), "yes") == 0);
    if (!host_crypto())
        die("libsodium cannot be started");
    open_flash(&p, &o);
    begin(&p, &o);
    prompt(p.lane);
    while (!p.quit)
        step(&p, &in);
    take_leave(&p);
    return 0;
}
