"""Tickets and tags: what is genuine, for whom, when, and how often (docs/rules/tickets.md)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

UNKNOWN, NOT_VALID, NOT_GENUINE, USED = 200, 202, 203, 204
QR, TAG = 1, 3
PREFIX = b"LG1:"


class Truth(NamedTuple):
    """What is true of a token, by who made it. name: what its car is known by; of a ticket: lot, from_s,
    until_s, once; of a tag: taps, so many by then, else None.
    """

    name: bytes
    lot: str
    from_s: int
    until_s: int
    once: bool
    taps: int | None


class Tickets(Chapter):
    """A ticket for one entry never opens for a second stay, a tag's counter never goes back, and nothing that
    nobody made opens at all.

    used: tickets for one entry that opened one, with its session; counts: the highest that each tag said, as
    far as it was decided or told; proven: stays that began with a proof, by lot. scan: of the event at hand.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.used: dict[tuple[str, bytes], bytes | None] = {}
        self.counts: dict[tuple[str, bytes], int] = {}
        self.proven: set[bytes] = set()
        self.scan: tuple[int, bytes, Truth | None] | None = None

    def judge(self, event: Event, lot: Lot) -> None:
        self.scan = self._scan(event) if "tickets" in lot.rules else None
        self.audit.shown = None if self.scan is None else self.scan[2]
        if self.scan is None:
            return
        truth = self.scan[2]
        if event["type"] == r.SCAN and event["verdict"] == r.OPEN and truth is not None:
            self._judge_opened(event, lot, truth)

    def _scan(self, event: Event) -> tuple[int, bytes, Truth | None] | None:
        """Kind and token as its reader made them, and what is true of that."""
        if event["type"] != r.SCAN and (event["type"] != r.HISTORY or event["what"] != r.SCAN):
            return None
        made = self.audit.made.get((event["reader"], event["boot"], event["no"]))
        if made is None:
            return None
        kind, token = made.rest[0], made.rest[1]
        return kind, token, self.audit.truth(event["lot"], token)

    def _judge_opened(self, event: Event, lot: Lot, truth: Truth) -> None:
        key = (lot.id, truth.name)
        if truth.once and event["way"] == r.IN and self.used.get(key, event["session"]) != event["session"]:
            if lot.outside(lot.lane(event)) is None:
                self.find("ticket twice", tell(event), "a ticket for one entry opens for one stay")
        if truth.taps is not None and truth.taps <= self.counts.get(key, -1):
            self.find("counter back", tell(event), f"a counter above {self.counts[key]}")

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        if self.scan is None:
            return
        kind, token, truth = self.scan
        if truth is None:
            if kind == TAG or (kind == QR and (token.startswith(PREFIX) or self._is_proven(look))):
                yield NOT_GENUINE
        elif truth.taps is not None:
            if truth.taps <= self.counts.get((lot.id, truth.name), -1):
                yield USED
        elif look.way == r.IN:
            yield from self._of_ticket(look, lot, truth)

    def _is_proven(self, look: Look) -> bool:
        return look.stay is not None and look.stay.session in self.proven

    def _of_ticket(self, look: Look, lot: Lot, truth: Truth) -> Iterable[int]:
        if truth.lot != lot.id:
            yield UNKNOWN
        if not truth.from_s * 1000 <= look.at_ms < truth.until_s * 1000:
            yield NOT_VALID
        if truth.once and lot.outside(look.lane) is None and (lot.id, truth.name) in self.used:
            stay = look.stay
            waits_here = stay is not None and stay.waits and stay.area is None and stay.lane == look.lane.key
            if not waits_here:
                yield USED

    def folded(self, event: Event, lot: Lot) -> None:
        if self.scan is None or self.scan[2] is None:
            return
        truth, live = self.scan[2], event["type"] == r.SCAN
        key = (lot.id, truth.name)
        if truth.taps is not None:
            self.counts[key] = max(truth.taps, self.counts.get(key, -1))
        came_in = event["way"] == r.IN and event["verdict" if live else "verdict_given"] == r.OPEN
        if came_in:
            self.proven.add(event["session"])
            if truth.once:
                self.used[key] = event["session"]
