from liftgate.engine.core.events cimport ReaderEvent
from liftgate.engine.core.model cimport Area, Lot, Stay

cdef class Part:
    cdef public Lot lot
    cdef public bint on
    cdef public bint watches
    cdef public bint listens
    cdef public bint every_scan
    cdef public long long next_ms
    cdef public long long _looked_seq
    cdef public long long _looked_ms
    cpdef long long due_ms(self) except? -1
    cpdef moved(self, Stay stay, Area before)
    cpdef heard(self, ReaderEvent event, Stay stay)
