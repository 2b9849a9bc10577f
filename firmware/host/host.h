/* What the host programs share: ports for a machine with an operating system, a connection, options. */
#ifndef LIFTGATE_HOST_H
#define LIFTGATE_HOST_H

#include "liftgate/reader.h"

/* mbed TLS, and libsodium for Ed25519 and random; NULL where the libraries cannot be started. */
const lg_crypto *host_crypto(void);

/* -- flash in a file. It survives a kill; with sync also a power cut of this machine, and is slow. */
typedef struct flash_file {
    int fd;
    bool sync;
    lg_flash port;
} flash_file;

/* Opens, or makes anew and blank; LG_BUSY where another process has it. */
lg_result flash_file_open(flash_file *f, const char *path, uint32_t blocks, bool sync);
void flash_file_close(flash_file *f);

/* -- one TCP connection of one reader, by poll. No TLS: put a TLS proxy before it, or a board's own. */
typedef struct tcp_link {
    int fd; /* -1: none */
    bool connecting;
    char address[256]; /* HOST:PORT, or @FILE: the engine's ready file, which says where it listens */
    uint8_t in[4096]; /* received and not yet taken */
    size_t in_from, in_to;
} tcp_link;

/* Ends the program where the address is neither. */
void link_init(tcp_link *l, const char *address);
/* Begin to connect where the reader wants that, end what it wants ended. */
void link_tend(tcp_link *l, lg_reader *r, uint64_t now_ms);
/* What to poll for. */
short link_events(const tcp_link *l, lg_reader *r, uint64_t now_ms);
void link_ready(tcp_link *l, lg_reader *r, short events, uint64_t now_ms);
/* Send what there is without waiting for poll. */
void link_send(tcp_link *l, lg_reader *r, uint64_t now_ms);
/* Pull the plug. */
void link_cut(tcp_link *l, lg_reader *r, uint64_t now_ms);

/* -- options: --name value, or `name = value` lines of the file that --config names; a # begins a comment */
typedef struct option_spec {
    const char *name, *initial, *help;
} option_spec;

enum { OPTIONS_MAX = 24, OPTION_BYTES_MAX = 256 };

typedef struct options {
    const option_spec *specs;
    size_t count;
    char values[OPTIONS_MAX][OPTION_BYTES_MAX];
} options;

/* Ends the program with a message and 2 where something is wrong, with help and 0 where that is asked for. */
void options_read(options *o, const option_spec *specs, size_t count, int argc, char **argv,
                  const char *about);
const char *option(const options *o, const char *name);
uint32_t option_number(const options *o, const char *name);
bool option_set(const options *o, const char *name);
/* Bytes of hex digits; SIZE_MAX where they are none or too many. */
size_t from_hex(const char *hex, uint8_t *out, size_t room);

uint64_t host_now_ms(void);
uint64_t host_now_ns(void);
uint64_t host_clock_ms(void);
/* Say why, and end with 1. */
void die(const char *format, ...);

#endif
