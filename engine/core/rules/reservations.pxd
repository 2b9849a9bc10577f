cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Block, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule
from liftgate.engine.core.rules.classes cimport HasSpaceOfClass
from liftgate.engine.core.rules.place cimport find_spot, without_spot

cdef class HasSpaceOrReservation(HasSpaceOfClass):
    cdef public object book
    cdef public dict by_area
    cdef public dict by_credential
    cdef public dict by_code
    @cython.locals(stay=Stay)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    cdef int _reserved(self, Lot lot, ReadCredential read, object found) except -1
    @cython.locals(block=Block)
    cdef bint _named(self, Lot lot, ReadCredential read, object found) except -1
    cdef bint _of_class(self, ReadCredential read, object found) except -1
    @cython.locals(held=bint)
    cdef int _beside(self, Lot lot, ReadCredential read, object holds) except -1

@cython.locals(block=Block, free=Py_ssize_t)
cdef Py_ssize_t free_of(ReadCredential read, str spot_class) except? -1
