cimport cython
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Area, Lot, Stay

cdef class Pass:
    cdef public long long number
    cdef public long long used
    cdef public long long spent_ms
    cdef public dict pending
    cdef public Marks said
    cdef public Group said_with
    cdef public bint timed
    cdef public bint gone
    cdef public object spec
    cdef public tuple areas
    cdef public tuple classes
    cdef public tuple weekly
    cdef public object uses
    cdef public long long from_ms
    cdef public long long until_ms
    cdef public bint permitted
    cdef public long long low_ms
    cdef public long long high_ms
    cpdef void take(self, object spec)
    @cython.locals(name=str, found=Area)
    cpdef bint covers(self, Area area, Lot lot) except -1
    cpdef void promise(self, Lot lot, Stay stay)
    cpdef void count_use(self, long long at_ms)
    cpdef void settle(self, long long at_ms)
    cpdef long long end_ms(self) except? -1

cdef class Group:
    cdef public str name
    cdef public object limit
    cdef public long long most
    cdef public dict areas
    cdef public str over
    cdef public dict members
    cdef public dict counted
    cdef public dict by_area
    cdef public Marks said
    cdef public bint gone
    cpdef void count(self, Lot lot, Stay stay)
    cpdef void uncount(self, Stay stay)
    @cython.locals(inside=Area, stays=dict)
    cpdef str full_area(self, Lot lot, Area area, bytes without)
    cpdef bint is_full(self, Lot lot, bytes without) except -1

cdef class Holder:
    cdef public list passes
    cdef public Pass only
    cdef public Group group

cdef dict _tidied(Lot lot, dict stays, Py_ssize_t members)
cpdef bint is_open(Lot lot, Stay stay, bytes without) except -1
cpdef bint before_barrier(Lot lot, Stay stay, bytes without) except -1
cpdef bint heads_for(Area area, Stay stay) except -1
@cython.locals(own=dict)
cpdef dict kept_with(Stay stay)
