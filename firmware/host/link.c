/* One TCP connection, never waited for: the bytes between a socket and a reader. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

void link_init(tcp_link *l, const char *address)
{
    const char *colon = strrchr(address, ':');
    if (strlen(address) >= sizeof l->address || (*address != '@' && (!colon || !colon[1])))
        die("%s: neither HOST:PORT nor @FILE", address);
    l->fd = -1;
    l->connecting = false;
    strcpy(l->address, address);
    l->in_from = l->in_to = 0;
}

/* The text or number after "name": in a flat JSON object; false where there is none that fits. */
static bool json_value(const char *json, const char *name, char *out, size_t room)
{
    const char *at = strstr(json, name);
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return false;
    at += 1 + strspn(at + 1, " \"");
    size_t n = strcspn(at, "\",} \n");
    if (n == 0 || n >= room)
        return false;
    memcpy(out, at, n);
    out[n] = 0;
    return true;
}

/* Where the engine listens now: one that was started again may have another port. */
static bool find_engine(const tcp_link *l, char *host, char *port, size_t room)
{
    char json[1024] = {0};
    if (*l->address != '@') {
        const char *colon = strrchr(l->address, ':');
        snprintf(host, room, "%.*s", (int)(colon - l->address), l->address);
        snprintf(port, room, "%s", colon + 1);
        return true;
    }
    FILE *file = fopen(l->address + 1, "r");
    if (!file)
        return false; /* it is not there yet, or not any more */
    size_t n = fread(json, 1, sizeof json - 1, file);
    fclose(file);
    return n > 0 && json_value(json, "\"host\"", host, room) && json_value(json, "\"port\"", port, room);
}

void link_cut(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
    l->connecting = false;
    l->in_from = l->in_to = 0;
    lg_reader_disconnected(r, now_ms);
}

/* A socket that is about to be connected, or -1. */
static int begin_connect(const tcp_link *l)
{
    char host[256], port[256];
    if (!find_engine(l, host, port, sizeof host))
        return -1;
    struct addrinfo wanted = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (getaddrinfo(host, port, &wanted, &found) != 0)
        return -1;
    int fd = socket(found->ai_family, found->ai_socktype, found->ai_protocol), one = 1;
    if (fd >= 0) {
        bool failed = fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 ||
                      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) != 0 ||
                      (connect(fd, found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS);
        if (failed) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    return fd;
}

void link_tend(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    if (l->fd >= 0 && lg_reader_wants_close(r))
        link_cut(l, r, now_ms);
    if (l->fd >= 0 || !lg_reader_wants_connection(r, now_ms))
        return;
    l->fd = begin_connect(l);
    l->connecting = l->fd >= 0;
    if (l->fd < 0)
        lg_reader_disconnected(r, now_ms);
}

short link_events(const tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    size_t n = 0;
    if (l->connecting)
        return POLLOUT;
    (void)lg_reader_output(r, &n, now_ms);
    return (short)(POLLIN | (n > 0 ? POLLOUT : 0));
}

void link_send(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    while (l->fd >= 0 && !l->connecting) {
        size_t n = 0;
        const uint8_t *out = lg_reader_output(r, &n, now_ms);
        if (n == 0)
            return;
        ssize_t sent = send(l->fd, out, n, MSG_NOSIGNAL);
        if (sent > 0)
            lg_reader_sent(r, (size_t)sent);
        else if (errno == EAGAIN || errno == EINTR)
            return;
        else
            link_cut(l, r, now_ms);
    }
}

/* Give what was received to the reader, as far as it takes it now. */
static void hand_over(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    l->in_from += lg_reader_receive(r, l->in + l->in_from, l->in_to - l->in_from, now_ms);
    if (l->in_from == l->in_to)
        l->in_from = l->in_to = 0;
}

static void receive(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    if (l->in_to == sizeof l->in)
        return; /* the reader has no room for answers: the kernel keeps the rest */
    ssize_t got = recv(l->fd, l->in + l->in_to, sizeof l->in - l->in_to, 0);
    if (got > 0)
        l->in_to += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        link_cut(l, r, now_ms);
}

static void finish_connect(tcp_link *l, lg_reader *r, uint64_t now_ms)
{
    int error = 0;
    socklen_t n = sizeof error;
    if (getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) {
        link_cut(l, r, now_ms);
        return;
    }
    l->connecting = false;
    lg_reader_connected(r, now_ms);
}

void link_ready(tcp_link *l, lg_reader *r, short events, uint64_t now_ms)
{
    if (l->fd >= 0 && l->connecting && events)
        finish_connect(l, r, now_ms);
    else if (l->fd >= 0 && (events & (POLLIN | POLLHUP | POLLERR)))
        receive(l, r, now_ms);
    link_send(l, r, now_ms);
    if (l->fd >= 0 && l->in_from != l->in_to) {
        hand_over(l, r, now_ms);
        link_send(l, r, now_ms);
    }
}
