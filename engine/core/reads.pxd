cimport cython
from liftgate.codecs cimport codes, raw
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Block, Lane, Lot, Stay
from liftgate.engine.core.rules.base cimport Rule

@cython.locals(lane=Lane, stay=Stay, way=int, event=ScanDecided, rule=Rule, reason=int)
cpdef ScanDecided decide_read(Lot lot, ReadCredential read)
cpdef int way_through(Lane lane, Stay stay) except -1
@cython.locals(lane=Lane, event=ScanDecided)
cdef ScanDecided _scan(Lot lot, ReadCredential read)
@cython.locals(stay=Stay, begins=bint, block=Block, number=Py_ssize_t)
cdef void _admit(Lot lot, ReadCredential read, ScanDecided event)
cdef bint _begins(Lot lot, Lane lane, Stay stay) except -1
cdef void _say_marks(ReadCredential read, ScanDecided event)
cdef void _refuse(Lot lot, ReadCredential read, ScanDecided event, int reason)
@cython.locals(rule=Rule, reason=int)
cdef tuple _trace(Lot lot, ReadCredential read)
cpdef long long decision_time(long long at_ms, long long now_ms) except? -1
@cython.locals(high="unsigned long long", low="unsigned long long", tag="unsigned long long")
cpdef bytes new_session(Lot lot, long long at_ms)
