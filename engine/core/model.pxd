cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.numbering cimport Numbering
from liftgate.engine.core.spots cimport FreeSpots
from liftgate.engine.core.tally cimport AreaTally, LaneTally

cdef class Block:
    cdef public str key
    cdef public Area area
    cdef public str spot_class
    cdef public Py_ssize_t count
    cdef public Py_ssize_t taken
    cdef public FreeSpots free
    cdef public list names
    @cython.locals(number=Py_ssize_t)
    cpdef Py_ssize_t candidate(self) except -2
    cpdef void take(self, Py_ssize_t number)
    cpdef void release(self, Py_ssize_t number)
    @cython.locals(names=list)
    cpdef str name(self, Py_ssize_t number)

cdef class Area:
    cdef public str id
    cdef public Area parent
    cdef public list blocks
    cdef public long long capacity
    cdef public long long inside
    cdef public long long adrift
    cdef public long long held
    cdef public long long planned
    cdef public AreaTally tally
    cpdef long long available(self) except? -1
    @cython.locals(area=Area)
    cpdef bint within(self, Area outer) except -1

cdef class Gate:
    cdef public str id
    cdef public tuple nearest
    cdef public dict order
    cpdef list blocks(self, Area area)

cdef class Lane:
    cdef public Reader reader
    cdef public int number
    cdef public str direction
    cdef public int way
    cdef public Area area
    cdef public Gate gate
    cdef public bint confirm
    cdef public tuple policy
    cdef public int mode
    cdef public bint mode_set
    cdef public list ranked
    cdef public tuple tide
    cdef public tuple entry
    cdef public tuple exit
    cdef public int barrier
    cdef public bint loop
    cdef public tuple faults
    cdef public LaneTally tally
    cpdef list blocks(self)

cdef class Reader:
    cdef public str id
    cdef public tuple spec
    cdef public dict lanes
    cdef public dict tallies
    cdef public dict numberings
    cdef public dict retired
    cdef public Numbering latest
    @cython.locals(latest=Numbering)
    cpdef Numbering numbering(self, unsigned long long boot)
    cpdef void keep(self, Numbering numbering)

cdef class Stay:
    cdef public bytes session
    cdef public bytes credential
    cdef public long long entered_at_ms
    cdef public long long paid_until_ms
    cdef public Area area
    cdef public Block block
    cdef public Py_ssize_t number
    cdef public bint moving
    cdef public bint forgiven
    cdef public Area to
    cdef public Block to_block
    cdef public Py_ssize_t to_number
    cdef public Lane lane
    cdef public long long since_ms
    cdef public dict notes
    cdef public Marks by
    cpdef bint holds(self) except -1
    cpdef bint is_promised(self, Area area) except -1

cdef class Lot:
    cdef public str id
    cdef public bytes id_utf8
    cdef public unsigned long tag
    cdef public long long seq
    cdef public dict spec
    cdef public str name
    cdef public str timezone
    cdef public str currency
    cdef public str assign
    cdef public long long confirm_ms
    cdef public dict areas
    cdef public dict blocks
    cdef public dict places
    cdef public dict gates
    cdef public dict readers
    cdef public dict stays
    cdef public dict moving
    cdef public dict lapsed
    cdef public dict denied
    cdef public dict known
    cdef public dict forgiven
    cdef public dict outcomes
    cdef public object tariff
    cdef public dict rules
    cdef public dict parts
    cdef public tuple entry
    cdef public tuple exit
    cdef public long long at_ms
    cdef public dict marks
    cdef public Marks said
    cdef public tuple watchers
    cdef public tuple listeners
    cdef public tuple scan_listeners
    cdef public tuple lane_listeners
    cdef public dict untold
