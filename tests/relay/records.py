"""Records of lane reports, for what stands behind the feed."""

from __future__ import annotations

import msgspec

from liftgate.codecs.records import encode_record


def event(seq: int, lot: str = "north", faults: int = 0) -> bytes:
    """A LaneReported with so many bytes of faults."""
    return msgspec.msgpack.encode([0x13, lot, seq, 5, "r1", 1, seq, 0, 0, False, ["x" * faults]])


def record(first: int, count: int, faults: int = 0) -> bytes:
    """A record of `count` events; seqs are positions here."""
    payload = b"".join(event(seq, faults=faults) for seq in range(first, first + count))
    return encode_record(payload, first, 1, 5, count)
