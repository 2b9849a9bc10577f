cdef enum:
    OPEN = 1
    REFUSE = 2
    PAY_FIRST = 3

    IN = 1
    OUT = 2

    NOTHING = 0
    MOVED = 1
    PROMISED = 2

    SCAN = 0x10
    DECISION = 0x11

    NORMAL = 1
    CLOSED = 3
    CLOSED_TO_ALL = 4
    KNOWN_ONLY = 5

    QR = 1
    TAG = 3
    PLATE = 4

    ANSWERS_KEPT = 256

    SKEW_MS_MAX = 10000

    HEADER_BYTES = 16
    TOKEN_BYTES_MAX = 512

    ON_THIS_DISK = 1

# No enum constant: C gives an enum only an int.
cdef extern from *:
    """
    #define LG_TIME_MS_MAX (1LL << 52)
    """
    const long long TIME_MS_MAX "LG_TIME_MS_MAX"
