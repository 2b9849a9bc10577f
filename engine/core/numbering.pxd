cimport cython
from liftgate.codecs cimport codes

cdef class Numbering:
    cdef public unsigned long long boot
    cdef public bint retired
    cdef public unsigned long long done_to
    cdef public list ranges
    cdef public list slots
    cdef public dict late
    cdef public int mixed
    cpdef bint has(self, unsigned long long no) except -1
    cpdef bint fits(self, unsigned long long no) except -1
    cpdef object answer(self, unsigned long long no)
    cpdef void note(self, unsigned long long no, object event)
    cdef void _settle(self)
    @cython.locals(slots=list, place=Py_ssize_t)
    cdef void _keep(self, unsigned long long no, object event, bint apart)
    cdef void _keep_late(self, object event)
    cdef Py_ssize_t _place(self, unsigned long long no) except -1
    @cython.locals(ranges=list, place=Py_ssize_t)
    cdef void _note_apart(self, unsigned long long no)
