"""`liftgate relay` with files in the place of sinks: `python -m tests.relay.file_relay FOLDER ARGS`.

One line `position lot seq` an event, synced before write() returns. Files beside it change its mood; sink
"null" has FOLDER itself, others a folder of their name in it: `down` (everything raises SinkUnavailable),
`poison` (seqs that are refused), `lag` (safe only when asked). `prepared` has a line for each batch
that the sink was told of ahead.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from liftgate.cli import main
from liftgate.commands import relay
from liftgate.relay.sink import SinkRejected, SinkUnavailable, Stored

STORED, RESENT, DOWN, POISON, LAG, PREPARED = "stored", "resent", "down", "poison", "lag", "prepared"


class FileSink:
    """The file is the truth, also about the position."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder if name == "null" else folder / name
        self._folder.mkdir(exist_ok=True)
        self._file = -1
        self._taken = self._safe = 0

    async def open(self) -> int:
        self._check_up()
        path = self._folder / STORED
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1  # a kill can leave half a line
        os.ftruncate(self._file, whole)
        os.lseek(self._file, 0, os.SEEK_END)
        self._taken = self._safe = int(data[:whole].splitlines()[-1].split()[0]) if whole else 0
        return self._safe

    async def write(self, batch: Sequence[Stored]) -> int:
        await asyncio.sleep(0)  # as whoever waits for a server lets others have their turn
        self._check_up()
        poison = self._words(POISON)
        refused = {stored.position: "poison" for stored in batch if str(stored.event.seq) in poison}
        fine = [stored for stored in batch if stored.position not in refused]
        _append(self._file, fine)
        self._taken = max([self._taken, *(stored.position for stored in batch)])
        if not (batch and (self._folder / LAG).exists()):
            self._safe = self._taken
        if refused:
            raise SinkRejected(refused)
        return self._safe

    def prepare(self, batch: Sequence[Stored]) -> None:
        """Only noted: first and last position, and up to where the file was stored then."""
        with (self._folder / PREPARED).open("a") as file:
            file.write(f"{batch[0].position} {batch[-1].position} {self._taken}\n")

    async def resend(self, letter: Stored) -> None:
        self._check_up()
        if str(letter.event.seq) in self._words(POISON):
            raise SinkRejected({letter.position: "poison still"})
        file = os.open(self._folder / RESENT, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        _append(file, [letter])
        os.close(file)

    async def aclose(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _check_up(self) -> None:
        if (self._folder / DOWN).exists():
            raise SinkUnavailable("the file is down")

    def _words(self, name: str) -> set[str]:
        path = self._folder / name
        return set(path.read_text().split()) if path.exists() else set()


def _append(file: int, batch: Sequence[Stored]) -> None:
    os.write(file, b"".join(b"%d %s %d\n" % (s.position, s.event.lot.encode(), s.event.seq) for s in batch))
    os.fsync(file)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    setattr(relay, "make_sink", lambda kind, config: FileSink(folder, kind))  # noqa: B010
    raise SystemExit(main(sys.argv[2:]))
