cimport cython
from liftgate.codecs cimport codes, fields, values
from liftgate.codecs.pack cimport Packer
from liftgate.codecs.unpack cimport Unpacker
from liftgate.engine.core.model cimport Lane, Lot
from liftgate.engine.core.numbering cimport Numbering

cdef class ScanDecided

cdef class ReaderEvent:
    cdef public str lot
    cdef public long long seq
    cdef public long long at_ms
    cdef public str reader
    cdef public unsigned long long boot
    cdef public unsigned long long no
    cdef public int lane
    cdef public long long position
    cpdef void name(self, Lot lot, Lane lane, Numbering numbering, unsigned long long no, long long at_ms)
    @cython.locals(buf=bytearray, at=Py_ssize_t, texts=Py_ssize_t)
    cdef int _pack_head(self, Packer out, int kind, int count, Py_ssize_t more_bytes=*) except -1
    cdef int _unpack_head(self, Unpacker source, ScanDecided like) except -1

cdef class ScanDecided(ReaderEvent):
    cdef public int kind
    cdef public bytes token
    cdef public long long skew_ms
    cdef public int way
    cdef public int verdict
    cdef public int reason
    cdef public int effect
    cdef public str area
    cdef public bytes session
    cdef public str spot
    cdef public bytes rare
    cpdef bint owes(self) except -1
    @cython.locals(buf=bytearray, at=Py_ssize_t, texts=Py_ssize_t, blobs=Py_ssize_t, rare=bytes)
    cpdef void pack(self, Packer out)
    cpdef void unpack(self, Unpacker source, ScanDecided like=*)

cdef class PassageRecorded(ReaderEvent):
    cdef public int what
    cdef public int way
    cdef public str area
    cdef public bytes session
    cdef public str effect
    cpdef void pack(self, Packer out)
    cpdef void unpack(self, Unpacker source, ScanDecided like=*)

cdef class LaneReported(ReaderEvent):
    cdef public int barrier
    cdef public bint loop
    cdef public tuple faults
    cpdef void pack(self, Packer out)
    cpdef void unpack(self, Unpacker source, ScanDecided like=*)

cdef class HistoryRecorded(ReaderEvent):
    cdef public int what
    cdef public int verdict_given
    cdef public int finding
    cdef public int way
    cdef public str area
    cdef public bytes session
    cdef public str spot
    cdef public str effect
    cdef public bytes told
    cpdef void pack(self, Packer out)
    @cython.locals(start=Py_ssize_t)
    cpdef void unpack(self, Unpacker source, ScanDecided like=*)

cpdef pack(object event, Packer out)
@cython.locals(start=Py_ssize_t, kind=int, scan=ScanDecided)
cpdef object unpack(Unpacker source, ScanDecided like=*)
