cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class IsPaid(Rule):
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
