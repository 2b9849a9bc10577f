cimport cython
from liftgate.codecs cimport raw

cdef class Unpacker:
    cdef public bytes data
    cdef public Py_ssize_t at
    cdef public Py_ssize_t end
    @cython.locals(code=int)
    cpdef unsigned long long uint(self) except? 0
    @cython.locals(code=int, value="long long", wide="unsigned long long", half="long long", low="long long")
    cpdef long long sint(self) except? -1
    @cython.locals(code=int)
    cpdef bint boolean(self) except -1
    cpdef bint nil_next(self) except -1
    @cython.locals(code=int, at=Py_ssize_t, size=Py_ssize_t)
    cpdef bytes binary(self)
    cpdef bytes binary_or_nil(self)
    @cython.locals(at=Py_ssize_t, size=Py_ssize_t)
    cpdef str text(self)
    cpdef str text_or_nil(self)
    @cython.locals(code=int)
    cdef Py_ssize_t _text_size(self) except -1
    @cython.locals(code=int)
    cpdef Py_ssize_t array(self) except -1
    @cython.locals(code=int)
    cpdef Py_ssize_t mapping(self) except -1
    @cython.locals(code=int)
    cpdef object value(self, int depth=*)
    cdef dict _pairs(self, int depth)
    cdef Py_ssize_t _fitting(self, Py_ssize_t count, int depth) except -1
    @cython.locals(start=Py_ssize_t)
    cpdef bytes packed(self)
    @cython.locals(code=int)
    cpdef void skip(self, int depth=*)
    cdef void _skip_many(self, Py_ssize_t count, int depth)
    cdef void _skip_wide(self, int code, int depth)
    @cython.locals(size=Py_ssize_t)
    cdef void _skip_sized(self, int code)

@cython.locals(at=Py_ssize_t)
cdef Py_ssize_t _take(Unpacker source, Py_ssize_t size) except -1
