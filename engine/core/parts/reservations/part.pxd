from liftgate.codecs cimport codes
from liftgate.engine.core.events cimport HistoryRecorded, PassageRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

cdef class ReservationsPart(Part):
    cdef public object rules
    cdef public object book
    cdef public object holds
    cdef public object times
    cdef public dict by_session
    cdef public dict arriving
    cdef public dict to_tell
    cdef public list followed
    cdef public long long followed_seq
    cdef public bint freed
    cdef public dict known
    cdef public dict wanted
    cpdef moved(self, Stay stay, Area before)
    cpdef heard(self, ReaderEvent event, Stay stay)
