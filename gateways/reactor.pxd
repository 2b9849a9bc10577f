cimport cython
from liftgate.gateways cimport sockets
from liftgate.gateways.gateway cimport Gateway
from liftgate.gateways.link cimport Link

cdef class Reactor:
    cdef public Gateway gateway
    cdef public object listener
    cdef public object tls
    cdef public object clock
    cdef public long long rounds
    cdef public object epoll
    cdef public dict links
    cdef public dict owned
    cdef public dict secure
    cdef public bint accepting
    cdef public int _listener_fd
    cpdef bint turn(self) except -1
    @cython.locals(ready=list, gateway=Gateway, fd=int, mask=int, link=Link, data=bytes)
    cpdef bint round(self) except -1
    @cython.locals(gateway=Gateway, buf=bytearray, link=Link, start=Py_ssize_t, stop=Py_ssize_t, fd=int, sent=Py_ssize_t)
    cpdef void finish(self)
