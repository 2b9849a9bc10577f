cimport cython
from liftgate.codecs cimport raw, values

cdef class Packer:
    cdef public bytearray buf
    cdef public Py_ssize_t n
    @cython.locals(short=Py_ssize_t)
    cpdef int reserve(self, Py_ssize_t size) except -1
    cpdef int nil(self) except -1
    cpdef int boolean(self, bint value) except -1
    cpdef int uint(self, unsigned long long value) except -1
    cpdef int sint(self, long long value) except -1
    cpdef int binary(self, bytes value) except -1
    cpdef int binary_or_nil(self, bytes value) except -1
    cpdef int text(self, str value) except -1
    cpdef int text_or_nil(self, str value) except -1
    cpdef int array(self, Py_ssize_t count) except -1
    cpdef int mapping(self, Py_ssize_t count) except -1
    @cython.locals(size=Py_ssize_t)
    cpdef int append(self, bytes value) except -1
    cpdef int value(self, object value) except -1
    cdef int _integer(self, object value) except -1
    cpdef bytes getvalue(self)
