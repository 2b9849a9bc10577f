from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lot
from liftgate.engine.core.rules.base cimport Rule

cdef class PlateIsWitness(Rule):
    cdef public object part
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateComesAlong(Rule):
    cdef public object part
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateAgrees(Rule):
    cdef public object part
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class NotLost(Rule):
    cdef public object part
    cpdef int check(self, Lot lot, ReadCredential read) except -1
