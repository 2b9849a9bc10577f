"""A reader for the little CBOR (RFC 8949) that tickets are made of: bounded, and of one meaning.

Whole numbers, bytes, text, arrays, maps, true, false and nil, of definite length. Not cbor2: it builds dates,
regular expressions and references out of tags, has no bound on depth, and lets a map's later key take an
earlier one's place, and these bytes come from whoever holds a phone before a reader. cbor2 writes them
(`ticket.py`), and is what tests compare with.
"""

from typing import Any

from liftgate.codecs.credentials.errors import CredentialError

DEPTH_MAX = 4
"""A ticket needs two: the message, and a map in it."""

SIMPLE = {20: False, 21: True, 22: None}


def loads(data: bytes) -> Any:
    """The one value that `data` is. Raises CredentialError."""
    value, at = _item(data, 0, 0)
    if at != len(data):
        raise CredentialError("bytes behind the end")
    return value


def untagged(data: bytes, tags: frozenset[int]) -> tuple[int | None, bytes]:
    """The innermost of at most two of these tags before the value (None: there are none), and the rest."""
    found = None
    at = 0
    for _ in range(2):
        if at >= len(data) or data[at] >> 5 != 6:
            break
        found, at = _argument(data, at)
        if found not in tags:
            raise CredentialError(f"tag {found} is not taken here")
    return found, data[at:]


def _argument(data: bytes, at: int) -> tuple[int, int]:
    """The number in a head, and where the head ends."""
    low = data[at] & 31
    at += 1
    if low < 24:
        return low, at
    size = 1 << (low - 24)
    if size > 8:  # 28..30 are reserved, 31 is an indefinite length
        raise CredentialError("an indefinite or reserved length")
    if at + size > len(data):
        raise CredentialError("it ends in the middle")
    return int.from_bytes(data[at : at + size], "big"), at + size


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    if at >= len(data):
        raise CredentialError("it ends in the middle")
    if depth > DEPTH_MAX:
        raise CredentialError("nested too deeply")
    major = data[at] >> 5
    if major == 7:
        if data[at] & 31 not in SIMPLE:
            raise CredentialError("a value of a kind that no ticket has")
        return SIMPLE[data[at] & 31], at + 1
    if major == 6:
        raise CredentialError("a tag inside")
    number, at = _argument(data, at)
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if number > len(data) - at:  # of bytes, and of items too: each has a byte at the least
        raise CredentialError("it ends in the middle")
    if major == 4:
        return _array(data, at, number, depth)
    if major == 5:
        return _map(data, at, number, depth)
    piece = data[at : at + number]
    return (piece if major == 2 else _text(piece)), at + number


def _text(piece: bytes) -> str:
    try:
        return piece.decode()
    except UnicodeDecodeError as error:
        raise CredentialError("text that is not UTF-8") from error


def _array(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    values = []
    for _ in range(count):
        value, at = _item(data, at, depth + 1)
        values.append(value)
    return values, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    found: dict[Any, Any] = {}
    for _ in range(count):
        key, at = _item(data, at, depth + 1)
        if not isinstance(key, int | str) or isinstance(key, bool) or key in found:
            raise CredentialError("a key twice, or one that is neither number nor text")
        found[key], at = _item(data, at, depth + 1)
    return found, at
