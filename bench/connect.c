/* What every program that plays readers begins with: connections, errors, the key. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "loadgen.h"

/* Ten errors tell enough. */
enum { ERRORS_TOLD = 10 };

uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void tell_error(const char *format, ...)
{
    va_list values;
    if (run.errors++ >= ERRORS_TOLD)
        return;
    va_start(values, format);
    fputs("loadgen: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
}

void prepare_clock_and_files(void)
{
    struct rlimit files;
    struct timespec wall;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    crc_init();
    clock_gettime(CLOCK_REALTIME, &wall);
    run.wall_offset_ms = (uint64_t)wall.tv_sec * 1000u + (uint64_t)wall.tv_nsec / 1000000u;
    run.wall_offset_ms -= now_ns() / 1000000u;
}

void open_connection(struct connection *c)
{
    struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons((uint16_t)opt.port) };
    int yes = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || inet_pton(AF_INET, opt.host, &there.sin_addr) != 1)
        fail("socket to %s: %s", opt.host, strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(c->fd, (struct sockaddr *)&there, sizeof there) && errno != EINPROGRESS)
        fail("connect %s:%d: %s", opt.host, opt.port, strerror(errno));
    c->state = CONNECTING;
    run.opening++;
    watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

void on_connected(struct connection *c)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &failure, &size);
    if (failure)
        fail("connect %s:%d: %s", opt.host, opt.port, strerror(failure));
    watch(c, EPOLL_CTL_MOD, EPOLLIN);
    if (opt.sign_on && !opt.redis)
        say_hello(c);
    else
        become_ready(c);
}

size_t take_input(struct connection *c)
{
    memcpy(in_buffer, c->part, c->part_bytes);
    ssize_t got = recv(c->fd, in_buffer + c->part_bytes, READ_BYTES, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (got <= 0)
        fail("connection %u: %s", c->index, got ? strerror(errno) : "closed by the server");
    return c->part_bytes + (size_t)got;
}

void keep_rest(struct connection *c, const uint8_t *rest, size_t n)
{
    if (n > sizeof c->part)
        fail("connection %u: an answer of more than %zu bytes", c->index, sizeof c->part);
    c->part_bytes = (uint32_t)n;
    memcpy(c->part, rest, n);
}

bool read_key(const char *hex)
{
    for (int i = 0; i < KEY_BYTES; i++)
        if (sscanf(hex + 2 * i, "%2hhx", &opt.key[i]) != 1)
            return false;
    return hex[2 * KEY_BYTES] == 0;
}
