# The compiled build's side of raw.py: same names, inline C. Nothing here checks bounds.
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

cdef extern from *:
    """
    #ifndef LIFTGATE_RAW
    #define LIFTGATE_RAW
    #include <stdint.h>
    #include <string.h>
    #include <pthread.h>

    static inline void lg_put64(char *p, uint64_t v) { v = __builtin_bswap64(v); memcpy(p, &v, 8); }
    static inline void lg_put32le(char *p, uint32_t v) { memcpy(p, &v, 4); }
    static inline uint16_t lg_get16(const char *p) { uint16_t v; memcpy(&v, p, 2); return __builtin_bswap16(v); }
    static inline uint32_t lg_get32(const char *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
    static inline uint64_t lg_get64(const char *p) { uint64_t v; memcpy(&v, p, 8); return __builtin_bswap64(v); }
    static inline uint32_t lg_get32le(const char *p) { uint32_t v; memcpy(&v, p, 4); return v; }

    static inline uint64_t lg_word(const char *p, Py_ssize_t i) { uint64_t v; memcpy(&v, p + 8 * i, 8); return v; }
    static inline void lg_set_word(char *p, Py_ssize_t i, uint64_t v) { memcpy(p + 8 * i, &v, 8); }

    /* CRC-32, eight bytes a step: the frames here are 30 to 100 bytes, where the call of a library
       costs more than the sum itself. */
    static uint32_t lg_crc_table[8][256];
    static pthread_once_t lg_crc_once = PTHREAD_ONCE_INIT;
    static void lg_crc_fill(void) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int k = 0; k < 8; k++) c = (c & 1) ? 0xEDB88320u ^ (c >> 1) : c >> 1;
            lg_crc_table[0][i] = c;
        }
        for (uint32_t i = 0; i < 256; i++)
            for (int t = 1; t < 8; t++)
                lg_crc_table[t][i] = (lg_crc_table[t-1][i] >> 8) ^ lg_crc_table[0][lg_crc_table[t-1][i] & 255];
    }
    static inline uint32_t lg_crc32(const char *data, Py_ssize_t size, uint32_t crc) {
        const unsigned char *p = (const unsigned char *)data;
        uint32_t (*t)[256] = lg_crc_table;
        if (!t[0][1]) pthread_once(&lg_crc_once, lg_crc_fill);
        crc = ~crc;
        while (size >= 8) {
            uint32_t a, b;
            memcpy(&a, p, 4); memcpy(&b, p + 4, 4);
            a ^= crc;
            crc = t[7][a & 255] ^ t[6][(a >> 8) & 255] ^ t[5][(a >> 16) & 255] ^ t[4][a >> 24]
                ^ t[3][b & 255] ^ t[2][(b >> 8) & 255] ^ t[1][(b >> 16) & 255] ^ t[0][b >> 24];
            p += 8; size -= 8;
        }
        while (size--) crc = t[0][(crc ^ *p++) & 255] ^ (crc >> 8);
        return ~crc;
    }
    #endif
    """
    void lg_put64(char *p, unsigned long long v) nogil
    void lg_put32le(char *p, unsigned int v) nogil
    unsigned short lg_get16(const char *p) nogil
    unsigned int lg_get32(const char *p) nogil
    unsigned long long lg_get64(const char *p) nogil
    unsigned int lg_get32le(const char *p) nogil
    unsigned int lg_crc32(const char *data, Py_ssize_t size, unsigned int crc) nogil
    unsigned long long lg_word(const char *p, Py_ssize_t i) nogil
    void lg_set_word(char *p, Py_ssize_t i, unsigned long long v) nogil
    int __builtin_ctzll(unsigned long long v) nogil
    void *memcpy(void *to, const void *source, size_t size) nogil

cdef inline void put_u32_le(bytearray buf, Py_ssize_t at, unsigned int value) noexcept:
    lg_put32le(PyByteArray_AS_STRING(buf) + at, value)

cdef inline void put_bytes(bytearray buf, Py_ssize_t at, bytes data, Py_ssize_t size) noexcept:
    memcpy(PyByteArray_AS_STRING(buf) + at, PyBytes_AS_STRING(data), size)

cdef inline unsigned int get_u16(bytes data, Py_ssize_t at) noexcept:
    return lg_get16(PyBytes_AS_STRING(data) + at)

cdef inline unsigned int get_u32(bytes data, Py_ssize_t at) noexcept:
    return lg_get32(PyBytes_AS_STRING(data) + at)

cdef inline unsigned long long get_u64(bytes data, Py_ssize_t at) noexcept:
    return lg_get64(PyBytes_AS_STRING(data) + at)

cdef inline unsigned int get_u32_le(bytes data, Py_ssize_t at) noexcept:
    return lg_get32le(PyBytes_AS_STRING(data) + at)

cdef inline unsigned int crc32(bytes data, Py_ssize_t at, Py_ssize_t size, unsigned int crc) noexcept:
    return lg_crc32(PyBytes_AS_STRING(data) + at, size, crc)

cdef inline unsigned int crc32_out(bytearray buf, Py_ssize_t at, Py_ssize_t size, unsigned int crc) noexcept:
    return lg_crc32(PyByteArray_AS_STRING(buf) + at, size, crc)

cdef inline unsigned long long get_word(bytearray buf, Py_ssize_t index) noexcept:
    return lg_word(PyByteArray_AS_STRING(buf), index)

cdef inline void put_word(bytearray buf, Py_ssize_t index, unsigned long long value) noexcept:
    lg_set_word(PyByteArray_AS_STRING(buf), index, value)

cdef inline unsigned long long bit(Py_ssize_t index) noexcept:
    return <unsigned long long>1 << (index & 63)

cdef inline int lowest_bit(unsigned long long word) noexcept:
    return __builtin_ctzll(word)

cdef extern from "Python.h":
    str PyUnicode_DecodeUTF8(const char *data, Py_ssize_t size, const char *errors)

cdef inline str get_text(bytes data, Py_ssize_t at, Py_ssize_t size):
    return PyUnicode_DecodeUTF8(PyBytes_AS_STRING(data) + at, size, NULL)

cdef inline bytes two_words(unsigned long long high, unsigned long long low):
    cdef bytes both = PyBytes_FromStringAndSize(NULL, 16)
    lg_put64(PyBytes_AS_STRING(both), high)
    lg_put64(PyBytes_AS_STRING(both) + 8, low)
    return both

cdef inline bytes get_bytes(bytes data, Py_ssize_t at, Py_ssize_t size):
    return PyBytes_FromStringAndSize(PyBytes_AS_STRING(data) + at, size)

cdef inline unsigned long long low_bits(unsigned long long value, int bits) noexcept:
    return value & ((<unsigned long long>1 << bits) - 1)

cdef inline bytes credential(int kind, bytes token):
    cdef Py_ssize_t size = PyBytes_GET_SIZE(token)
    cdef bytes whole = PyBytes_FromStringAndSize(NULL, size + 1)
    cdef char *p = PyBytes_AS_STRING(whole)
    p[0] = <char>kind
    memcpy(p + 1, PyBytes_AS_STRING(token), size)
    return whole
