# The compiled build's side of fields.py: same names, inline C.
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from liftgate.codecs.unpack cimport Unpacker

cdef extern from *:
    """
    #ifndef LIFTGATE_FIELDS
    #define LIFTGATE_FIELDS
    #include <stdint.h>
    #include <string.h>

    /* An unsigned integer that may take up to 9 bytes, all of which are there: its length, 0 for none. */
    static inline int lg_get_uint(const unsigned char *p, unsigned long long *value) {
        uint64_t v;
        if (*p < 0x80) { *value = *p; return 1; }
        if (*p < 0xCC || *p > 0xCF) return 0;
        memcpy(&v, p + 1, 8);
        v = __builtin_bswap64(v);
        *value = v >> (64 - (8 << (*p - 0xCC)));
        return 1 + (1 << (*p - 0xCC));
    }
    /* Whether a short text there says the same; its length with its head, 0 for no. */
    static inline int lg_same_text(const unsigned char *p, Py_ssize_t left, PyObject *text) {
        Py_ssize_t size = *p & 0x1F;
        if ((*p & 0xE0) != 0xA0 || size >= left) return 0;
        if (!PyUnicode_IS_COMPACT_ASCII(text) || PyUnicode_GET_LENGTH(text) != size) return 0;
        return memcmp(PyUnicode_1BYTE_DATA(text), p + 1, (size_t)size) ? 0 : 1 + (int)size;
    }
    #endif
    """
    int lg_get_uint(const unsigned char *p, unsigned long long *value) nogil
    int lg_same_text(const unsigned char *p, Py_ssize_t left, object text)

cdef inline const unsigned char *_here(Unpacker source) noexcept:
    return <const unsigned char *>PyBytes_AS_STRING(source.data) + source.at

cdef inline unsigned long long take_uint(Unpacker source) except? 0:
    cdef unsigned long long value = 0
    cdef int size = 0
    if source.end - source.at >= 9:
        size = lg_get_uint(_here(source), &value)
        source.at += size
    return value if size else source.uint()

cdef inline str take_text_as(Unpacker source, str before):
    cdef Py_ssize_t left = source.end - source.at
    cdef int size = lg_same_text(_here(source), left, before) if left > 0 else 0
    cdef str text
    if size:
        source.at += size
        return before
    text = source.text()
    return before if text == before else text

cdef inline bytes take_binary(Unpacker source):
    cdef Py_ssize_t left = source.end - source.at
    cdef const unsigned char *p = _here(source)
    if left < 2 or p[0] != 0xC4 or p[1] > left - 2:
        return source.binary()
    source.at += 2 + p[1]
    return PyBytes_FromStringAndSize(<const char *>p + 2, p[1])
