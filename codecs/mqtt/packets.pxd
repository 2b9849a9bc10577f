cimport cython

cdef class PacketReader:
    cdef public Py_ssize_t packet_bytes_max
    cdef public bytes data
    cdef public Py_ssize_t at
    @cython.locals(rest=Py_ssize_t)
    cpdef void feed(self, bytes data)
    @cython.locals(data=bytes, at=Py_ssize_t)
    cpdef tuple peek(self)
    @cython.locals(data=bytes, at=Py_ssize_t, body_at=Py_ssize_t, end=Py_ssize_t)
    cpdef object take(self)
