cimport cython
from liftgate.codecs.unpack cimport Unpacker
from liftgate.engine.core cimport apply as folding
from liftgate.engine.core cimport events, names
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ReaderEvent, ScanDecided
from liftgate.engine.core.model cimport Lot

@cython.locals(source=Unpacker, position="long long", here="long long", lot=Lot, before=ScanDecided, scan=ScanDecided, read=ReadCredential)
cpdef long long fold(dict lots, bytes payload, long long first, long long after) except -1
cdef Lot _lot(dict lots, str id)
