cimport cython
from liftgate.codecs cimport codes
from liftgate.codecs.frame cimport FrameReader
from liftgate.codecs.scans cimport ScanFields

cdef class WireConnection:
    cdef public object role
    cdef public object state
    cdef public unsigned int ref
    cdef public bytes hello
    cdef public bytes challenge
    cdef public Py_ssize_t frame_bytes_max
    cdef public FrameReader frames
    cdef public int _client_role
    cdef public bint _eof
    cdef public bint _taken
    cdef public bint _reads
    cdef public bint _open
    cdef public dict _theirs
    cdef public dict _ours
    cpdef void feed(self, bytes data)
    cpdef bint drained(self) except -1
    cpdef object next_event(self)
    @cython.locals(frames=FrameReader)
    cpdef bint next_scan(self, ScanFields fields) except -1
    @cython.locals(frames=FrameReader, kind=int, body=bytes)
    cdef object _message(self)
