cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Stay
from liftgate.engine.core.parts.passes cimport Pass, kept_with
from liftgate.engine.core.rules.base cimport Rule
from liftgate.engine.core.rules.entitlements cimport comes_from_street
from liftgate.engine.core.rules.place cimport HasSpace, classes_for, find_spot

cdef class HasSpaceOfClass(HasSpace):
    cdef public dict passes
    cdef public dict fallback
    @cython.locals(classes=tuple, wanted=str)
    cpdef bint found(self, Lot lot, ReadCredential read) except -1
    @cython.locals(found=Pass)
    cpdef tuple classes(self, Lot lot, ReadCredential read)
    @cython.locals(found=Pass)
    cdef Pass _came_by(self, ReadCredential read)
