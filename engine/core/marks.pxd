cdef class Marks:
    cdef public dict values
    cdef public bytes rare
    cdef public object found
    cdef public object group
    cdef public bint turned
    cdef public dict notes
