/* The limit: the least that a durable server of this protocol can do, so the most that any can reach.
 *
 * A round: ask epoll, read whatever is ready, append every byte read to a file in one write, one fdatasync,
 * then answer. Done: framing, one copy, the disk, and an answer shaped like DECISION open with the SCAN's own
 * ref, its own `no` (bytes copied, never decoded) and a right CRC, because the load generator checks these.
 * Not done: sign-on, checking the CRC of what comes in, decoding, deciding, numbering; session, spot and
 * position in the answer are constants. The file is written full of zeros first and reused from its start when
 * full: extents that were only reserved (fallocate) would make each sync a change of metadata too.
 *
 * usage: limit FILE   prints the port it listens on (loopback), runs until its standard input ends. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

enum { READY_MAX = 4096, READ_BYTES = 16384, FILE_BYTES = 64 << 20, FDS_MAX = 65536, ROUND_BYTES = 32 << 20 };

/* Part of a frame that a read ended in; a SCAN is below 600 bytes, so one longer than this is not served. */
struct rest { uint16_t bytes; uint8_t data[1022]; };
struct chunk { int fd; uint32_t at, bytes; };

static struct rest *rests[FDS_MAX];
static struct epoll_event ready[READY_MAX];
static struct chunk chunks[READY_MAX];
static uint8_t round_buffer[ROUND_BYTES], answers[READ_BYTES * 4];

/* Everything of a DECISION after `no`: open, reason 0, session, spot, text, no price, on disk, position. */
static const uint8_t decision_tail[] =
    "\x01\x00\xC4\x10sixteen byte id.\xA8P1-A-017\xA7Welcome\xC0\x01\xCE\x00\x01\x00\x00";

static void die(const char *what) { perror(what); exit(1); }

static int open_log(const char *path)
{
    static const uint8_t zeros[1 << 20];
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
    if (fd < 0)
        die(path);
    for (off_t at = 0; at < FILE_BYTES; at += (off_t)sizeof zeros)
        if (pwrite(fd, zeros, sizeof zeros, at) != (ssize_t)sizeof zeros)
            die("fill");
    if (fsync(fd))
        die("fsync");
    return fd;
}

static int listen_loopback(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof here;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&here, size) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&here, &size))
        die("listen");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    return fd;
}

static void watch(int epoll, int fd)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
        die("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int fd, yes = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= FDS_MAX || !(rests[fd] = rests[fd] ? rests[fd] : malloc(sizeof *rests[fd])))
            die("too many connections");
        rests[fd]->bytes = 0;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        watch(epoll, fd);
    }
}

/* Lay what is ready behind the rest of last time, so that frames stand whole in the round's buffer. */
static uint32_t read_ready(int fd, uint32_t at)
{
    struct rest *rest = rests[fd];
    memcpy(round_buffer + at, rest->data, rest->bytes);
    ssize_t got = recv(fd, round_buffer + at + rest->bytes, READ_BYTES, 0);
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN)
            close(fd);
        return 0;
    }
    uint32_t bytes = rest->bytes + (uint32_t)got;
    rest->bytes = 0;
    return bytes;
}

static size_t answer_one(uint8_t *out, const uint8_t *frame)
{
    const uint8_t *no = frame + HEADER_BYTES + 1;
    size_t no_bytes = *no < 0x80 ? 1 : 1 + (1u << ((*no - 0xCC) & 3));
    uint8_t *body = out + HEADER_BYTES;
    body[0] = 0x99;
    memcpy(body + 1, no, no_bytes);
    memcpy(body + 1 + no_bytes, decision_tail, sizeof decision_tail - 1);
    return seal_frame(out, DECISION, load32(frame + 8), 1 + no_bytes + sizeof decision_tail - 1);
}

static void answer(const struct chunk *chunk)
{
    const uint8_t *p = round_buffer + chunk->at, *end = p + chunk->bytes;
    size_t bytes = 0;
    while (end - p >= HEADER_BYTES && (size_t)(end - p) >= HEADER_BYTES + (size_t)load32(p + 4)) {
        bytes += answer_one(answers + bytes, p);
        p += HEADER_BYTES + load32(p + 4);
    }
    struct rest *rest = rests[chunk->fd];
    if ((size_t)(end - p) > sizeof rest->data) {
        close(chunk->fd);
        return;
    }
    rest->bytes = (uint16_t)(end - p);
    memcpy(rest->data, p, rest->bytes);
    /* A client with 64 in flight never fills a socket's buffer: a short send is a broken client, cut off. */
    if (bytes && send(chunk->fd, answers, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
        close(chunk->fd);
}

static void append(int log, size_t bytes)
{
    static off_t at;
    if (at + (off_t)bytes > FILE_BYTES)
        at = 0;
    if (pwrite(log, round_buffer, bytes, at) != (ssize_t)bytes || fdatasync(log))
        die("append");
    at += (off_t)bytes;
}

static void serve(int epoll, int listener, int log)
{
    for (;;) {
        int n = epoll_wait(epoll, ready, READY_MAX, -1), used = 0;
        uint32_t at = 0;
        for (int i = 0; i < n; i++) {
            int fd = ready[i].data.fd;
            if (fd == STDIN_FILENO)
                return;
            if (fd == listener) {
                accept_all(epoll, listener);
                continue;
            }
            if (at + READ_BYTES + sizeof rests[fd]->data > ROUND_BYTES)
                break;
            chunks[used] = (struct chunk){ .fd = fd, .at = at, .bytes = read_ready(fd, at) };
            at += chunks[used].bytes;
            used += chunks[used].bytes > 0;
        }
        if (at)
            append(log, at);
        for (int i = 0; i < used; i++)
            answer(&chunks[i]);
    }
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc != 2)
        return fprintf(stderr, "usage: limit FILE\n"), 2;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    crc_init();
    int epoll = epoll_create1(0), log = open_log(argv[1]), listener = listen_loopback();
    watch(epoll, listener);
    watch(epoll, STDIN_FILENO);
    serve(epoll, listener, log);
    return 0;
}
