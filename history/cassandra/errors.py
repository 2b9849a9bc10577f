"""What the driver's errors mean for a write: not now, or never with these values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from acsylla import errors

from liftgate.history.port import StoreUnavailable

DriverError = errors.CassException

UNENCODABLE = (ValueError, OverflowError, TypeError)
"""What binding raises for values that no column takes: half a surrogate pair, a number of 65 bits."""

REFUSED = (
    errors.CassErrorServerInvalidQuery,
    errors.CassErrorLibMessageEncode,
    errors.CassErrorLibInvalidValueType,
    errors.CassErrorLibInvalidData,
    errors.CassErrorLibBadParams,
)
"""What may be the fault of values; also said of a table that is gone or a disk that is full, so whoever meets
one looks whether anything can be written before a row is given up (`writer.py`).

All others, WriteFailure and ServerError among them, may pass: the rows are offered again, and the error is
told meanwhile. To give up a row for an error of the server's own would lose it for a bug that gets mended.
"""


def text_of(error: BaseException) -> str:
    """The error in one line for people."""
    return " ".join(str(error).split()) or type(error).__name__


@contextmanager
def unavailable(doing: str) -> Iterator[None]:
    """Turn every error of the driver's into StoreUnavailable that says at what it came."""
    try:
        yield
    except DriverError as error:
        raise StoreUnavailable(f"Cassandra: {doing}: {text_of(error)}") from error
