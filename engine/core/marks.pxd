cdef class Marks:
    cdef public dict values
    cdef public bytes rare
