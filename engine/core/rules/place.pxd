cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

cdef class ComesFromOutside(Rule):
    @cython.locals(stay=Stay, outside=Area)
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class ComesFromInside(Rule):
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1

cdef class HasSpace(Rule):
    @cython.locals(stay=Stay, area=Area)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    @cython.locals(classes=tuple, wanted=str)
    cpdef bint found(self, Lot lot, ReadCredential read) except -1

cpdef tuple classes_for(Lot lot, ReadCredential read)
@cython.locals(block=Block, number=Py_ssize_t)
cpdef bint find_spot(ReadCredential read, str wanted) except -1
@cython.locals(block=Block)
cpdef int without_spot(Area area) except -1
