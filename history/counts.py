"""The areas of a lot and the cars that count in each, with every change as it happened."""

from typing import Any, NamedTuple

from liftgate.codecs import codes
from liftgate.history.port import WHOLE


class Change(NamedTuple):
    """What event `seq` did to an area's count at at_ms; see CellRow."""

    area: str
    at_ms: int
    seq: int
    entered: int
    left: int
    corrected: int


class Counts:
    """Cars by area, inner areas apart, and the changes since they were last taken.

    parents: what each area lies in, None = the lot's outermost; by_area: its cars; seq, at_ms: the event that
    is being folded; misfits: events that named what is not known here (see Fold).
    """

    def __init__(self) -> None:
        self.seq = 0
        self.at_ms = 0
        self.misfits = 0
        self.parents: dict[str, str | None] = {}
        self.by_area: dict[str, int] = {}
        self.changes: list[Change] = []

    def configure(self, areas: list[dict[str, Any]]) -> str:
        """Areas as they are from here on. What counted in one that is gone counts in the outermost, which is
        returned.
        """
        outermost: str = next(area["id"] for area in areas if area["parent"] is None)
        before = self.by_area
        self.parents = {area["id"]: area["parent"] for area in areas}
        self.by_area = {id: before.get(id, 0) for id in self.parents}
        for id, count in before.items():
            if id not in self.parents and count:
                self._note(id, 0, 0, -count)
                self._count(outermost, 0, 0, count)
        return outermost

    def known(self, area: str) -> str:
        """The area's id. One that no configuration named comes of a history that began after it was
        configured.
        """
        if area not in self.parents:
            self.misfits += 1
            self.parents[area] = None
            self.by_area.setdefault(area, 0)
        return area

    def seen(self, before: str | None, to: str | None) -> None:
        """A lane saw a car go from one area to another, None: from the street, or onto it."""
        if before is not None:
            self._count(before, 0, 1, 0)
        if to is not None:
            self._count(to, 1, 0, 0)
        if before is None or to is None:
            self._note(WHOLE, int(before is None), int(to is None), 0)

    def stray(self, area: str, way: int) -> None:
        """A car that no stay names came into `area` or left it."""
        outside = self.parents[self.known(area)]
        if way == codes.IN:
            self.seen(outside, area)
        else:
            self.seen(area, outside)

    def correct(self, area: str, change: int, outside: str | None = None) -> None:
        """So many more cars in `area`, seen by nobody; and so many fewer around it, where `outside` is
        named.
        """
        self._count(area, 0, 0, change)
        if outside is None:
            self._note(WHOLE, 0, 0, change)
        else:
            self._count(outside, 0, 0, -change)

    def set(self, area: str, after: int) -> None:
        """To `after`, and not by what the engine corrected: a history that began late is right from here
        on.
        """
        change = after - self.by_area.get(area, 0)
        if change:
            self.correct(area, change)

    def _count(self, area: str, entered: int, left: int, corrected: int) -> None:
        self.by_area[self.known(area)] += entered - left + corrected
        self._note(area, entered, left, corrected)

    def _note(self, area: str, entered: int, left: int, corrected: int) -> None:
        self.changes.append(Change(area, self.at_ms, self.seq, entered, left, corrected))
