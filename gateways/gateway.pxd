cimport cython
from liftgate.codecs.pack cimport Packer
from liftgate.codecs.scans cimport ScanFields
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.engine cimport Engine
from liftgate.gateways.link cimport Link

cdef class Gateway:
    cdef public Engine engine
    cdef public object config
    cdef public object directory
    cdef public dict service_configs
    cdef public Py_ssize_t connections_max
    cdef public object nonces
    cdef public dict links
    cdef public dict strangers
    cdef public dict readers
    cdef public dict services
    cdef public dict subscribers
    cdef public dict heard
    cdef public dict away
    cdef public object policies
    cdef public object replays
    cdef public object carrier
    cdef public list tickers
    cdef public long long _looked_ms
    cdef public long long _started_ms
    cdef public dict _silent_since
    cdef public object proofs
    cdef public Packer out
    cdef public ScanFields fields
    cdef public ReadCredential scan
    cdef public long long now_ms
    cdef public long long steady_ms
    cdef public bint stopping
    cdef public long long decided
    cdef public long long answered
    cdef public Link _owner
    cdef public list owners
    cdef public list stops
    cdef public long long _ref
    cdef public long long _replay_free_us
    cpdef void begin(self, long long wall_ms, long long steady_ms=*)
    cpdef bint full(self) except -1
    cpdef void commit(self)
    @cython.locals(owner=Link)
    cpdef Packer own(self, Link link)
    cpdef void sent(self)
    cpdef void end_run(self)
