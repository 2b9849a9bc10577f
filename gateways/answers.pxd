cimport cython
from liftgate.codecs cimport codes, values
from liftgate.codecs cimport frame as frames
from liftgate.codecs.pack cimport Packer
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Lot

cpdef str text_of(ScanDecided event)
cpdef str spot_of(Lot lot, ScanDecided event)
@cython.locals(head=Py_ssize_t, at=Py_ssize_t, payload=Py_ssize_t, buf=bytearray, spot=str, text=str, session=bytes)
cpdef void pack_decision(Packer out, unsigned int ref, Lot lot, ScanDecided event)
