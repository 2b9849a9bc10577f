cimport cython
from liftgate.codecs cimport raw

cdef class Packer:
    cdef public bytearray buf
    cdef public Py_ssize_t n
    @cython.locals(short=Py_ssize_t)
    cpdef void reserve(self, Py_ssize_t size)
    cpdef void nil(self)
    cpdef void boolean(self, bint value)
    @cython.locals(buf=bytearray, at=Py_ssize_t)
    cpdef void uint(self, unsigned long long value)
    @cython.locals(buf=bytearray, at=Py_ssize_t)
    cpdef void sint(self, long long value)
    @cython.locals(buf=bytearray, at=Py_ssize_t, size=Py_ssize_t)
    cpdef void binary(self, bytes value)
    cpdef void binary_or_nil(self, bytes value)
    @cython.locals(buf=bytearray, at=Py_ssize_t, size=Py_ssize_t)
    cpdef void text(self, str value)
    cpdef void text_or_nil(self, str value)
    cpdef void array(self, Py_ssize_t count)
    cpdef void mapping(self, Py_ssize_t count)
    @cython.locals(buf=bytearray, at=Py_ssize_t)
    cdef void _begin(self, Py_ssize_t count, int fix, int wide)
    @cython.locals(size=Py_ssize_t)
    cpdef void append(self, bytes value)
    cpdef void value(self, object value)
    cdef void _integer(self, object value)
    cpdef bytes getvalue(self)
