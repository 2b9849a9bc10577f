"""Values of MessagePack that are read most, as functions: what hot messages and events are read by.

Never compiled, as `raw.py`: compiled modules find the same names as inline C in `fields.pxd`. There they read
what is usual on the spot, and leave to the methods of `Unpacker` what is not: a value that ends with the
buffer, a long text, anything malformed.
"""

from liftgate.codecs.unpack import Unpacker


def take_uint(source: Unpacker) -> int:
    """`Unpacker.uint`."""
    return source.uint()


def take_text_as(source: Unpacker, before: str) -> str:
    """`Unpacker.text`, or `before` itself where it says the same: no new object, and its hash is known."""
    text = source.text()
    return before if text == before else text


def take_binary(source: Unpacker) -> bytes:
    """`Unpacker.binary`."""
    return source.binary()
