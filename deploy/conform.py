"""`make conform`: the conformance kit both ways, on this project's own engine and reader, side by side.

The reader is the firmware's host program where it is built, else the small reader of the kit's own tests.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FIRMWARE = ROOT / "firmware" / "build" / "liftgate-reader"

READER = "r0"
KEY = bytes(range(32)).hex()

START_S_MAX = 30.0
"""A cold interpreter on a busy machine; the usual start takes well under a second."""

ENGINE = f"""[engine]
name = "conform"
listen = "127.0.0.1:0"
journal = "journal"
heartbeat_s = 1                  # so that silence need not be waited for
segment_bytes = 1_048_576

[[lot]]
id = "conform"
name = "Conformance"
timezone = "UTC"
currency = "EUR"
assign = "count"
[[lot.area]]
id = "conform"
[[lot.area.spots]]
level = "P1"
prefix = "A"
class = "standard"
count = 5000
[[lot.gate]]
id = "west"
nearest = ["P1-A"]

[[reader]]
id = "{READER}"
key = "{KEY}"
lot = "conform"
[[reader.lane]]
number = 0
direction = "entry"
area = "conform"
gate = "west"
cards = "open"
"""


def liftgate(*arguments: str) -> list[str]:
    """A command line of this interpreter's liftgate."""
    return [sys.executable, "-m", "liftgate.cli", *arguments]


@contextmanager
def engine(folder: Path) -> Iterator[str]:
    """A running engine of this project's; yields HOST:PORT. Raises RuntimeError if it does not start."""
    config, ready, log = folder / "engine.toml", folder / "ready.json", folder / "engine.log"
    config.write_text(ENGINE)
    command = liftgate("engine", "--config", str(config), "--ready-file", str(ready))
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd=ROOT)
    try:
        until = time.monotonic() + START_S_MAX
        while not ready.exists():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the engine does not start:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)  # a file is the only signal there is
        address = json.loads(ready.read_text())
        yield f"{address['host']}:{address['port']}"
    finally:
        process.terminate()
        process.wait()


def reader_command(folder: Path) -> str:
    """The command line of a reader program that takes commands on its standard input."""
    if not FIRMWARE.exists():
        return f"{sys.executable} -m tests.conform.program --connect {{connect}}"
    flash = folder / "flash"
    return (
        f"{FIRMWARE} --connect {{connect}} --reader {{reader}} --key {{key}} --flash {flash}"
        " --backoff-ms 100 --backoff-ms-max 400 --plain yes --lanes 0:entry,1:exit,2:both"
    )


def of_readers(folder: Path) -> list[str]:
    """The kit's command line for the reader."""
    stimulus = ["--stimulus-stdin", reader_command(folder), "--act-within", "10", "--alone-after", "6"]
    return liftgate("conform", "--listen", "127.0.0.1:0", *_WHO, *stimulus)


_WHO = ("--reader", READER, "--key", KEY, "--strict", "--patience", "20")


def main() -> int:
    """Run both ways at once; print both tables; 0 if all was seen and nothing failed."""
    with tempfile.TemporaryDirectory(prefix="liftgate-conform-") as name, engine(Path(name)) as address:
        commands = {
            "the engine": liftgate("conform", "--connect", address, *_WHO),
            FIRMWARE.name if FIRMWARE.exists() else "the kit's own small reader": of_readers(Path(name)),
        }
        running = {
            what: subprocess.Popen(
                command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for what, command in commands.items()
        }
        failed = 0
        for what, process in running.items():
            out, told = process.communicate()
            print(f"under test: {what}\n{out}", flush=True)
            if process.returncode:
                print(told, flush=True)
                failed = 1
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
