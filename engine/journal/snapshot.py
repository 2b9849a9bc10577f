"""Snapshots: the state at one position, so that recovery costs by the state's size and old segments can go.

A file is magic, version, position, at_ms, payload length and CRC-32 of it all (little-endian, 40 bytes), then
the payload, which is the state as the core encodes it, opaque here.
"""

import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import structlog

from liftgate.engine.journal.storage import FileMissing, Storage

log = structlog.get_logger()

SNAPSHOTS_KEPT = 2
"""The newest, and the one before it in case the newest turns out damaged."""

_HEADER = struct.Struct("<4sIQQQI4x")
_CHECKED = _HEADER.size - 8
_MAGIC = b"LGS1"
_VERSION = 1
_NAME = re.compile(r"[0-9]{20}\.snap")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state after the event at `position`. at_ms: the time of the last record that it was folded from."""

    position: int
    at_ms: int
    payload: bytes


def snapshot_name(position: int) -> str:
    """Return the file name of the snapshot at that position."""
    return f"{position:020d}.snap"


def snapshot_names(names: Iterable[str]) -> list[str]:
    """Return the snapshots among the names, in the order of their positions."""
    return sorted(name for name in names if _NAME.fullmatch(name))


def write_snapshot(storage: Storage, snapshot: Snapshot) -> None:
    """Store the snapshot for good, then remove all but the newest two. Raises DiskFull, StorageError."""
    size = len(snapshot.payload)
    header = _HEADER.pack(_MAGIC, _VERSION, snapshot.position, snapshot.at_ms, size, 0)[:_CHECKED]
    crc = zlib.crc32(snapshot.payload, zlib.crc32(header))
    storage.write_whole(
        snapshot_name(snapshot.position), header + struct.pack("<I4x", crc) + snapshot.payload
    )
    for name in snapshot_names(storage.names())[:-SNAPSHOTS_KEPT]:
        storage.remove(name)


def read_snapshot(storage: Storage, name: str) -> Snapshot | None:
    """Return the snapshot of that file name, None if it is damaged; raises FileMissing."""
    data = storage.read_whole(name)
    if len(data) < _HEADER.size:
        return None
    magic, version, position, at_ms, size, crc = _HEADER.unpack_from(data)
    payload = data[_HEADER.size :]
    if magic != _MAGIC or version != _VERSION or size != len(payload) or snapshot_name(position) != name:
        return None
    if zlib.crc32(payload, zlib.crc32(data[:_CHECKED])) != crc:
        return None
    return Snapshot(position, at_ms, payload)


def newest(storage: Storage) -> Snapshot | None:
    """Return the newest whole snapshot, None if there is none; damaged ones are skipped and logged."""
    for name in reversed(snapshot_names(storage.names())):
        try:
            snapshot = read_snapshot(storage, name)
        except FileMissing:
            continue  # Another process wrote a newer one and removed this since the folder was listed.
        if snapshot is not None:
            return snapshot
        log.error("snapshot.damaged", name=name)
    return None


def covered_position(storage: Storage) -> int:
    """Return the position that segments are no longer needed up to for recovery: give it to Journal.retire().

    That is the older of the kept snapshots: should the newest turn out damaged, what follows the older must
    still be there.
    """
    names = snapshot_names(storage.names())
    return int(names[-SNAPSHOTS_KEPT][:20]) if len(names) >= SNAPSHOTS_KEPT else 0
