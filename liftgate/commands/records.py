"""Events as JSON lines, and the journal of a configuration opened for reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from liftgate.codecs.events.operators import OperatorEvent
from liftgate.codecs.unpack import Unpacker
from liftgate.commands.common import Trouble
from liftgate.configs.schema import Config
from liftgate.engine.core.events import (
    HistoryRecorded,
    LaneReported,
    PassageRecorded,
    ScanDecided,
    unpack,
)
from liftgate.engine.journal.disk import DiskStorage

_HEAD = ("lot", "seq", "at_ms")
_NAME = ("reader", "boot", "no", "lane")
# Compiled classes have no __dict__ to ask, and what else they hold belongs to the running engine.
FIELDS: dict[type, tuple[str, ...]] = {
    ScanDecided: (
        *(*_HEAD, *_NAME, "kind", "token", "skew_ms", "way", "verdict", "reason", "effect"),
        *("area", "session", "spot", "price", "trace", "marks"),
    ),
    PassageRecorded: (*_HEAD, *_NAME, "what", "way", "area", "session", "effect"),
    LaneReported: (*_HEAD, *_NAME, "barrier", "loop", "faults"),
    HistoryRecorded: (
        *(*_HEAD, *_NAME, "what", "verdict_given", "finding", "way", "area", "session", "spot"),
        *("effect", "detail"),
    ),
}


def events_of(payload: memoryview | bytes) -> Iterator[Any]:
    """The events in a record's payload, in order."""
    source = Unpacker(bytes(payload))
    while source.at < source.end:
        yield unpack(source)


def as_line(position: int, event: Any) -> str:
    """One event as a JSON object: position, type by name, then its fields; bytes in hex."""
    names = event.__struct_fields__ if isinstance(event, OperatorEvent) else FIELDS[type(event)]
    fields = {name: plain(getattr(event, name)) for name in names}
    return msgspec.json.encode({"position": position, "type": type(event).__name__, **fields}).decode()


def plain(value: Any) -> Any:
    """The value with bytes as hex digits, at any depth."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def storage_of(config: Config) -> DiskStorage:
    """The journal's folder, for reading; it is not made. Raises Trouble if there is none."""
    folder = config.engine.journal
    if not folder.is_dir():
        raise Trouble(f"there is no journal at {folder}: has an engine run on this configuration?")
    return DiskStorage(folder, make=False)
