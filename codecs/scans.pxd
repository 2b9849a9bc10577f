cimport cython
from liftgate.codecs cimport codes, fields
from liftgate.codecs.unpack cimport Unpacker

cdef class ScanFields:
    cdef public unsigned long long no
    cdef public unsigned long long at_ms
    cdef public int lane
    cdef public int kind
    cdef public bytes token
    cdef Unpacker _source
    @cython.locals(source=Unpacker)
    cpdef bint parse(self, bytes data, Py_ssize_t at, Py_ssize_t end) except -1
    @cython.locals(lane="unsigned long long", kind="unsigned long long")
    cdef bint _fields(self, Unpacker source) except -1
