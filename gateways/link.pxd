cimport cython
from liftgate.codecs cimport codes
from liftgate.codecs.connection cimport WireConnection
from liftgate.codecs.pack cimport Packer
from liftgate.codecs.scans cimport ScanFields
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.events cimport ScanDecided
from liftgate.engine.core.model cimport Lane, Lot, Reader
from liftgate.engine.core.numbering cimport Numbering
from liftgate.engine.engine cimport Engine
from liftgate.gateways cimport answers
from liftgate.gateways.gateway cimport Gateway

cdef class Link:
    cdef public Gateway gateway
    cdef public Engine engine
    cdef public str peer
    cdef public WireConnection conn
    cdef public str id
    cdef public int role
    cdef public int asked_role
    cdef public unsigned long long boot
    cdef public Py_ssize_t frame_bytes_max
    cdef public Lot lot
    cdef public Reader reader
    cdef public Numbering numbering
    cdef public object service
    cdef public object feed
    cdef public str cursor_name
    cdef public bytes key
    cdef public long long opened_ms
    cdef public long long heard_ms
    cdef public long long pinged_ms
    cdef public int handle
    cdef public bint wraps
    cdef public bint carried
    cdef public bytes backlog
    cdef public long long stalled_ms
    cdef public bint closing
    cdef public bint closed
    cdef public int in_flight_max
    cdef public int parked
    cdef public int _unanswered
    cdef public long long _answered
    @cython.locals(gateway=Gateway)
    cpdef void receive(self, bytes data)
    @cython.locals(conn=WireConnection, fields=ScanFields)
    cdef bint _take_all(self) except -1
    cdef void _note_answers(self)
    cpdef void _count_in_flight(self)
    cpdef bint check_accepting(self) except -1
    @cython.locals(numbering=Numbering, reader=Reader)
    cpdef Numbering own_numbering(self)
    @cython.locals(reader=Reader, lane=Lane)
    cpdef Lane lane(self, int number)
    cpdef void check_fits(self, Numbering numbering, unsigned long long no)
    @cython.locals(no="unsigned long long", numbering=Numbering, lane=Lane, scan=ReadCredential, event=ScanDecided,
                   gateway=Gateway)
    cdef void _scan(self, ScanFields fields)
    @cython.locals(gateway=Gateway, event=ScanDecided)
    cdef void _scan_proven(self, ReadCredential scan)
    cdef void _answer_again(self, Numbering numbering, unsigned long long no)
