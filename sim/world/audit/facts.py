"""All that is on record of one lot: what the chapters judge the next record against."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit import stay_facts
from liftgate.sim.world.audit.book import Book
from liftgate.sim.world.audit.chapter import Look
from liftgate.sim.world.audit.entitled import Entitled
from liftgate.sim.world.audit.layout import Lane, Layout
from liftgate.sim.world.audit.modes import Modes, Setting, at_lane
from liftgate.sim.world.audit.plans import LaneFacts, Plan
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.registered import Registry
from liftgate.sim.world.audit.stays import Place, Stay, Stays
from liftgate.sim.world.audit.unseen import Unseen


class Lot:
    """The facts of one lot, folded from its records.

    modes: of lanes, by scope; lanes: plans, tides and silence; states: lane → (barrier, loop, faults) as
    reported; denied: credential → reason; known: credential → classes of spot; rules: by theme, as they hold
    now; themes: what chapters know of a theme, for queries about it; entitled: passes and groups (folded by
    their chapter); unseen: doubt, followers, plates that wait; registry: registered readers.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.seq = 0
        self.layout = Layout()
        self.stays = Stays(self.layout)
        self.modes = Modes(self.layout)
        self.lanes = LaneFacts(self.layout)
        self.states: dict[tuple[str, int], tuple[int, bool, list[str]]] = {}
        self.denied: dict[bytes, str] = {}
        self.known: dict[bytes, list[str]] = {}
        self.rules: dict[str, Any] = {}
        self.book = Book(self)
        self.themes: dict[str, Any] = {}
        self.entitled = Entitled()
        self.unseen = Unseen(self)
        self.registry = Registry()

    def fold(self, event: Event) -> None:
        """Take in what an event says. Chapters have judged it: it fits."""
        self.seq = event["seq"]
        held = self.unseen.held() if event["type"] not in r.READER_EVENTS else set()
        _FOLDS[event["type"]](self, event)
        self.book.fold(event)
        if held:
            self.unseen.no_more_held(held)

    def lane(self, event: Event) -> Lane:
        """The lane that a reader's event was at."""
        return self.layout.lanes[event["reader"], event["lane"]]

    def mode(self, lane: Lane) -> int:
        return self.modes.mode(lane)

    def stay(self, credential: bytes) -> Stay | None:
        return self.stays.open.get(credential)

    def moving(self, session: bytes | None) -> Stay | None:
        """The stay of that session, if it is before an opened barrier or was until its time ran out."""
        if session is None:
            return None
        return self.stays.waiting.get(session) or self.stays.lapsed.get(session)

    def outside(self, lane: Lane) -> str | None:
        """What lies on the other side of a lane's area."""
        return self.layout.parents[lane.area]

    def way_of(self, lane: Lane, stay: Stay | None) -> int:
        """In or out; a lane for both lets out who is inside."""
        if lane.direction == "both":
            inside = stay is not None and stay.area is not None and self.layout.within(stay.area, lane.area)
            return r.OUT if inside else r.IN
        return r.OUT if lane.direction == "exit" else r.IN

    def told(self, stay: Stay) -> dict[str, Any]:
        """A stay as orders, their events and queries tell it."""
        spot = self.layout.spot_name(stay.to_place if stay.waits else stay.place)
        head = {"session": stay.session, "entered_at_ms": stay.entered_at_ms}
        return {**head, "area": stay.area, "spot": spot}

    def place(self, name: str | None) -> Place | None:
        """What the name of a spot stands for: a block's own name, or a block and a number."""
        if name is None:
            return None
        if name in self.layout.blocks:
            return name, 0
        block, _, number = name.rpartition("-")
        return block, int(number)

    def look(self, event: Event) -> Look:
        """A recorded scan, live or told later, as the rules see it now."""
        kind, token = (event["kind"], event["token"]) if event["type"] == r.SCAN else event["detail"][:2]
        lane, name = self.lane(event), r.credential(kind, token)
        stay = self.stay(name)
        return Look(lane, self.way_of(lane, stay), kind, name, stay, event["at_ms"], event["now_ms"])


# -- scans


def _scan(lot: Lot, event: Event) -> None:
    marks = r.marks(event)
    if "witness" in marks:
        lot.unseen.plates[lot.lane(event).key] = marks["witness"], event["at_ms"]
    if event["verdict"] == r.OPEN and event["effect"] != r.NOTHING:
        stay = _opened(lot, event, event["effect"] == r.MOVED)
        lot.unseen.opened(event)
        if stay is not None and event["way"] == r.IN and "plate" in marks:
            stay.plate = marks["plate"]


def _opened(lot: Lot, event: Event, now: bool) -> Stay | None:
    """A barrier went up: the car is where it leads, or will be once it passed. Gives its stay if any."""
    look, stays = lot.look(event), lot.stays
    stay, to, place = look.stay, lot.outside(look.lane), None
    if event["way"] == r.IN:
        stay = stays.enter(look.credential, event["session"], event["at_ms"])
        to, place = look.lane.area, lot.place(event["spot"])
        if _is_timed_inner(lot, look.lane):
            stay.inner_entry = look.lane.area, event["at_ms"]
    elif stay is None and event["session"] is not None:
        stay = Stay(event["session"], look.credential, event["at_ms"])
        stays.forgiven.discard(look.credential)
        stays.name(stay, look.lane.area)
    if stay is None:
        stays.forgiven.discard(look.credential)
        if now:
            stays.unnamed(look.lane.area, False)
    elif now:
        stays.move(stay, to, place)
    else:
        stays.promise(stay, look.lane, to, place, event["at_ms"])
    return stay


def _is_timed_inner(lot: Lot, lane: Lane) -> bool:
    """Whether the last entry of the lane's own area matters."""
    rules = lot.rules.get("passback", {})
    timed = rules.get("areas", {}).get(lane.area, rules.get("mode", "hard")) == "timed"
    return timed and lot.outside(lane) is not None


def _passage(lot: Lot, event: Event) -> None:
    _moved(lot, event)
    lot.unseen.passage(event, event["detail"][0] if event["type"] == r.HISTORY else event["what"])


def _moved(lot: Lot, event: Event) -> None:
    if event["effect"] == "adrift":
        lot.stays.unnamed(lot.lane(event).area, event["way"] == r.IN)
    elif event["effect"] == "moved":
        lot.stays.passed(event["session"])
    elif event["effect"] == "withdrawn":
        lot.stays.withdraw(event["session"])


def _lane(lot: Lot, event: Event) -> None:
    lot.states[event["reader"], event["lane"]] = (event["barrier"], event["loop"], event["faults"])


def _history(lot: Lot, event: Event) -> None:
    if event["what"] == r.PASSAGE:
        _passage(lot, event)
    elif event["what"] == r.LANE:
        lot.states[event["reader"], event["lane"]] = tuple(event["detail"])
    elif event["verdict_given"] == r.OPEN:
        _history_scan(lot, event)


def _history_scan(lot: Lot, event: Event) -> None:
    lot.stays.forgiven.discard(lot.look(event).credential)
    if event["effect"] == "adrift":
        lot.stays.unnamed(lot.lane(event).area, False)
        lot.unseen.seen(lot.lane(event).area, r.IN)
    elif event["effect"]:
        _opened(lot, event, event["effect"] == "moved")


# -- configuration and orders


def _lot_configured(lot: Lot, event: Event) -> None:
    """What was ordered of rules holds until the file says something new about them."""
    before, rules = lot.layout.spec.get("rules", {}), event["spec"].get("rules", {})
    if rules != before:
        lot.rules = rules
    lot.layout.set_lot(event["spec"])
    lot.stays.resettle()
    _relink_lanes(lot)


def _reader_configured(lot: Lot, event: Event) -> None:
    reader = event["reader"]
    lot.layout.set_reader(reader, event["lanes"])
    lot.stays.leave_lanes(reader)
    lot.states = {lane: state for lane, state in lot.states.items() if lane[0] != reader}
    lot.unseen.plates = {lane: seen for lane, seen in lot.unseen.plates.items() if lane in lot.layout.lanes}
    _relink_lanes(lot)


def _relink_lanes(lot: Lot) -> None:
    """What lanes are there, or their rules, changed; a silence that is not watched any more is none."""
    lot.modes.prune()
    lot.lanes.relink()
    if not lot.rules.get("lanes", {"down_after_s": 0}).get("down_after_s", 180):
        lot.lanes.down.clear()


def _lapsed(lot: Lot, event: Event) -> None:
    lot.stays.lapse(event["session"])


def _corrected(lot: Lot, event: Event) -> None:
    adrift = lot.stays.adrift
    adrift[event["area"]] = adrift.get(event["area"], 0) + event["after"] - event["before"]
    lot.unseen.nameless.pop(event["area"], None)


def _recounted(lot: Lot, event: Event) -> None:
    adrift = lot.stays.adrift
    for area, before, after in event["areas"]:
        adrift[area] = adrift.get(area, 0) + after - before
        lot.unseen.nameless.pop(area, None)


def _mode_set(lot: Lot, event: Event) -> None:
    setting = Setting(event["mode"], 0, event["actor"], event["reason"], event["at_ms"])
    lot.modes.set(at_lane(event["reader"], event["lane"]), setting)


def _mode_set_at(lot: Lot, event: Event) -> None:
    names = ("mode", "until_ms", "actor", "reason", "at_ms", "plan", "step")
    lot.modes.set(event["at"], Setting(*(event[name] for name in names)))
    lot.lanes.stepped(event)


def _mode_ended(lot: Lot, event: Event) -> None:
    lot.modes.end(event["at"], event["plan"], event["step"], event["until_ms"])
    lot.lanes.stepped(event)


def _planned(lot: Lot, event: Event) -> None:
    lot.lanes.plans[event["name"]] = Plan(event)


def _plan_over(lot: Lot, event: Event) -> None:
    lot.lanes.plans.pop(event["name"], None)


def _places_held(lot: Lot, event: Event) -> None:
    lot.lanes.places_held(event)


def _tide_turned(lot: Lot, event: Event) -> None:
    lot.lanes.turned(event, lot.rules)


def _down(lot: Lot, event: Event) -> None:
    lot.lanes.down[event["reader"]] = event["since_ms"]


def _up(lot: Lot, event: Event) -> None:
    lot.lanes.down.pop(event["reader"], None)


def _denied(lot: Lot, event: Event) -> None:
    lot.denied[event["credential"]] = event["reason"]


def _allowed(lot: Lot, event: Event) -> None:
    lot.denied.pop(event["credential"], None)


def _registered(lot: Lot, event: Event) -> None:
    lot.known[event["credential"]] = event["classes"]


def _forgotten(lot: Lot, event: Event) -> None:
    lot.known.pop(event["credential"], None)


def _rules_set(lot: Lot, event: Event) -> None:
    lot.rules = event["rules"]
    _relink_lanes(lot)


def _nothing(lot: Lot, event: Event) -> None:
    """What was done at a barrier or a display, and that a command is done, leave nothing to remember."""


def _of_registry(lot: Lot, event: Event) -> None:
    lot.registry.fold(event)


_FOLDS = {
    r.SCAN: _scan,
    r.PASSAGE: _passage,
    r.LANE: _lane,
    r.HISTORY: _history,
    r.LOT_CONFIGURED: _lot_configured,
    r.READER_CONFIGURED: _reader_configured,
    r.LAPSED: _lapsed,
    r.DONE: _nothing,
    r.CORRECTED: _corrected,
    r.MODE_SET: _mode_set,
    r.VENDED: _nothing,
    r.SHOWN: _nothing,
    r.DENIED: _denied,
    r.ALLOWED: _allowed,
    r.REGISTERED: _registered,
    r.FORGOTTEN: _forgotten,
    r.RULES_SET: _rules_set,
    r.FINDING: _nothing,
    r.RECOUNTED: _recounted,
    r.REPORTED: _nothing,
    r.RECONCILED: _nothing,
    r.MODE_SET_AT: _mode_set_at,
    r.MODE_ENDED: _mode_ended,
    r.PLANNED: _planned,
    r.PLAN_CANCELLED: _plan_over,
    r.PLAN_ENDED: _plan_over,
    r.PLACES_HELD: _places_held,
    r.RATE_EXCEEDED: _nothing,
    r.LANE_DOWN: _down,
    r.LANE_UP: _up,
    r.TIDE_TURNED: _tide_turned,
    **dict.fromkeys(r.OF_REGISTRY, _of_registry),
    r.ALONE: _nothing,
    **dict.fromkeys((0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x48, 0x49), _nothing),
    r.RESERVED: _nothing,
    r.RESERVATION_CHANGED: _nothing,
    r.RESERVATION_CANCELLED: _nothing,
    r.HOLD_GROWN: _nothing,
    r.RESERVATION_OPENED: _nothing,
    r.RESERVATION_RELEASED: _nothing,
    r.OFFERED: _nothing,
    r.OFFER_ACCEPTED: _nothing,
    r.OVERSTAYED: _nothing,
    r.TURNED_AWAY: _nothing,
    r.SPOT_WITHHELD: _nothing,
    r.ARRIVAL_WITHDRAWN: _nothing,
    **stay_facts.FOLDS,
}
