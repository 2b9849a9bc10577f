cimport cython
from liftgate.engine.core.commands cimport ReadCredential
from liftgate.engine.core.marks cimport Marks
from liftgate.engine.core.model cimport Area, Lane, Lot, Stay
from liftgate.engine.core.parts.passes cimport Group, Holder, Pass, kept_with
from liftgate.engine.core.rules.base cimport PartRule, Rule

cdef class IsEntitled(PartRule):
    cdef public dict holders
    cdef public frozenset guarded
    cdef public bint casual
    @cython.locals(holder=Holder)
    cpdef int check(self, Lot lot, ReadCredential read) except -1
    @cython.locals(begins=bint, reason=int, found=Pass, group=Group)
    cdef int _judge(self, Lot lot, ReadCredential read, Holder holder) except -1
    @cython.locals(found=Pass)
    cdef Pass _good_pass(self, Lot lot, ReadCredential read, Holder holder)
    @cython.locals(at_ms="long long")
    cdef int _objection(self, Lot lot, ReadCredential read, Pass found) except -2
    cdef bint _is_time(self, Pass found, long long at_ms) except -1
    cdef int _without(self, Lot lot, ReadCredential read, Holder holder) except -1
    cdef bint _may_be_casual(self, Lot lot, ReadCredential read, int reason) except -1

cpdef bint comes_from_street(ReadCredential read) except -1
@cython.locals(lane=Lane)
cdef bint _needs_known(ReadCredential read) except -1
cdef bint _is_used_up(Lot lot, ReadCredential read, Pass found) except -1
cdef bint _is_over(Lot lot, ReadCredential read, Group group, bint begins) except -1
cdef _say_holder(ReadCredential read, Pass found, Group group)
cdef int _let_in_casually(ReadCredential read, int reason) except -1
