cdef class AreaTally:
    cdef public list entries
    cdef public long long base
    cdef public long long entered
    cdef public long long left
    cdef public long long closed
    cdef public long long followed_in
    cdef public long long followed_out
    cdef public long long unnamed_in
    cdef public long long unnamed_out
    cdef public long long corrected
    cdef public long long configured
    cdef public long long named
    cdef public long long late_in
    cdef public long long late_out
    cdef public long long lapsed
    cdef public long long turned_round
    cpdef void begin(self, long long base)
    cpdef long long sum(self) except? -1
    cpdef void stray(self, bint followed, int change)
    cpdef void note(self, long long at_ms, str cause, long long change, str about)

cdef class LaneTally:
    cdef public long long waiting
    cdef public long long hour
    cdef public long long missing
    cdef public long long since_ms
    cdef public long long numbers
    cdef public long long opened
    cdef public long long refused
    cdef public long long again
    cdef public long long passed
    cdef public long long backed_out
    cdef public long long followed
    cdef public long long forced
    cdef public long long lapsed
    cdef public long long moved
    cdef public long long unnamed
    cdef public long long late
    cdef public long long late_opened
    cdef public long long late_passed
    cdef public long long late_followed
    cpdef void begin(self)
    cpdef void begun(self, long long at_ms)
    cpdef void scanned(self, long long at_ms, bint opens)
    cpdef void saw(self, long long at_ms, int what)
    cpdef void was_told(self, bint passed, bint followed, bint opened)
