cimport cython
from liftgate.codecs cimport raw

cdef class FreeSpots:
    cdef public Py_ssize_t count
    cdef public Py_ssize_t free
    cdef public list levels
    @cython.locals(index=Py_ssize_t, depth=Py_ssize_t)
    cpdef Py_ssize_t lowest(self) except -1
    @cython.locals(index=Py_ssize_t)
    cpdef bint is_free(self, Py_ssize_t number) except -1
    @cython.locals(index=Py_ssize_t, word="unsigned long long", words=bytearray)
    cpdef bint take(self, Py_ssize_t number) except -1
    @cython.locals(index=Py_ssize_t, word="unsigned long long", words=bytearray)
    cpdef bint release(self, Py_ssize_t number) except -1
