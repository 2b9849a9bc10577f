"""Engine processes for the fault tests, and what their journals hold."""

import re
from pathlib import Path
from typing import Any

from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import events
from liftgate.engine.core.events import HistoryRecorded, ScanDecided
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.recovery import Reader
from tests.independent.engine_process import Engine, lot_toml, write_config

LOT = "north"


def make_engine(folder: Path, readers: int, spots: int, **keys: Any) -> Engine:
    """An engine, not started, with one lot and readers north-r0 and so on; `keys`: of [engine]."""
    names = tuple(f"r{n}" for n in range(readers))
    config = write_config(folder, lot_toml(LOT, spots, names))
    text = config.read_text()
    for key, value in {"readers_max": 1000, **keys}.items():
        text = re.sub(rf"(?m)^{key} = .*\n", "", text)
        text = text.replace("[engine]\n", f"[engine]\n{key} = {value}\n", 1)
    config.write_text(text)
    return Engine(config)


def reader_ids(readers: int) -> list[str]:
    return [f"{LOT}-r{n}" for n in range(readers)]


def told_in(folder: Path) -> dict[int, ScanDecided | HistoryRecorded]:
    """Every scan and every entry of a backlog in the journal by its position; no event of a reader is in it
    twice.
    """
    found: dict[int, ScanDecided | HistoryRecorded] = {}
    names = set()

    def record(first: int, at_ms: int, count: int, payload: Any) -> None:
        source = Unpacker(bytes(payload))
        for position in range(first, first + count):
            event = events.unpack(source)
            if isinstance(event, ScanDecided | HistoryRecorded):
                name = (event.reader, event.boot, event.no)
                assert name not in names, f"{name} is there twice"
                names.add(name)
                found[position] = event

    Reader(DiskStorage(folder / "journal", make=False), record, 0).read()
    return found


def scans_in(folder: Path) -> dict[int, ScanDecided]:
    """Every scan in the journal by its position; no event of a reader is in it twice."""
    return {place: event for place, event in told_in(folder).items() if isinstance(event, ScanDecided)}
