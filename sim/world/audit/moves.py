"""Moves: what a scan or a passage did to a car, and promises that are kept, withdrawn or lapse in time."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import Lane
from liftgate.sim.world.audit.records import Event, tell
from liftgate.sim.world.audit.stays import Stay

PASSED, BACKED_OUT, FOLLOWED = 1, 2, 3
LATE_MS = 2_000
"""How much later than its time a promise may lapse in an engine at rest, which looks four times a second."""


class Moves(Chapter):
    """A lane that confirms promises, another moves at once; a passage is about the stay that it names, else
    the one that waits longest at its lane (of history: that waited there then).
    """

    def judge(self, event: Event, lot: Lot) -> None:
        kind = event["what"] if event["type"] == r.HISTORY else event["type"]
        if kind == r.SCAN:
            self._judge_scan(event, lot)
        elif kind == r.PASSAGE:
            self._judge_passage(event, lot)
        elif kind == r.LAPSED:
            self._judge_lapse(event, lot)

    def _expect(self, event: Event, expected: dict[str, Any]) -> None:
        if any(event[name] != value for name, value in expected.items()):
            self.find("wrong move", tell(event), f"{expected}")

    def _judge_scan(self, event: Event, lot: Lot) -> None:
        look = lot.look(event)
        effect = _scan_effect(event, look)
        self._expect(event, {"way": look.way, "area": look.lane.area, "effect": effect})

    def _judge_passage(self, event: Event, lot: Lot) -> None:
        lane, history = lot.lane(event), event["type"] == r.HISTORY
        what, told = event["detail"] if history else (event["what"], event["session"])
        stay = None
        if what in (PASSED, BACKED_OUT):
            stay = self._about(event, lane, told, lot)
        way = lot.way_of(lane, stay)
        expected = {"way": way, "area": lane.area, "effect": _passage_effect(lane, what, stay)}
        self._expect(event, expected | {"session": told if stay is None else stay.session})

    def _about(self, event: Event, lane: Lane, told: bytes | None, lot: Lot) -> Stay | None:
        """The stay that a passage is about. A live event names the one it was found to be about."""
        if event["type"] == r.HISTORY:
            return lot.moving(told) or _waited(lane, event["at_ms"], lot)
        named = self.audit.made[event["reader"], event["boot"], event["no"]].rest[1:]
        if named and named[0] is not None:
            return lot.moving(named[0])
        return next(iter(lot.stays.at_lane(lane)), None)

    def _judge_lapse(self, event: Event, lot: Lot) -> None:
        stay = lot.stays.waiting.get(event["session"])
        if stay is None:
            self.find("wrong lapse", tell(event), "somebody before a barrier")
        elif event["at_ms"] < stay.since_ms + lot.layout.confirm_ms:
            self.find("wrong lapse", tell(event), f"not before {stay.since_ms + lot.layout.confirm_ms}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for lot in self.audit.lots.values():
            for stay in lot.stays.waiting.values():
                due_ms = stay.since_ms + lot.layout.confirm_ms
                if due_ms + LATE_MS < self.audit.now():
                    text = f"stay {stay.session.hex()} waits at {stay.lane} since {stay.since_ms}"
                    self.find("never lapsed", text, f"it lapsed at {due_ms}")


def _scan_effect(event: Event, look: Look) -> Any:
    """What an opened barrier does. Whoever leaves unknown is counted by their passage where there is one."""
    if event["type"] == r.SCAN:
        if event["verdict"] != r.OPEN:
            return r.NOTHING
        return r.PROMISED if look.lane.confirm else r.MOVED
    if event["verdict_given"] != r.OPEN:
        return ""
    if look.way == r.OUT and look.stay is None:
        return "" if look.lane.confirm else "adrift"
    return "promised" if look.lane.confirm else "moved"


def _passage_effect(lane: Lane, what: int, stay: Stay | None) -> str:
    """What a passage counts; a forced barrier counts nobody."""
    if what == FOLLOWED or (what == PASSED and stay is None and lane.confirm):
        return "adrift"
    if stay is None:
        return ""
    return {PASSED: "moved", BACKED_OUT: "withdrawn"}[what]


def _waited(lane: Lane, at_ms: int, lot: Lot) -> Stay | None:
    """Who waited at a lane at that time, the longest of them."""
    span = lot.layout.confirm_ms
    stays = [*lot.stays.waiting.values(), *lot.stays.lapsed.values()]
    waited = [s for s in stays if s.lane == lane.key and s.since_ms <= at_ms <= s.since_ms + span]
    return min(waited, key=lambda stay: stay.since_ms, default=None)
