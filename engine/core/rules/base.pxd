from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Lot

cdef class Rule:
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    cpdef str explain(self, Lot lot, ReadCredential read)

cdef class PartRule(Rule):
    cdef public object part
