from liftgate.codecs cimport codes
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lot
from liftgate.engine.core.rules.base cimport PartRule, Rule

cdef class WitnessRule(PartRule):
    cdef public dict seen

cdef class PlateIsWitness(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateComesAlong(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class PlateAgrees(WitnessRule):
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class NotLost(PartRule):
    cdef public dict lost
    cpdef int check(self, Lot lot, ReadCredential read) except -1
