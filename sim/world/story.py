"""A failing seed as people read it: what was found, what was expected, how to repeat it, what happened."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

LINE_MAX = 160
_LONG_HEX = re.compile(r"\b([0-9a-f]{32})[0-9a-f]{32,}\b")
"""Tokens may have 512 bytes; nobody reads more than their beginning."""


class Told(Protocol):
    """A happening, as far as a story is concerned. at_ms: since the start."""

    @property
    def at_ms(self) -> int: ...

    def line(self) -> str:
        """One plain sentence."""


class Found(msgspec.Struct, frozen=True):
    """What went wrong. at_ms: since the start; expected: what the auditor expected instead."""

    kind: str
    at_ms: int
    text: str
    expected: str


class Failure(msgspec.Struct, frozen=True):
    """A finding with the story that leads to it.

    kept: places, in the plan, of the happenings that are needed for it; of: how many there are; lines: each
    of the kept ones; whole: whether they are the fewest possible, not what was reached when time was up;
    where: when the world began, and the time zones of its lots; plant: the bug that was planted, if any.
    """

    seed: int
    found: Found
    kept: tuple[int, ...]
    of: int
    lines: tuple[str, ...]
    whole: bool
    where: str
    plant: str = ""

    def command(self, only: bool = False) -> str:
        """What to type to see it again; only: with nothing but the kept happenings."""
        words = ["liftgate sim world --seed", str(self.seed)]
        if self.plant:
            words += ["--plant", self.plant]
        if only:
            words += ["--only", ",".join(map(str, self.kept)) or "none"]
        return " ".join(words)


def story_lines(happenings: Sequence[Told], kept: Sequence[int]) -> tuple[str, ...]:
    """The kept happenings, a line each, with their time since the start."""
    return tuple(f"{clock(happenings[at].at_ms)}  {_shortened(happenings[at].line())}" for at in kept)


def _shortened(line: str) -> str:
    """Some tokens and texts are as long as may be: nobody reads them."""
    return line if len(line) <= LINE_MAX else f"{line[: LINE_MAX - 2]} …"


def clock(ms: int) -> str:
    """Milliseconds as 1:02:03.004."""
    seconds, ms = divmod(ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}.{ms:03}"


def failure_lines(failure: Failure) -> Iterator[str]:
    """The whole report of one seed."""
    found = failure.found
    yield f"seed {failure.seed}: {found.kind}"
    yield from _indented("found", f"at {clock(found.at_ms)}: {found.text}")
    yield from _indented("expected", found.expected)
    yield from _indented("begins", failure.where)
    yield from _indented("repeat", failure.command())
    if len(failure.kept) == failure.of:
        yield f"  the story, {failure.of} happenings:"
    else:
        fewest = "" if failure.whole else " (no time to leave out more)"
        yield f"  the story, with the {len(failure.kept)} of {failure.of} happenings that it takes{fewest}:"
    yield from (f"    {line}" for line in failure.lines)
    yield from _indented("only these", failure.command(only=True))


def _indented(name: str, text: str) -> Iterator[str]:
    """`  name      text`, what has more lines below each other."""
    for number, line in enumerate(_LONG_HEX.sub(r"\1…", text).splitlines()):
        yield f"  {name if number == 0 else '':11}{line}"
