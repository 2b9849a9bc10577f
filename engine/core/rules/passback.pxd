cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.rules.base cimport PartRule, Rule

cdef class PassbackIn(PartRule):
    @cython.locals(stay=Stay, outside=Area)
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PassbackOut(PartRule):
    cdef public object identity
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
