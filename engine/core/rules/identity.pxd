from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lot
from liftgate.engine.core.rules.base cimport PartRule, Rule

cdef class WitnessRule(PartRule):
    pass

cdef class PlateIsWitness(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateComesAlong(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateAgrees(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class NotLost(PartRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1
