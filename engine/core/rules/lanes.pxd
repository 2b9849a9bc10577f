cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class GoesWithTheTide(Rule):
    @cython.locals(tide=tuple, run=int, clear_until_ms="long long", since_ms="long long", now_ms="long long")
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef long long _moment(ReadCredential read) except? -1

cdef class NotHeldByPlan(Rule):
    @cython.locals(area=Area, stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
