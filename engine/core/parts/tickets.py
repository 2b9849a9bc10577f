"""Tickets and tags: which single-use ones are used, and how far each tag has counted."""

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.tickets import Tickets as Rules
from liftgate.engine.core.events import HistoryRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.model import Lot, Stay
from liftgate.engine.core.parts import ticket_orders as orders
from liftgate.engine.core.parts.base import NEVER, Part

THEME = "tickets"

USED_MAX = 100_000
"""Used tickets that are remembered, some 200 bytes each. Only who has the signing key can fill it: more than
this many single-use tickets, used and not expired yet, is more than any lot lets in between two of them.
Beyond it the one that expires first is forgotten, and a finding says so: it could be used again."""

COUNTERS_MAX = 100_000
"""Tags whose counter is kept. Beyond it the one longest unseen is forgotten, and a finding says so: an old
copy of what it said would be taken once."""

KEPT_AFTER_MS = 86_400_000
"""How long after its end a used ticket is remembered: what a reader without a network let in twice is found
out if it comes back within a day."""

FORGOTTEN = "credentials forgotten"


class Tickets(Part):
    """used: single-use tickets by cti, with when they expire (Unix s), as far as they opened an entry;
    counters: the highest that each tag was heard to say, by UID, the tag last heard last; forgotten: how many
    of both went since the last finding. queue: (expiry, cti) of the used ones, a heap, no part of the state.
    """

    THEME = THEME
    ORDERS: ClassVar[Any] = orders.ORDERS
    QUERIES: ClassVar[Any] = orders.QUERIES

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.on = self.watches = self.every_scan = False
        self.rules: Rules | None = None
        self.used: dict[bytes, int] = {}
        self.counters: dict[bytes, int] = {}
        self.forgotten = 0
        self.queue: list[tuple[int, bytes]] = []

    def configure(self, rules: msgspec.Struct | None) -> None:
        self.rules = rules if isinstance(rules, Rules) else None
        self.on = self.rules is not None
        self._wait()
        tags = takes_tags(self.lot.rules)
        for reader in self.lot.readers.values():
            for number, _, _, _, _, *kinds in reader.spec:
                reader.lanes[number].policy = policy_of(kinds, tags)

    def _wait(self) -> None:
        self.next_ms = 0 if self.forgotten and self.on else NEVER

    # -- what happens

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        if isinstance(event, ScanDecided):
            if self.lot.marks is not None:
                came_in = event.verdict == codes.OPEN and event.way == codes.IN
                self._take(event.token, self.lot.marks, came_in, event.at_ms, stay)
        elif isinstance(event, HistoryRecorded) and event.what == ScanDecided.TYPE:
            detail = event.detail
            came_in = event.verdict_given == codes.OPEN and event.way == codes.IN
            if len(detail) > 2:
                self._take(detail[1], detail[2], came_in, event.at_ms, stay)

    def _take(self, name: bytes, marks: dict[str, Any], came_in: bool, at_ms: int, stay: Stay | None) -> None:
        """Remember what was proven; came_in: the barrier opened for it on the way in."""
        if "counter" in marks:
            self._count(name, marks["counter"])
        if came_in and "single_use" in marks:
            self._use(name, marks["single_use"], at_ms)
        if came_in and stay is not None and ("ticket" in marks or "counter" in marks):
            note(stay)

    def _count(self, uid: bytes, counter: int) -> None:
        """Never down: what a lone reader tells may be older than what was heard since."""
        self.counters[uid] = max(counter, self.counters.pop(uid, -1))
        if len(self.counters) > COUNTERS_MAX:
            del self.counters[next(iter(self.counters))]
            self._forgot()

    def _use(self, cti: bytes, until_s: int, at_ms: int) -> None:
        queue, used = self.queue, self.used
        if cti not in used:
            used[cti] = until_s
            heappush(queue, (until_s, cti))
        while queue and queue[0][0] * 1000 + KEPT_AFTER_MS < at_ms:
            del used[heappop(queue)[1]]
        if len(used) > USED_MAX:
            del used[heappop(queue)[1]]
            self._forgot()

    def _forgot(self) -> None:
        self.forgotten += 1
        self._wait()

    # -- what time brings

    def due(self, now_ms: int) -> list[OperatorEvent]:
        if not self.forgotten or not self.on:
            return []
        text = f"{self.forgotten} used tickets or counters of tags were forgotten, as there were too many"
        about = {"forgotten": self.forgotten, "used": len(self.used), "tags": len(self.counters)}
        return [FindingMade(self.lot.id, 0, now_ms, FORGOTTEN, text, about)]

    def found(self, event: FindingMade) -> None:
        if event.kind == FORGOTTEN:
            self.forgotten = 0
            self._wait()

    # -- snapshots

    def dump(self) -> Any:
        if not (self.used or self.counters or self.forgotten):
            return None
        return [self.used, self.counters, self.forgotten]

    def load(self, data: Any) -> None:
        used, counters, self.forgotten = data
        self.used.update(used)
        self.counters.update(counters)
        self.queue = [(until_s, cti) for cti, until_s in self.used.items()]
        heapify(self.queue)
        self._wait()


def policy_of(kinds: Sequence[str], tags: bool) -> tuple[str, ...]:
    """A lane's policy by kind. kinds: of codes, cards and plates, as configured, and of tags where they are
    off; tags: whether the lot can prove them. Then they are taken as cards are.
    """
    codes, cards, plates = kinds[:3]
    if not tags or len(kinds) > 3:
        return ("off", codes, cards, "off", plates)
    return ("off", codes, cards, "open" if cards == "open" else "known", plates)


def takes_tags(rules: dict[str, Any]) -> bool:
    """Whether a lot with these rules has keys for tags."""
    return bool(rules.get(THEME, {}).get("tags"))


def note(stay: Stay) -> None:
    """The stay began with a proven credential."""
    notes = stay.notes or {}
    if THEME not in notes:
        stay.notes = {**notes, THEME: {"proven": True}}


def is_proven(stay: Stay | None) -> bool:
    """Whether the stay began with a proven credential, so that only one may speak for it."""
    return stay is not None and stay.notes is not None and THEME in stay.notes
