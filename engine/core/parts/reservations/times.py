"""When time has something to say about a reservation: a heap, so that a Tick looks at those only."""

import heapq

from liftgate.configs.rules.reservations import Reservations
from liftgate.engine.core.parts.reservations.book import NEVER, Book, Reservation

AT_ONCE = 100
"""What a part may say in a Tick."""


class Times:
    """(when, number, id), with entries that no longer hold; each change of a reservation adds one."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.rules: Reservations | None = None
        self.heap: list[tuple[int, int, bytes]] = []

    def configure(self, rules: Reservations | None) -> None:
        """Other rules give other times."""
        self.rules = rules
        self._rebuild()

    def _rebuild(self) -> None:
        entries = [self._entry(found) for found in self.book.all.values()]
        self.heap = [entry for entry in entries if entry[0] < NEVER]
        heapq.heapify(self.heap)

    def note(self, found: Reservation) -> None:
        """The reservation changed."""
        if len(self.heap) > 64 + 3 * len(self.book.all):
            self._rebuild()
        entry = self._entry(found)
        if entry[0] < NEVER:
            heapq.heappush(self.heap, entry)

    def first_ms(self) -> int:
        """When the next has its time. Drops entries before it that no longer hold."""
        while self.heap and not self._holds(self.heap[0]):
            heapq.heappop(self.heap)
        return self.heap[0][0] if self.heap else NEVER

    def until(self, at_ms: int) -> list[Reservation]:
        """The first AT_ONCE of those whose time has come, longest ago first."""
        if self.first_ms() > at_ms:
            return []
        over = {entry for entry in self.heap if entry[0] <= at_ms and self._holds(entry)}
        return [self.book.all[id] for _, _, id in heapq.nsmallest(AT_ONCE, over)]

    def _entry(self, found: Reservation) -> tuple[int, int, bytes]:
        when = NEVER if self.rules is None else found.next_ms(self.rules)
        return when, found.number, found.id

    def _holds(self, entry: tuple[int, int, bytes]) -> bool:
        found = self.book.all.get(entry[2])
        return found is not None and self._entry(found) == entry
