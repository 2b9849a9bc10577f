"""What is counted as cars move: of each area since its last recount, of each lane since its last row.

Typed counters that hang on the area and on the lane, counted in every lot: one addition where a hook would
be a call. The parts "ledger" and "reconciliation" read them, and keep them in snapshots where their theme
is on.
"""

from typing import Any

ENTRIES_MAX = 16
"""Irregular entries kept per area, some 100 bytes each: what an attendant reads through before he goes and
counts. The oldest goes first; the totals still hold it."""

AREA_TOTALS = (
    "base",
    "entered",
    "left",
    "closed",
    "followed_in",
    "followed_out",
    "unnamed_in",
    "unnamed_out",
    "corrected",
    "configured",
    "named",
    "late_in",
    "late_out",
    "lapsed",
    "turned_round",
)

LANE_COUNTS = (
    "numbers",
    "opened",
    "refused",
    "again",
    "passed",
    "backed_out",
    "followed",
    "forced",
    "lapsed",
    "moved",
    "unnamed",
    "late",
    "late_opened",
    "late_passed",
    "late_followed",
)


class AreaTally:
    """The ledger of one area since `base` cars were in it.

    entered, left: stays that came in and went, from and to wherever; closed: stays ended by rule, without
    a sighting; followed_*: cars behind another one (PASSAGE 3); unnamed_*: cars that passed and no stay
    names; corrected: by hand, configured: by a change of the file, named: cars without a stay that got one
    (they are among `entered` then) or turned out to have one, net. Beside the sum: late_*: how many of those
    entered and left stand in history out of a REPLAY; lapsed: promises that no car made good;
    turned_round: how many of those left did within the grace. entries: the last that are not an entry or
    exit of a stay, as [at_ms, cause, change, about].
    """

    def __init__(self) -> None:
        self.entries: list[list[Any]] = []
        self.begin(0)

    def begin(self, base: int) -> None:
        """Count from `base` cars on. The entries stay: they explain how it came to that."""
        self.base = base
        self.entered = 0
        self.left = 0
        self.closed = 0
        self.followed_in = 0
        self.followed_out = 0
        self.unnamed_in = 0
        self.unnamed_out = 0
        self.corrected = 0
        self.configured = 0
        self.named = 0
        self.late_in = 0
        self.late_out = 0
        self.lapsed = 0
        self.turned_round = 0

    def sum(self) -> int:
        """What the occupancy must be."""
        stays = self.entered - self.left - self.closed
        nameless = self.followed_in - self.followed_out + self.unnamed_in - self.unnamed_out
        return self.base + stays + nameless + self.corrected + self.configured + self.named

    def stray(self, followed: bool, change: int) -> None:
        """A car without a name came in (1) or went (-1)."""
        if followed and change > 0:
            self.followed_in += 1
        elif followed:
            self.followed_out += 1
        elif change > 0:
            self.unnamed_in += 1
        else:
            self.unnamed_out += 1

    def note(self, at_ms: int, cause: str, change: int, about: str) -> None:
        """Keep an irregular entry."""
        self.entries.append([at_ms, cause, change, about])
        if len(self.entries) > ENTRIES_MAX:
            del self.entries[0]

    def totals(self) -> dict[str, int]:
        """By name, in the order of AREA_TOTALS."""
        return {name: getattr(self, name) for name in AREA_TOTALS}


class LaneTally:
    """What a lane's reader told, and what came of it, since the lane's last row.

    numbers: events with a number of their own; opened, refused (or asked to pay first): scans; again: opened
    once more for the car that waits there; passed, backed_out, followed, forced: PASSAGE 1 to 4; lapsed:
    moves that nobody confirmed; moved: stays that changed their area here; unnamed: cars counted here that
    no stay names; late: entries of REPLAYs, late_* those of them that opened, passed and followed.
    since_ms: when the first live one of them was, 0 = none; waiting: cars that stood here at the last row;
    hour: the last Unix hour that has a row; missing: the numbers that the reader owed then.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self.hour = 0
        self.missing = 0
        self.begin()

    def begin(self) -> None:
        """Count from nothing on."""
        self.since_ms = 0
        self.numbers = 0
        self.opened = 0
        self.refused = 0
        self.again = 0
        self.passed = 0
        self.backed_out = 0
        self.followed = 0
        self.forced = 0
        self.lapsed = 0
        self.moved = 0
        self.unnamed = 0
        self.late = 0
        self.late_opened = 0
        self.late_passed = 0
        self.late_followed = 0

    def begun(self, at_ms: int) -> None:
        """Something live happened."""
        if self.since_ms == 0:
            self.since_ms = at_ms

    def scanned(self, at_ms: int, opens: bool) -> None:
        """A scan was decided."""
        if self.since_ms == 0:
            self.since_ms = at_ms
        self.numbers += 1
        if opens:
            self.opened += 1
        else:
            self.refused += 1

    def saw(self, at_ms: int, what: int) -> None:
        """A live PASSAGE."""
        self.begun(at_ms)
        self.numbers += 1
        if what == 1:
            self.passed += 1
        elif what == 2:
            self.backed_out += 1
        elif what == 3:
            self.followed += 1
        else:
            self.forced += 1

    def was_told(self, passed: bool, followed: bool, opened: bool) -> None:
        """An entry of a REPLAY."""
        self.numbers += 1
        self.late += 1
        self.late_opened += 1 if opened else 0
        self.late_passed += 1 if passed else 0
        self.late_followed += 1 if followed else 0

    def counts(self) -> dict[str, int]:
        """By name, in the order of LANE_COUNTS."""
        return {name: getattr(self, name) for name in LANE_COUNTS}
