cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.events cimport ReaderEvent, ScanDecided
from liftgate.engine.core.model cimport Area, Lane, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

cdef class Passback(Part):
    cdef public object rules
    cdef public frozenset timed_inside
    cdef public dict unseen_until
    cdef public dict unnamed
    cdef public dict casts
    @cython.locals(marks=dict, scan=ScanDecided)
    cpdef heard(self, ReaderEvent event, Stay stay)
    cpdef bint has_unnamed(self, Area area, int way, long long at_ms) except -1
