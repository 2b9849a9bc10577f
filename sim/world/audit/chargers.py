"""Chargers: a full car that stays at its charger beyond the grace is told of, once, and in time."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.charger_orders import grace_ms
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

REPORTED, BLOCKED = 0x48, 0x49
KIND = "blocks charger"
LATE_MS = 5_000
"""How much later than its time it may be told in an engine at rest."""


class Plug:
    """A car at a charger, by what that said last. since_ms: in this state; told: it was found."""

    def __init__(self, event: Event) -> None:
        self.spot, self.session, self.state = event["spot"], event["session"], event["state"]
        self.since_ms = event["at_ms"]
        self.told = False


class Chargers(Chapter):
    """plugs: per lot the cars at chargers, by spot, or by session where there is no spot; pending: per lot
    the finding that is to be followed by what it found.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.plugs: dict[str, dict[Any, Plug]] = {}
        self.pending: dict[str, Event] = {}

    def judge(self, event: Event, lot: Lot) -> None:
        finding = self.pending.pop(lot.id, None)
        if finding is not None and event["type"] != BLOCKED:
            self.find("no charger", tell(finding), f"0x49 next, not {tell(event)}")
        elif event["type"] == r.FINDING and event["kind"] == KIND:
            self.pending[lot.id] = event
        elif event["type"] == BLOCKED:
            self._judge_blocked(event, finding, lot)

    def _judge_blocked(self, event: Event, finding: Event | None, lot: Lot) -> None:
        plug = self._plugs(lot).get(_key(event))
        grace = grace_ms(lot)
        about = {name: event[name] for name in ("spot", "session", "full_since_ms")}
        if finding is None or finding["about"] != about:
            self.find("charger without a finding", tell(event), f"a finding about {about} before it")
        elif plug is None or plug.state != "full" or plug.told or grace is None:
            self.find("wrong charger", tell(event), "a full car at it that was not told of")
        elif (plug.session, plug.since_ms) != (event["session"], event["full_since_ms"]):
            self.find("wrong charger", tell(event), f"session {plug.session!r} since {plug.since_ms}")
        elif event["at_ms"] < plug.since_ms + grace:
            self.find("told too early", tell(event), f"not before {plug.since_ms + grace}")

    def folded(self, event: Event, lot: Lot) -> None:
        plugs = self._plugs(lot)
        if event["type"] == REPORTED:
            self._report(event, plugs)
        elif event["type"] == BLOCKED:
            plugs[_key(event)].told = True
        elif plugs:
            there = {stay.session for stay in lot.stays.open.values()}
            for key in [
                k for k, plug in plugs.items() if plug.session is not None and plug.session not in there
            ]:
                del plugs[key]

    def _report(self, event: Event, plugs: dict[Any, Plug]) -> None:
        """The same again changes nothing; a car is at one charger."""
        before = plugs.get(_key(event))
        if before is not None and (before.state, before.session) == (event["state"], event["session"]):
            return
        for key in [k for k, plug in plugs.items() if k == _key(event) or _same_car(plug, event)]:
            del plugs[key]
        if event["state"] != "unplugged":
            plugs[_key(event)] = Plug(event)

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for lot in self.audit.lots.values():
            grace = grace_ms(lot)
            for plug in self._plugs(lot).values():
                if grace is None or plug.state != "full" or plug.told:
                    continue
                if plug.since_ms + grace + LATE_MS < self.audit.now():
                    text = f"full at {plug.spot or plug.session!r} in {lot.id} since {plug.since_ms}"
                    self.find("never told", text, f"a finding at {plug.since_ms + grace}")

    def _plugs(self, lot: Lot) -> dict[Any, Plug]:
        return self.plugs.setdefault(lot.id, {})


def _key(event: Event) -> Any:
    return event["spot"] or event["session"]


def _same_car(plug: Plug, event: Event) -> bool:
    return plug.session is not None and plug.session == event["session"]
