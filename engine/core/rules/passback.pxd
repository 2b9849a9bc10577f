cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class PassbackIn(Rule):
    cdef public object part
    @cython.locals(stay=Stay, outside=Area)
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PassbackOut(Rule):
    cdef public object part
    cdef public object identity
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
