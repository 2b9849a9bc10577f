cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.events cimport HistoryRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.parts.base cimport Part
from liftgate.engine.core.parts.passes cimport Group, Holder, Pass, before_barrier, kept_with

cdef class EntitlementsPart(Part):
    cdef public object rules
    cdef public object calendar
    cdef public dict passes
    cdef public dict groups
    cdef public dict holders
    cdef public long long last_number
    cdef public object ends
    cdef public bint promises
    cpdef moved(self, Stay stay, Area before)
    @cython.locals(scan=ScanDecided, moved=bint)
    cpdef heard(self, ReaderEvent event, Stay stay)
    @cython.locals(notes=dict)
    cdef _remember_usual(self, Stay stay, Marks said, bint moved)
    @cython.locals(own=dict, before=dict)
    cdef _remember(self, Stay stay, dict marks, bint moved)
    @cython.locals(group=Group, found=Pass)
    cdef _count(self, Stay stay)
    @cython.locals(group=Group)
    cdef _let_go(self, Stay stay)
    @cython.locals(found=Pass)
    cdef _use(self, Stay stay)
    @cython.locals(found=Pass)
    cdef Pass _no_longer_pending(self, Stay stay)
    @cython.locals(found=Pass)
    cdef Pass _pass_of(self, Stay stay)
    @cython.locals(group=Group)
    cdef Group _group_of(self, Stay stay)

cdef dict _kept_of(dict marks)
