cimport cython
from liftgate.engine.core cimport apply as folding
from liftgate.engine.core cimport reads
from liftgate.codecs.pack cimport Packer
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Lot

cdef class Engine:
    cdef public object journal
    cdef public dict lots
    cdef public long long now_ms
    cdef public long long began_ms
    cdef public long long position
    cdef public bint accepting
    cdef public long long room_bytes
    cdef public Py_ssize_t seal_bytes
    cdef public dict untold
    cdef Packer _gathered
    cdef Py_ssize_t _count
    cdef Py_ssize_t _sealed
    cpdef void begin(self, long long wall_ms)
    cpdef bint full(self) except -1
    @cython.locals(event=ScanDecided)
    cpdef ScanDecided read(self, Lot lot, ReadCredential read)
    cpdef tuple do(self, Lot lot, object command)
    @cython.locals(gathered=Packer)
    cdef void _seal(self)
    cpdef void commit(self)
