from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Block, Lane, Stay
from liftgate.engine.core.numbering cimport Numbering

cdef class ReadCredential:
    cdef public Lane lane
    cdef public Numbering numbering
    cdef public unsigned long long no
    cdef public long long at_ms
    cdef public long long now_ms
    cdef public int kind
    cdef public bytes token
    cdef public bytes credential
    cdef public int way
    cdef public long long time_ms
    cdef public long long price_minor
    cdef public Stay stay
    cdef public Block block
    cdef public Py_ssize_t number
    cdef public int soft_reason
    cdef public dict marks
    cdef public Marks said
    cdef public object proof
    cpdef mark(self, str name, object value)
    cpdef say(self, Marks said)
