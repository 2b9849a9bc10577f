# The compiled build's side of sockets.py: same names, inline C.
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize

cdef extern from *:
    """
    #ifndef LIFTGATE_SOCKETS
    #define LIFTGATE_SOCKETS
    #include <sys/types.h>
    #include <sys/socket.h>
    #include <sys/epoll.h>
    #include <errno.h>
    static struct epoll_event lg_ready[16384];
    static inline int lg_poll(int epoll_fd) {
        int n;
        do n = epoll_wait(epoll_fd, lg_ready, 16384, 0); while (n < 0 && errno == EINTR);
        return n;
    }
    static inline int lg_ready_fd(Py_ssize_t i) { return lg_ready[i].data.fd; }
    static inline unsigned lg_ready_mask(Py_ssize_t i) { return lg_ready[i].events; }
    #define LG_READABLE (EPOLLIN | EPOLLHUP | EPOLLERR)
    #define LG_WRITABLE EPOLLOUT
    #define LG_ENDED (EPOLLRDHUP | EPOLLHUP | EPOLLERR)
    static char lg_received[65536];
    /* > 0: bytes; 0: the peer closed or the connection broke; -1: nothing is there */
    static inline Py_ssize_t lg_receive(int fd) {
        ssize_t n;
        do n = recv(fd, lg_received, sizeof lg_received, MSG_DONTWAIT); while (n < 0 && errno == EINTR);
        if (n >= 0) return n;
        return (errno == EAGAIN || errno == EWOULDBLOCK) ? -1 : 0;
    }
    static inline Py_ssize_t lg_send(int fd, const char *data, Py_ssize_t size) {
        ssize_t n;
        do n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL); while (n < 0 && errno == EINTR);
        if (n >= 0) return n;
        return (errno == EAGAIN || errno == EWOULDBLOCK) ? 0 : -1;
    }
    #endif
    """
    char *lg_received
    int lg_poll(int epoll_fd) nogil
    int lg_ready_fd(Py_ssize_t i) nogil
    unsigned int lg_ready_mask(Py_ssize_t i) nogil
    const int RECEIVE_BYTES "65536"
    const int READABLE "LG_READABLE"
    const int WRITABLE "LG_WRITABLE"
    const int ENDED "LG_ENDED"
    Py_ssize_t lg_receive(int fd) nogil
    Py_ssize_t lg_send(int fd, const char *data, Py_ssize_t size) nogil

cdef inline bytes receive(int fd):
    cdef Py_ssize_t size = lg_receive(fd)
    if size < 0:
        return None
    return PyBytes_FromStringAndSize(lg_received, size)

cdef inline Py_ssize_t send(int fd, bytearray buf, Py_ssize_t start, Py_ssize_t stop) except -2:
    return lg_send(fd, PyByteArray_AS_STRING(buf) + start, stop - start)

cdef inline int poll(object epoll, int epoll_fd) except -1:
    cdef int n = lg_poll(epoll_fd)
    if n < 0:
        raise OSError("epoll_wait failed")
    return n

cdef inline int ready_fd(Py_ssize_t index) noexcept:
    return lg_ready_fd(index)

cdef inline unsigned int ready_mask(Py_ssize_t index) noexcept:
    return lg_ready_mask(index)
