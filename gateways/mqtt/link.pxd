cimport cython
from liftgate.codecs cimport raw
from liftgate.codecs.mqtt.packets cimport PacketReader
from liftgate.gateways.link cimport Link
from liftgate.gateways.mqtt.session cimport Session

cdef class MqttLink(Link):
    cdef public object sessions
    cdef public Session session
    cdef public object connecting
    cdef public long long keep_alive_s
    cdef public bint explains
    cdef public PacketReader packets
    cdef public str _prefix
    cdef public dict _kinds
    cdef public bint _knows
    cdef public dict _aliases
    cdef public dict _asked
    cdef public unsigned long long _asked_ref
    cdef public list _frames
    cdef public list _ready
    cdef public bytes _last
    cdef public bint _said_last
    @cython.locals(packets=PacketReader)
    cpdef void receive(self, bytes data)
    @cython.locals(head=int, body_at=Py_ssize_t, end=Py_ssize_t, topic_end=Py_ssize_t, kind=int, packet_id=int,
                   data=bytes, ref="unsigned long long")
    cdef bint _take_quickly(self, PacketReader packets) except -1
    @cython.locals(session=Session, more=bytes)
    cdef int _have(self, int packet_id) except -1
    cdef int _say(self, list out, int kind, unsigned int ref, bytes body) except -1
    cdef int _answer(self, list out, int kind, unsigned int ref, bytes body, object reason, str text) except -1
