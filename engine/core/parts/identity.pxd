cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.events cimport ReaderEvent, ScanDecided
from liftgate.engine.core.model cimport Lane, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

cdef class Identity(Part):
    cdef public object rules
    cdef public object exit_without_entry
    cdef public dict seen
    cdef public dict lost
    cpdef heard(self, ReaderEvent event, Stay stay)
    cpdef plate_at(self, Lane lane, long long at_ms)
