cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Stay
from liftgate.engine.core.parts.passes cimport Pass, kept_with
from liftgate.engine.core.rules.base cimport Rule
from liftgate.engine.core.rules.place cimport HasSpace

cdef class HasSpaceOfClass(HasSpace):
    cdef public dict passes
    cdef public dict fallback
    @cython.locals(lane=Lane, stay=Stay, classes=tuple, wanted=str, block=Block)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    @cython.locals(found=Pass)
    cpdef tuple classes(self, Lot lot, ReadCredential read)
    @cython.locals(block=Block, number=Py_ssize_t)
    cdef bint _find(self, ReadCredential read, str wanted) except -1
