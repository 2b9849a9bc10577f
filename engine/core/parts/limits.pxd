cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.events cimport ReaderEvent, ScanDecided
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

cdef class Limits(Part):
    cdef public object rules
    cdef public object hours
    cdef public bint limited
    cdef public long long same_ms
    cdef public list queue
    cdef public dict ripe
    cdef public dict aside
    cdef public long long closing_told_ms
    cdef long long _last_ms
    cdef bytes _left
    cdef Area _left_from
    @cython.locals(area=Area)
    cpdef moved(self, Stay stay, Area before)
    cdef _line_up(self, Stay stay)
    cdef bint _is_last(self, Stay stay) except -1
    cdef _put_aside(self, long long over_ms, Stay stay)
    @cython.locals(over_ms="long long")
    cdef _stand(self, Stay stay)
    @cython.locals(over_ms="long long")
    cdef _expect(self, Stay stay)
    cdef _push(self, long long over_ms, Stay stay)
    @cython.locals(scan=ScanDecided, said=Marks, marks=dict, turned=bint)
    cpdef heard(self, ReaderEvent event, Stay stay)
    cdef _let_out(self, ScanDecided event, Stay stay, bint turned)
    @cython.locals(before=Area)
    cdef _turned_round(self, bytes session)
    cpdef long long over_ms(self, Stay stay) except? -1
    cpdef long long limit_s(self, Stay stay) except? -1

cdef dict _notes(Stay stay)
