cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class IsOpenNow(Rule):
    cdef public object hours
    cdef public long long from_ms
    cdef public long long to_ms
    cdef public bint shut
    cdef public tuple other
    @cython.locals(at_ms="long long")
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    cpdef object _look(self, long long at_ms)

cdef class TurnsRound(Rule):
    cdef public long long grace_ms
    cdef public Marks said
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
