"""Limits: who stayed too long, when no car may come in, and who only turned round (docs/rules/limits.md)."""

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.clocks import DAYS, days_around, instant_ms, weekday
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell
from liftgate.sim.world.audit.stays import Stay

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

OUTSIDE_TIMES = 220
NOT_PAID = (402, 403)
TURNED = "turned_round"
DAY_MS = 86_400_000
FOUND_MS = 5_000
"""How much later than its time something may be found, in an engine that runs."""

Span = tuple[int, int]


class Limits(Chapter):
    """Each span is told of once, each stay that is over its limit once and never before; 220 is given at
    entries from the street, within spans only; who leaves within the grace is marked, and nobody else.

    since: when a car came to an area with a limit of its own from another one; over: when a stay was first
    seen to be over its time; shut: when a span was first seen; closing: beginning of the span told last.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.since: dict[bytes, int] = {}
        self.told: set[bytes] = set()
        self.over: dict[bytes, int] = {}
        self.shut: dict[str, int] = {}
        self.closing: dict[str, int] = {}
        self.spans: dict[str, tuple[Any, int, list[Span]]] = {}
        self.was: tuple[Stay, str | None] | None = None
        self.looked_ms = 0

    # -- closing times

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        from_street = look.way == r.IN and lot.outside(look.lane) is None
        if from_street and self.span(lot, look.at_ms) is not None:
            yield OUTSIDE_TIMES

    def span(self, lot: Lot, at_ms: int) -> Span | None:
        """The closed span that holds this time."""
        closed = _rules(lot).get("closed")
        if not closed:
            return None
        day = at_ms // DAY_MS
        known = self.spans.get(lot.id)
        if known is None or known[0] != closed or known[1] != day:
            known = self.spans[lot.id] = (closed, day, _spans(closed, lot.layout.timezone, at_ms))
        return next((span for span in known[2] if span[0] <= at_ms < span[1]), None)

    # -- events

    def judge(self, event: Event, lot: Lot) -> None:
        self.was = None
        kind = event["type"]
        if kind == r.SCAN:
            self._judge_turning(event, lot)
        if kind in (r.SCAN, r.HISTORY, r.PASSAGE):
            stay = self._stay(event, lot)
            self.was = None if stay is None else (stay, stay.area)
        elif kind == r.FINDING and event["kind"] == "overstay":
            self._judge_overstay(event, lot)
        elif kind == r.FINDING and event["kind"] == "closing":
            self._judge_closing(event, lot)

    def _stay(self, event: Event, lot: Lot) -> Stay | None:
        kind = event["what"] if event["type"] == r.HISTORY else event["type"]
        return lot.look(event).stay if kind == r.SCAN else lot.moving(event.get("session"))

    def _judge_turning(self, event: Event, lot: Lot) -> None:
        look, marked = lot.look(event), bool(r.marks(event).get(TURNED))
        grace_ms = 1000 * _rules(lot).get("turn_round_s", 0)
        out = look.way == r.OUT and lot.outside(look.lane) is None and look.stay is not None
        soon = out and look.stay is not None and event["at_ms"] - look.stay.entered_at_ms <= grace_ms
        turns = bool(grace_ms and soon)
        if event["verdict"] == r.OPEN and marked != turns or marked and not turns:
            self.find("turned round", tell(event), f"mark {turns}: the grace is {grace_ms} ms")
        if turns and event["reason"] in NOT_PAID:
            self.find("turned round", tell(event), "nothing to pay for who turned round")

    def _judge_overstay(self, event: Event, lot: Lot) -> None:
        about = event["about"]
        session = bytes.fromhex(about["session"])
        stay = next((each for each in lot.stays.open.values() if each.session == session), None)
        over_ms = None if stay is None else self._over_ms(lot, stay)
        if stay is None or over_ms is None or event["at_ms"] < over_ms or session in self.told:
            self.find("wrong overstay", tell(event), f"once, of a car inside, not before {over_ms}")
            return
        expected = {
            "credential": stay.credential.hex(),
            "area": stay.area,
            "entered_at_ms": stay.entered_at_ms,
            "limit_s": _limit_s(lot, stay),
        }
        if {name: about[name] for name in expected} != expected:
            self.find("wrong overstay", tell(event), f"about {expected}")
        self.told.add(session)
        self.over.pop(session, None)

    def _judge_closing(self, event: Event, lot: Lot) -> None:
        span, about = self.span(lot, event["at_ms"]), event["about"]
        inside = [stay for stay in lot.stays.open.values() if stay.area is not None]
        cars = sum(lot.stays.occupancy(area) for area in lot.layout.parents)
        expected = {"stays": len(inside), "occupancy": cars}
        if span is None or (about["from_ms"], about["to_ms"]) != span:
            self.find("wrong closing", tell(event), f"within a span, here {span}")
        elif span[0] <= self.closing.get(lot.id, 0):
            self.find("closing twice", tell(event), f"{span} was told already")
        elif {name: about[name] for name in expected} != expected:
            self.find("wrong closing", tell(event), f"about {expected}")
        self.closing[lot.id], self.shut[lot.id] = about["from_ms"], 0

    def folded(self, event: Event, lot: Lot) -> None:
        if event["type"] in (r.RULES_SET, r.LOT_CONFIGURED):
            if not _rules(lot).get("closed"):
                self.closing[lot.id] = 0
            self.shut[lot.id] = 0
            self.over.clear()
        elif self.was is not None:
            stay, before = self.was
            by_area = _rules(lot).get("longest_by_area", {})
            if before is not None and stay.area is not None and stay.area != before and stay.area in by_area:
                self.since[stay.session] = event["at_ms"]

    # -- as time goes by

    def _over_ms(self, lot: Lot, stay: Stay) -> int | None:
        """When its time is over, None without a limit."""
        limit_s = _limit_s(lot, stay)
        if not limit_s:
            return None
        own = stay.area in _rules(lot).get("longest_by_area", {})
        since_ms = self.since.get(stay.session, stay.entered_at_ms) if own else stay.entered_at_ms
        return since_ms + 1000 * limit_s

    def record(self, record: r.Record) -> None:
        if record.now_ms >= self.looked_ms + 1_000:
            self._look_all(record.now_ms)

    def _look_all(self, now_ms: int) -> None:
        self.looked_ms = now_ms
        for lot in self.audit.lots.values():
            if "limits" in lot.rules:
                self._look(now_ms, lot)

    def _look(self, now_ms: int, lot: Lot) -> None:
        span = self.span(lot, now_ms)
        untold = span is not None and span[0] > self.closing.get(lot.id, 0)
        seen = self.shut[lot.id] = (self.shut.get(lot.id, 0) or now_ms) if untold else 0
        if self._late(seen, now_ms):
            self.find("no closing", f"lot {lot.id} at {now_ms}", f"a finding at the beginning of {span}")
        for stay in lot.stays.open.values():
            over_ms = None if stay.session in self.told else self._over_ms(lot, stay)
            if over_ms is None or over_ms > now_ms:
                self.over.pop(stay.session, None)
            elif self._late(self.over.setdefault(stay.session, now_ms), now_ms):
                text = f"stay {stay.session.hex()} of {lot.id} at {now_ms}"
                self.find("no overstay", text, f"its time was over at {over_ms}")

    def _late(self, seen_ms: int, now_ms: int) -> bool:
        return bool(seen_ms) and now_ms - max(seen_ms, self.audit.up_ms) > FOUND_MS

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        self._look_all(self.audit.now())


def _rules(lot: Lot) -> dict[str, Any]:
    rules: dict[str, Any] = lot.rules.get("limits", {})
    return rules


def _limit_s(lot: Lot, stay: Stay) -> int:
    """The area's own limit before the class's before the lot's; 0 = none."""
    rules = _rules(lot)
    if stay.area is None:
        return 0
    by_class = rules.get("longest_by_class", {})
    of_class = lot.layout.blocks[stay.place[0]].spot_class if stay.place is not None else None
    found: int = rules.get("longest_by_area", {}).get(
        stay.area, by_class.get(of_class, rules.get("longest_stay_s", 0))
    )
    return found


def _spans(closed: list[dict[str, Any]], timezone: str, at_ms: int) -> list[Span]:
    """Closed spans around a time; those that touch are one, one that ends before it begins is none."""
    begun = []
    for day in days_around(at_ms, timezone, 9, 9):
        for each in closed:
            if weekday(day) in each.get("days", DAYS):
                ends = day + timedelta(days=1) if each["to"] <= each["from"] else day
                begin, end = instant_ms(day, each["from"], timezone), instant_ms(ends, each["to"], timezone)
                begun += [(begin, end)] if begin < end else []
    spans: list[Span] = []
    for begin, end in sorted(begun):
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], end))
        else:
            spans.append((begin, end))
    return spans
