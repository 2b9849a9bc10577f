"""Who holds segments back, how much that is, and what happens when it gets too much."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.segments import Segment

log = structlog.get_logger()

LEVELS = (50, 80, 100)
"""Percent of the reserve at which a subscriber's backlog is said, once each until it eased."""

KEEP = "keep"
REFUSE = "refuse_entries"
FORGET = "forget:"

EASED = LEVELS[1]
"""Percent at which who was at 100 % is no longer said to hold all: a door that opens and closes with each
segment helps nobody."""


def held(segments: Sequence[Segment], cursors: dict[str, int], segment_bytes: int) -> dict[str, int]:
    """By subscriber: bytes of the segments that it still needs. The one being written counts as whole."""
    return {
        name: segment_bytes * sum(segment.last > position for segment in segments)
        for name, position in cursors.items()
    }


class BacklogWatch:
    """Looks at a running journal's cursors, in the thread that moves them.

    bytes_max: the reserve, 0: none, the disk itself is the bound, and a full one refuses with ERROR 12. full:
    what happens when a subscriber holds all of it: KEEP, only said; FORGET and its name: its cursor goes;
    REFUSE: whoever minds the lots' entries (`gateways/backlog.py`) is told by `holder`.

    refuses: whether entries are to be refused at the bound; holder: then, a subscriber that holds all of the
    reserve, until that eased; "" where none does.
    """

    def __init__(self, journal: Journal, segment_bytes: int, bytes_max: int, full: str) -> None:
        self._journal = journal
        self._segment_bytes = segment_bytes
        self._bytes_max = bytes_max
        self._full = full
        self._said: dict[str, int] = {}
        self.refuses = bytes_max > 0 and full == REFUSE
        self.holder = ""

    def look(self) -> None:
        """Say what has changed, and do at the bound what was configured."""
        if not self._bytes_max:
            return
        cursors = self._journal.cursors.all()
        amounts = held(self._journal.catalogue.all(), cursors, self._segment_bytes)
        shares = {name: 100 * amount // self._bytes_max for name, amount in amounts.items()}
        if self.refuses and shares.get(self.holder, 0) < EASED:
            self.holder = next((name for name, percent in shares.items() if percent >= LEVELS[-1]), "")
        for name, amount in amounts.items():
            percent = shares[name]
            level = max((level for level in LEVELS if percent >= level), default=0)
            self._say(name, level, percent, amount)
            if level == LEVELS[-1] and self._full == f"{FORGET}{name}":
                self._forget(name, cursors[name])
        self._said = {name: level for name, level in self._said.items() if name in amounts}

    def _say(self, name: str, level: int, percent: int, amount: int) -> None:
        before = self._said.get(name, 0)
        self._said[name] = level
        if level == before:
            return
        fields = {"subscriber": name, "percent": percent, "bytes": amount, "bytes_max": self._bytes_max}
        if level < before:
            log.info("journal.backlog_eased", **fields)
        elif level == LEVELS[-1]:
            log.error("journal.backlog_full", **fields, then=self._full)
        else:
            log.warning("journal.backlog", **fields)

    def _forget(self, name: str, position: int) -> None:
        """It may come back: then it is told that its position is gone, and begins nowhere by itself."""
        self._journal.cursors.forget(name)
        self._said.pop(name, None)
        log.error("journal.subscriber_forgotten", subscriber=name, position=position)
