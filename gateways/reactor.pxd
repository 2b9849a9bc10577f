cimport cython
from liftgate.gateways cimport sockets
from liftgate.gateways.gateway cimport Gateway
from liftgate.gateways.link cimport Link

cdef class Reactor:
    cdef public Gateway gateway
    cdef public object listener
    cdef public object clock
    cdef public object steady
    cdef public long long rounds
    cdef public object epoll
    cdef public list table
    cdef public list again
    cdef public list heard
    cdef public list said
    cdef public Py_ssize_t _said_bytes
    cdef public object later
    cdef public dict behind
    cdef public dict held
    cdef public bint urgent
    cdef public dict owned
    cdef public dict secure
    cdef public bint accepting
    cdef public dict doors
    cdef public int _epoll_fd
    cpdef bint turn(self) except -1
    @cython.locals(count=int, urgent=bint, gateway=Gateway)
    cpdef bint round(self) except -1
    @cython.locals(index=int, fd=int, link=Link)
    cpdef void _read_ready(self, int count)
    @cython.locals(data=bytes)
    cpdef void _read(self, int fd, Link link)
    @cython.locals(heard=list, said=list, data=bytes, gateway=Gateway, index=Py_ssize_t, link=Link,
                   aside=bint)
    cpdef void _decide(self)
    @cython.locals(
        gateway=Gateway, owners=list, stops=list, buf=bytearray, index=Py_ssize_t, link=Link,
        start=Py_ssize_t, stop=Py_ssize_t, fd=int, sent=Py_ssize_t
    )
    cpdef void finish(self)
