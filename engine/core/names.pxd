cimport cython
from liftgate.codecs cimport raw
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Block, Lane, Lot, Reader
from liftgate.engine.core.numbering cimport Numbering

@cython.locals(lane=Lane, numbering=Numbering)
cpdef ReadCredential resolve(Lot lot, ScanDecided event, ReadCredential read)
@cython.locals(reader=Reader, lane=Lane)
cdef Lane lane_of(Lot lot, str id, int number)
@cython.locals(place=tuple)
cdef void find(Lot lot, str name, ReadCredential read)
