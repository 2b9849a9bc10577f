cdef class Down:
    cdef public int kind
    cdef public bytes body
    cdef public bytes correlation
    cdef public long long until_ms

cdef class Session:
    cdef public str reader
    cdef public long long expiry_s
    cdef public long long expires_ms
    cdef public int granted
    cdef public int receive_max
    cdef public dict in_flight
    cdef public object waiting
    cdef public long long waiting_bytes
    cdef public object will
    cdef public object link
    cdef public int _last_id
    cdef public dict _topics
    cpdef bytes publish(self, int kind, bytes body, bytes correlation, long long now_ms)
    cpdef bytes acknowledged(self, int packet_id, long long now_ms)
    cdef Down _next_waiting(self, long long now_ms)
    cdef bytes _begin(self, Down down, long long now_ms)
    cdef bytes _packet(self, Down down, int packet_id, bint again, long long now_ms)
