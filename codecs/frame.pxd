cimport cython
from liftgate.codecs cimport codes, raw
from liftgate.codecs.pack cimport Packer

cdef class FrameReader:
    cdef public bytes data
    cdef public Py_ssize_t at
    cdef public int kind
    cdef public unsigned int ref
    cdef public Py_ssize_t body_at
    cdef public Py_ssize_t body_end
    cdef public Py_ssize_t body_bytes_max
    cpdef void feed(self, bytes data)
    @cython.locals(data=bytes, at=Py_ssize_t, left=Py_ssize_t, size=Py_ssize_t, crc="unsigned int")
    cpdef bint take(self) except -1
    cpdef bint drained(self) except -1
    cdef void _refuse_head(self, Py_ssize_t left)
    cpdef bytes body(self)

@cython.locals(at=Py_ssize_t)
cpdef Py_ssize_t begin_frame(Packer out, int kind, unsigned int ref) except -1
@cython.locals(buf=bytearray, size=Py_ssize_t, crc="unsigned int")
cpdef void end_frame(Packer out, Py_ssize_t at)
cpdef bytes frame(int kind, unsigned int ref, bytes body)
