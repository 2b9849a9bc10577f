cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Lane, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class IsEntitled(Rule):
    cdef public object part
    cdef public dict holders
    cdef public frozenset guarded
    cdef public bint casual
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef bint _begins(ReadCredential read) except -1
@cython.locals(lane=Lane)
cdef bint _needs_known(ReadCredential read) except -1
