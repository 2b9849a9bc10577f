cimport cython
from liftgate.codecs cimport codes, raw
from liftgate.engine.core cimport moves
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Reader, Stay
from liftgate.engine.core.numbering cimport Numbering

@cython.locals(source=Numbering, lane=Lane)
cpdef void apply_scan(Lot lot, ScanDecided event, long long position)
@cython.locals(stay=Stay)
cdef void _take_effect(Lot lot, ScanDecided event, Lane lane)
cdef Stay _entering(Lot lot, Stay stay, bytes credential, bytes session, long long at_ms)
@cython.locals(lane=Lane, reader=Reader)
cdef void _resolve(Lot lot, ScanDecided event)
