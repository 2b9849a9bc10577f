"""A disk that is really full, and a journal that is really damaged, under a real engine process."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from liftgate.codecs.records import good_records
from liftgate.engine.journal.segments import HEADER_BYTES
from tests.faults.engines import LOT, make_engine
from tests.independent.engine_process import ENTRY, Engine
from tests.independent.frames import Type
from tests.independent.reader import CARD, Client, EngineError, EventLog, now_ms

WAIT_S = 30
ROOT = Path(__file__).resolve().parents[2]


def mount(folder: Path, options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", options, "liftgate-test", str(folder)]
    return subprocess.run(command, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder whose folder `journal` is a disk of 3 MiB; needs to be root."""
    folder = tmp_path / "journal"
    folder.mkdir()
    if os.geteuid() != 0 or not mount(folder, "size=3m"):
        pytest.skip("may not mount a small disk here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(reader: Client) -> int:
    """Scan until the engine says that its disk is full; how many were answered."""
    for answered in range(200_000):
        try:
            reader.scan(ENTRY, b"x" * 400 + b"%d" % answered)
        except EngineError as error:
            assert error.code == 12 and not error.fatal
            return answered
    raise AssertionError("the disk never filled")


def test_full_disk(small_disk: Path) -> None:
    """A full disk: ERROR 12, nothing decided, nobody disconnected; room alone is enough to go on; after a
    kill everything that was answered is there."""
    with make_engine(small_disk, 2, 20_000, segment_bytes=1 << 20) as engine:
        log = EventLog()
        with engine.reader(f"{LOT}-r0", log) as reader:
            answered = fill(reader)
            assert answered > 1000 and engine.counts(LOT).occupancy == answered
            with pytest.raises(EngineError, match="12"):
                reader.lane_status(ENTRY)
            (no, *_rest) = sorted(log.pending)
            assert mount_more(small_disk)
            deadline = time.monotonic() + WAIT_S
            while True:
                try:
                    assert reader.send_event(no).type == Type.DECISION
                    break
                except EngineError as error:
                    assert error.code == 12 and time.monotonic() < deadline
        engine.kill()
        engine.start()
        assert engine.counts(LOT).occupancy == answered + 1


def mount_more(folder: Path) -> bool:
    return mount(folder / "journal", "remount,size=12m")


def test_no_room_to_start(small_disk: Path) -> None:
    """A disk without room for the first segment: the engine says so and exits, not with 0."""
    engine = make_engine(small_disk, 2, 10, segment_bytes=8 << 20)
    code, said = start_and_fail(engine)
    assert code != 0 and "No space left" in said and "Traceback" not in said


@pytest.fixture
def written(tmp_path: Path) -> tuple[Engine, EventLog, Path]:
    """A stopped engine whose journal has 30 scans, each in a record of its own; its only segment."""
    engine = make_engine(tmp_path, 2, 100, segment_bytes=1 << 20)
    log = EventLog()
    with engine:
        with engine.reader(f"{LOT}-r0", log) as reader:
            for n in range(30):
                reader.scan(ENTRY, b"car-%d" % n)
        engine.terminate()
        assert engine.wait_exit() == 0
    (segment,) = (tmp_path / "journal").glob("0*.seg")
    return engine, log, segment


def start_and_fail(engine: Engine) -> tuple[int, str]:
    """Start an engine that must not start; exit code and what it said."""
    command = [sys.executable, "-m", "liftgate.cli", "engine", "--config", str(engine.config)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=WAIT_S)
    return done.returncode, done.stderr + done.stdout


def damage(segment: Path, at: int, data: bytes) -> None:
    with segment.open("r+b") as file:
        file.seek(at)
        file.write(data)


def ends(segment: Path) -> list[int]:
    """Where each record ends; the first number is where the first begins."""
    data = segment.read_bytes()
    return [HEADER_BYTES, *(record.end for record in good_records(data, HEADER_BYTES, len(data)))]


@pytest.mark.parametrize(
    "part", [pytest.param(0.0, marks=pytest.mark.long), 0.3, pytest.param(0.99, marks=pytest.mark.long)]
)
def test_torn_tail(written: tuple[Engine, EventLog, Path], part: float) -> None:
    """What a crash left of the last record is cut: the engine starts with all before it, and the event that
    was in it is decided as if it came for the first time."""
    engine, log, segment = written
    low, high = ends(segment)[-2:]
    cut = low + int((high - low) * part)
    damage(segment, cut, bytes(high - cut))
    with engine:
        with Client(engine.address, f"{LOT}-r0", bytes(range(32)), log=log) as reader:
            assert reader.sign_on().done_to == 29
            log.append(Type.SCAN, now_ms(), ENTRY, CARD, b"car-29", no=30)
            assert reader.send_event(30).body[1] == 1
        assert engine.counts(LOT).occupancy == 30
    with engine:
        assert engine.counts(LOT).occupancy == 30


@pytest.mark.parametrize("record", [1, 10, 25])
@pytest.mark.parametrize("byte", [0, 5, 40, -12])
@pytest.mark.long
def test_rot(written: tuple[Engine, EventLog, Path], record: int, byte: int) -> None:
    """A flipped bit with good records behind it: the engine refuses to start."""
    refuses(written, record, byte)


def test_rot_quickly(written: tuple[Engine, EventLog, Path]) -> None:
    """One of them, every time."""
    refuses(written, 10, 40)


def refuses(written: tuple[Engine, EventLog, Path], record: int, byte: int) -> None:
    """It names the segment, the place and what to do, and changes nothing on disk."""
    engine, _, segment = written
    places = ends(segment)
    at = places[record] + byte if byte >= 0 else places[record + 1] + byte
    data = segment.read_bytes()
    damage(segment, at, bytes([data[at] ^ 0x40]))
    spoiled = segment.read_bytes()
    code, said = start_and_fail(engine)
    assert code not in (0, 2), said
    assert "liftgate journal verify" in said and segment.name in said and str(places[record]) in said
    assert "Traceback" not in said
    assert segment.read_bytes() == spoiled


def test_two_engines(written: tuple[Engine, EventLog, Path]) -> None:
    """A second engine on the same folder refuses to start, and the first one does not notice."""
    engine, _, _ = written
    with engine:
        code, said = start_and_fail(engine)
        assert code not in (0, 2) and "in use" in said and "Traceback" not in said
        assert engine.counts(LOT).occupancy == 30
