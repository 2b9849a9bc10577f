"""What chargers say of the cars at them, and who stays there full for too long."""

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from liftgate.codecs.events import entitlements as ev
from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.configs.rules.classes import Classes
from liftgate.engine.core.model import Area, Lot, Stay
from liftgate.engine.core.order_args import Actor, OrderRefused
from liftgate.engine.core.parts.base import NEVER, Done, Part, Reply
from liftgate.engine.core.parts.lists import watch_if

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order


THEME = "classes"
BLOCKS_CHARGER = "blocks charger"
FULL = "full"
UNPLUGGED = "unplugged"

CHARGERS_MAX = 10_000
"""Cars at chargers at once, 200 bytes each. A report about one more is refused."""

FINDINGS_PER_TICK = 50
"""Each comes with its ChargerBlocked: together they are what a part may say in a Tick."""


class ChargerReports(msgspec.Struct, forbid_unknown_fields=True):
    """A charger says what the car at it does. It names its spot, the car's session, or both."""

    state: Literal["charging", "full", "unplugged"]
    actor: Actor
    spot: Annotated[str, Meta(max_length=64)] = ""
    session: Annotated[bytes, Meta(min_length=16, max_length=16)] | None = None


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


class Plug(msgspec.Struct, array_like=True):
    """A car at a charger. since_ms: in this state since; told: its finding was made."""

    spot: str
    session: bytes | None
    state: str
    since_ms: int
    told: bool = False


class ClassesPart(Part):
    """Cars at chargers by spot, or by session where the charger knows no spot."""

    THEME = THEME
    ORDERS: ClassVar[Any] = {}
    QUERIES: ClassVar[Any] = {}
    APPLIERS: ClassVar[Any] = {}

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: Classes | None = None
        self.plugs: dict[str, Plug] = {}
        self.places: dict[bytes, str] = {}
        self.watches = False

    def configure(self, rules: msgspec.Struct | None) -> None:
        self.rules = rules if isinstance(rules, Classes) else None
        self.on = self.rules is not None and self.rules.full_grace_s is not None
        self._drop_the_gone()
        self._wait()

    def _drop_the_gone(self) -> None:
        """Forget cars that left while this lot had no rule for chargers: nobody said so then."""
        if self.places:
            there = {stay.session for stay in self.lot.stays.values()}
            for session in [session for session in self.places if session not in there]:
                self._unplug(self.places[session])

    def dump(self) -> Any:
        return list(self.plugs.values()) or None

    def load(self, data: Any) -> None:
        for saved in data:
            self._keep(msgspec.convert(saved, Plug))
        self._wait()

    def moved(self, stay: Stay, before: Area | None) -> None:
        """A car that left the lot left its charger."""
        if stay.area is None and stay.session in self.places:
            self._unplug(self.places[stay.session])
            self._wait()

    def reported(self, event: ev.ChargerReported) -> None:
        """Take a report over what was known of that spot or session."""
        key = place_of(event.spot, event.session)
        before = self.plugs.get(key)
        if before is not None and before.state == event.state and before.session == event.session:
            return
        self._unplug(key)
        if event.session is not None:
            self._unplug(self.places.get(event.session, ""))
        if event.state != UNPLUGGED:
            self._keep(Plug(event.spot, event.session, event.state, event.at_ms))
        self._wait()

    def blocked(self, event: ev.ChargerBlocked) -> None:
        """Its finding was made."""
        plug = self.plugs.get(place_of(event.spot, event.session))
        if plug is not None:
            plug.told = True
        self._wait()

    def _keep(self, plug: Plug) -> None:
        key = place_of(plug.spot, plug.session)
        self.plugs[key] = plug
        if plug.session is not None:
            self.places[plug.session] = key
            watch_if(self, True)

    def _unplug(self, key: str) -> None:
        plug = self.plugs.pop(key, None)
        if plug is not None and plug.session is not None:
            self.places.pop(plug.session, None)
            watch_if(self, bool(self.places))

    def _grace_ms(self) -> int:
        grace_s = self.rules.full_grace_s if self.rules is not None else None
        return NEVER if grace_s is None else grace_s * 1000

    def _blocking(self) -> list[Plug]:
        """Full and not told, in the order in which it became known."""
        return [plug for plug in self.plugs.values() if plug.state == FULL and not plug.told]

    def _wait(self) -> None:
        since = min((plug.since_ms for plug in self._blocking()), default=NEVER)
        self.next_ms = min(since + self._grace_ms(), NEVER)

    def due(self, now_ms: int) -> list[OperatorEvent]:
        found: list[OperatorEvent] = []
        grace_ms = self._grace_ms()
        for plug in self._blocking():
            if plug.since_ms + grace_ms <= now_ms and len(found) < 2 * FINDINGS_PER_TICK:
                found += self._find(plug, now_ms)
        return found

    def _find(self, plug: Plug, now_ms: int) -> tuple[OperatorEvent, OperatorEvent]:
        about = {"spot": plug.spot, "session": plug.session, "full_since_ms": plug.since_ms}
        minutes = (now_ms - plug.since_ms) // 60_000
        where = f"at {plug.spot}" if plug.spot else "at a charger"
        text = f"full for {minutes} minutes and still {where}"
        return (
            FindingMade(self.lot.id, 0, now_ms, BLOCKS_CHARGER, text, about),
            ev.ChargerBlocked(self.lot.id, 0, now_ms, plug.spot, plug.session, plug.since_ms),
        )


def place_of(spot: str, session: bytes | None) -> str:
    """What a car at a charger is known by."""
    return spot or (session or b"").hex()


def _report(lot: Lot, order: "Order", args: ChargerReports) -> Done:
    part = lot.parts.get(THEME)
    if part is None or not part.on:
        raise OrderRefused("no_rules", "this lot has no full_grace_s in its rules for classes")
    stay = _stay_at(lot, args)
    spot = args.spot or (_spot_of(stay) if stay is not None else "")
    session = stay.session if stay is not None else None
    if place_of(spot, session) not in part.plugs and len(part.plugs) >= CHARGERS_MAX:
        raise OrderRefused("too_many", f"at most {CHARGERS_MAX} cars at chargers are known at once")
    event = ev.ChargerReported(lot.id, lot.seq + 1, order.now_ms, spot, session, args.state, args.actor)
    return [event], {"spot": spot, "session": session}


def _stay_at(lot: Lot, args: ChargerReports) -> Stay | None:
    """The stay that the report is about; at a spot it may be nobody's that is known.

    A car before a barrier is at no charger yet: should it never pass, its stay is over without a word.
    """
    inside = (stay for stay in lot.stays.values() if stay.area is not None)
    if args.session is None and not args.spot:
        raise OrderRefused("bad_args", "name a spot or a session")
    if args.session is not None:
        found = next((stay for stay in inside if stay.session == args.session), None)
        if found is None:
            raise OrderRefused("no_such_session", "no car with this session is in")
        return found
    _check_spot(lot, args.spot)
    return next((stay for stay in inside if _spot_of(stay) == args.spot), None)


def _spot_of(stay: Stay) -> str:
    """The spot where it is, "" where it has none with a name."""
    return stay.block.name(stay.number) if stay.block is not None and stay.number else ""


def _check_spot(lot: Lot, spot: str) -> None:
    key, _, number = spot.rpartition("-")
    block = lot.blocks.get(key)
    if block is None or not (number.isascii() and number.isdigit() and 1 <= int(number) <= block.count):
        raise OrderRefused("no_such_spot", f"no spot {spot!r} in this lot")


def _chargers(lot: Lot, args: NoArgs) -> Reply:
    """The first 1,000 cars at chargers, by spot or session."""
    part = lot.parts.get(THEME)
    plugs = {} if part is None else part.plugs
    rows = {
        key: {"state": plug.state, "since_ms": plug.since_ms, "session": plug.session, "blocks": plug.told}
        for key, plug in list(plugs.items())[:500]
    }
    return True, "", {"count": len(plugs), "chargers": rows}


def _apply_report(lot: Lot, event: ev.ChargerReported, position: int) -> None:
    lot.parts[THEME].reported(event)


def _apply_blocked(lot: Lot, event: ev.ChargerBlocked, position: int) -> None:
    lot.parts[THEME].blocked(event)


# Filled, not set: in the compiled build the class is C.
ClassesPart.ORDERS["charger_reports"] = (ChargerReports, _report)
ClassesPart.QUERIES["chargers"] = (NoArgs, _chargers)
ClassesPart.APPLIERS.update({ev.ChargerReported: _apply_report, ev.ChargerBlocked: _apply_blocked})
