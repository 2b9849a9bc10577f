"""Numbers that mean something, for modules on the hot path.

Never compiled: compiled modules find them as C constants in `codes.pxd`, where a number that is a Python
object costs a comparison of objects.
"""

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

TIME_MS_MAX = 1 << 52
SKEW_MS_MAX = 10_000

HEADER_BYTES = 16
TOKEN_BYTES_MAX = 512

ON_THIS_DISK = 1
