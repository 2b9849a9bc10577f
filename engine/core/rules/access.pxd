cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lane, Lot
from liftgate.engine.core.rules.base cimport Rule

cdef class LaneIsOpen(Rule):
    @cython.locals(mode=int)
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class KindIsTaken(Rule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class NotDenied(Rule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class IsKnown(Rule):
    cdef public dict holders
    cdef public object book
    @cython.locals(lane=Lane)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
