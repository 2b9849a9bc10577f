cimport cython
from liftgate.codecs cimport codes, raw
from liftgate.engine.core cimport moves, names
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ReaderEvent, ScanDecided
from liftgate.engine.core.model cimport Area, Block, Lane, Lot, Stay
from liftgate.engine.core.numbering cimport Numbering
from liftgate.engine.core.parts.base cimport Part

@cython.locals(part=Part, usual=bint, listeners=tuple, stay=Stay)
cdef void _tell_scan(Lot lot, ScanDecided event, ReadCredential read)
@cython.locals(part=Part)
cdef void _tell(Lot lot, ReaderEvent event, Stay stay)
cdef void _advance(Lot lot, long long seq)
cpdef void apply_scan(Lot lot, ScanDecided event, long long position, ReadCredential read)
@cython.locals(lane=Lane, stay=Stay, now=bint)
cdef void _take_effect(Lot lot, ScanDecided event, ReadCredential read)
@cython.locals(before=Area)
cdef void _go(Lot lot, Stay stay, Lane lane, Area to, Block block, Py_ssize_t number, bint now)
cdef Stay _entering(Lot lot, Stay stay, bytes credential, bytes session, long long at_ms)
