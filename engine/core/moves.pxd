cimport cython
from liftgate.codecs cimport codes
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Stay
from liftgate.engine.core.parts.base cimport Part

@cython.locals(before=Area, part=Part)
cpdef void move_now(Lot lot, Stay stay, Area to, Block block, Py_ssize_t number)
cpdef void promise_move(Lot lot, Stay stay, Lane lane, Area to, Block block, Py_ssize_t number, long long at_ms)
@cython.locals(before=Area)
cpdef void end_stay(Lot lot, Stay stay)
@cython.locals(change=int)
cpdef void count_adrift(Area area, int way, bint followed, long long at_ms, str where)
cpdef Stay still_there(Lot lot, Stay stay, bytes credential)
cdef void _unpromise(Lot lot, Stay stay)
cdef void _vacate(Stay stay)
cdef void _forget(Lot lot, Stay stay)
