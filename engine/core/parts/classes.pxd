from liftgate.engine.core.model cimport Area, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

cdef class ClassesPart(Part):
    cdef public object rules
    cdef public dict plugs
    cdef public dict places
    cpdef moved(self, Stay stay, Area before)
