# The compiled build's side of values.py: same names, inline C. Nothing here checks bounds.
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

cdef extern from *:
    """
    #ifndef LIFTGATE_VALUES
    #define LIFTGATE_VALUES
    #include <stdint.h>
    #include <string.h>

    static inline char *lg_wide(char *p, int code, uint64_t v, int bytes) {
        v = __builtin_bswap64(v << (64 - 8 * bytes));
        *p++ = (char)code;
        memcpy(p, &v, (size_t)bytes);
        return p + bytes;
    }
    static inline char *lg_uint(char *p, uint64_t v) {
        if (v < 0x80) { *p = (char)v; return p + 1; }
        if (v < 0x100) return lg_wide(p, 0xCC, v, 1);
        if (v < 0x10000) return lg_wide(p, 0xCD, v, 2);
        if (v < 0x100000000) return lg_wide(p, 0xCE, v, 4);
        return lg_wide(p, 0xCF, v, 8);
    }
    static inline char *lg_sint(char *p, int64_t v) {
        if (v >= 0) return lg_uint(p, (uint64_t)v);
        if (v >= -0x20) { *p = (char)v; return p + 1; }
        if (v >= -0x80) return lg_wide(p, 0xD0, (uint64_t)v, 1);
        if (v >= -0x8000) return lg_wide(p, 0xD1, (uint64_t)v, 2);
        if (v >= -0x80000000LL) return lg_wide(p, 0xD2, (uint64_t)v, 4);
        return lg_wide(p, 0xD3, (uint64_t)v, 8);
    }
    static inline char *lg_head(char *p, Py_ssize_t count, int fix, int wide) {
        if (count < 0x10) { *p = (char)(fix | count); return p + 1; }
        if (count < 0x10000) return lg_wide(p, wide, (uint64_t)count, 2);
        return lg_wide(p, wide + 1, (uint64_t)count, 4);
    }
    static inline char *lg_sized(char *p, const char *data, Py_ssize_t size, int code) {
        if (size < 0x100) p = lg_wide(p, code, (uint64_t)size, 1);
        else if (size < 0x10000) p = lg_wide(p, code + 1, (uint64_t)size, 2);
        else p = lg_wide(p, code + 2, (uint64_t)size, 4);
        memcpy(p, data, (size_t)size);
        return p + size;
    }
    static inline char *lg_text(char *p, const char *data, Py_ssize_t size) {
        if (size >= 0x20) return lg_sized(p, data, size, 0xD9);
        *p++ = (char)(0xA0 | size);
        memcpy(p, data, (size_t)size);
        return p + size;
    }
    /* Most texts are ASCII, which Python keeps as its own UTF-8: no call for those. */
    static inline const char *lg_utf8(PyObject *text, Py_ssize_t *size) {
        if (!PyUnicode_IS_COMPACT_ASCII(text)) return PyUnicode_AsUTF8AndSize(text, size);
        *size = PyUnicode_GET_LENGTH(text);
        return (const char *)PyUnicode_1BYTE_DATA(text);
    }
    #endif
    """
    char *lg_uint(char *p, unsigned long long v) nogil
    char *lg_sint(char *p, long long v) nogil
    char *lg_head(char *p, Py_ssize_t count, int fix, int wide) nogil
    char *lg_sized(char *p, const char *data, Py_ssize_t size, int code) nogil
    char *lg_text(char *p, const char *data, Py_ssize_t size) nogil
    const char *lg_utf8(object text, Py_ssize_t *size) except NULL

cdef enum:
    NUMBER_BYTES = 9
    HEAD_BYTES = 5

cdef inline Py_ssize_t put_uint(bytearray buf, Py_ssize_t at, unsigned long long value) noexcept:
    return lg_uint(PyByteArray_AS_STRING(buf) + at, value) - PyByteArray_AS_STRING(buf)

cdef inline Py_ssize_t put_sint(bytearray buf, Py_ssize_t at, long long value) noexcept:
    return lg_sint(PyByteArray_AS_STRING(buf) + at, value) - PyByteArray_AS_STRING(buf)

cdef inline Py_ssize_t put_array(bytearray buf, Py_ssize_t at, Py_ssize_t count) noexcept:
    return lg_head(PyByteArray_AS_STRING(buf) + at, count, 0x90, 0xDC) - PyByteArray_AS_STRING(buf)

cdef inline Py_ssize_t put_map(bytearray buf, Py_ssize_t at, Py_ssize_t count) noexcept:
    return lg_head(PyByteArray_AS_STRING(buf) + at, count, 0x80, 0xDE) - PyByteArray_AS_STRING(buf)

cdef inline Py_ssize_t put_nil(bytearray buf, Py_ssize_t at) noexcept:
    PyByteArray_AS_STRING(buf)[at] = <char>0xC0
    return at + 1

cdef inline Py_ssize_t text_bytes(str value) except -1:
    cdef Py_ssize_t size = 0
    if value is not None:
        lg_utf8(value, &size)
    return size

cdef inline Py_ssize_t put_text(bytearray buf, Py_ssize_t at, str value) except -1:
    cdef Py_ssize_t size = 0
    cdef const char *data
    if value is None:
        return put_nil(buf, at)
    data = lg_utf8(value, &size)
    return lg_text(PyByteArray_AS_STRING(buf) + at, data, size) - PyByteArray_AS_STRING(buf)

cdef inline Py_ssize_t binary_bytes(bytes value) noexcept:
    return 0 if value is None else PyBytes_GET_SIZE(value)

cdef inline Py_ssize_t put_binary(bytearray buf, Py_ssize_t at, bytes value) noexcept:
    if value is None:
        return put_nil(buf, at)
    return (
        lg_sized(PyByteArray_AS_STRING(buf) + at, PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value), 0xC4)
        - PyByteArray_AS_STRING(buf)
    )
