"""When passes end: a heap, so that a Tick looks at those whose time has come and not at all of them."""

import heapq

from liftgate.engine.core.parts.passes import Pass

FOREVER = 1 << 62
AT_ONCE = 200
"""Twice what a part may say in a Tick."""


class Ends:
    """(when, number, name) of the passes that end, with entries that no longer hold.

    A pass that was changed gets one more entry; when most entries no longer hold they are made anew.
    """

    def __init__(self, passes: dict[str, Pass]) -> None:
        self.passes = passes
        self.heap: list[tuple[int, int, str]] = []

    def note(self, found: Pass) -> None:
        """The pass ends when it says now."""
        if len(self.heap) > 64 + 2 * len(self.passes):
            self.heap = [self._entry(each) for each in self.passes.values() if each.end_ms() < FOREVER]
            heapq.heapify(self.heap)
        elif found.end_ms() < FOREVER:
            heapq.heappush(self.heap, self._entry(found))

    def first_ms(self) -> int | None:
        """When the first one ends; None where none does. Drops entries before it that no longer hold."""
        heap = self.heap
        while heap and not self._holds(heap[0]):
            heapq.heappop(heap)
        return heap[0][0] if heap else None

    def until(self, at_ms: int) -> list[str]:
        """The first AT_ONCE of those that ended by then, longest ago first."""
        over = {entry for entry in self.heap if entry[0] <= at_ms and self._holds(entry)}
        return [name for _, _, name in heapq.nsmallest(AT_ONCE, over)]

    def _entry(self, found: Pass) -> tuple[int, int, str]:
        return found.end_ms(), found.number, found.spec.name

    def _holds(self, entry: tuple[int, int, str]) -> bool:
        found = self.passes.get(entry[2])
        return found is not None and self._entry(found) == entry
