"""Queries: an answer shows the lot as it was at some moment between question and answer."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import bookings
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.entitled import Pass
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import Lane
from liftgate.sim.world.audit.ledger import counts
from liftgate.sim.world.audit.records import SCAN, Event, plain

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

OPEN_MAX = 8
"""Questions of one service that are watched; what was asked before was lost with its connection."""


class Watch:
    """A question, and everything that would have been right to answer since. views: (ok, code, body)."""

    def __init__(self, lot: str, name: str, args: dict[str, Any]) -> None:
        self.lot = lot
        self.name = name
        self.args = args
        self.views: list[Any] = []

    def note(self, lot: Lot) -> None:
        """Add the lot as it is now, where that makes a difference."""
        view = VIEWS[self.name](lot, self.args)
        if not self.views or self.views[-1] != view:
            self.views.append(view)


class Queries(Chapter):
    """open: per service the questions without an answer, the oldest first."""

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.open: dict[str, deque[Watch]] = {}

    def asked(self, service: str, lot: str, name: str, args: dict[str, Any]) -> None:
        if name in VIEWS and lot in self.audit.lots:
            watch = Watch(lot, name, plain(args))
            watch.note(self.audit.lots[lot])
            self.open.setdefault(service, deque(maxlen=OPEN_MAX)).append(watch)

    def folded(self, event: Event, lot: Lot) -> None:
        for watches in self.open.values():
            for watch in watches:
                if watch.lot == lot.id:
                    watch.note(lot)

    def answer(
        self, service: str, lot: str, name: str, args: dict[str, Any], ok: bool, code: str, body: Any
    ) -> None:
        if name == "why":
            self._judge_why(lot, args, ok, body)
        watches = self.open.get(service, deque())
        question = (lot, name, plain(args))
        asked = [watch for watch in watches if (watch.lot, watch.name, watch.args) == question]
        if not asked:
            return
        said = (ok, code, _judged(name, plain(body)) if ok or name not in REFUSED else {})
        if said not in asked[0].views:
            expected = f"one of {asked[0].views[-5:]}"
            self.find("query otherwise", f"{name} of {lot}, {args}: {said}", expected)
        watches.remove(asked[0])

    def _judge_why(self, lot: str, args: dict[str, Any], ok: bool, body: Any) -> None:
        """A decision that is explained is the one on record."""
        event = self.audit.recorded.get((args["reader"], args["boot"], args["no"]))
        if not ok:
            return
        fields = ("verdict", "reason") if event and event["type"] == SCAN else ("verdict_given", "finding")
        if event is None or [body["verdict"], body["reason"]] != [event.get(name) for name in fields]:
            self.find("query otherwise", f"why of {args}: {body}", f"{event}, as on record")


View = tuple[bool, str, Any]


def _occupancy(lot: Lot, args: dict[str, Any]) -> View:
    return True, "", counts(lot)


def _session(lot: Lot, args: dict[str, Any]) -> View:
    kinds = [args["kind"]] if args.get("kind") is not None else [1, 2, 3, 4]
    for kind in kinds:
        stay = lot.stay(bytes([kind]) + args["credential"])
        if stay is not None:
            return True, "", lot.told(stay) | {"moving": stay.waits, "paid_until_ms": 0}
    return False, "no_session", {}


def _doubtful(lot: Lot, args: dict[str, Any]) -> View:
    """How many stays are not believed, in all and by area; what went unseen, and until when that matters."""
    areas = [stay.area for stay in lot.stays.open.values() if stay.forgiven and stay.area is not None]
    counted = {"doubtful": len(areas), "areas": {area: areas.count(area) for area in areas}}
    nameless = {area: {"in": found[0], "out": found[1]} for area, found in lot.unseen.nameless.items()}
    return True, "", {**counted, "unseen_until_ms": dict(lot.unseen.until), "unnamed": nameless}


def _open_stays(lot: Lot, args: dict[str, Any]) -> View:
    """Those that began before a time. Which of several that began at one moment comes first is not judged."""
    early = [stay for stay in lot.stays.open.values() if stay.entered_at_ms < args["entered_before_ms"]]
    shown = sorted(early, key=lambda stay: stay.entered_at_ms)[: args.get("limit", 50)]
    told = sorted(({**lot.told(stay), "kind": stay.credential[0]} for stay in shown), key=_oldest)
    return True, "", plain({"count": len(early), "stays": told})


def _oldest(told: dict[str, Any]) -> tuple[int, Any]:
    return told["entered_at_ms"], told["session"]


def _lost_credentials(lot: Lot, args: dict[str, Any]) -> View:
    newest = list(lot.unseen.lost.items())[::-1]
    lost = [{"kind": name[0], "token": name[1:], "at_ms": at_ms} for name, at_ms in newest[:100]]
    return True, "", plain({"count": len(newest), "lost": lost})


def _lanes(lot: Lot, args: dict[str, Any]) -> View:
    return True, "", {f"{reader}/{no}": _lane(lot, lane) for (reader, no), lane in lot.layout.lanes.items()}


def _ledger(lot: Lot, args: dict[str, Any]) -> View:
    """Of all areas, or the sum of one: its last entries and the words are not judged."""
    theme = lot.themes.get("ledger")
    if theme is None:
        return False, "not_configured", {}
    area, body = args.get("area"), theme()
    if area is None:
        return True, "", plain(body)
    return (True, "", plain(body["areas"][area])) if area in body["areas"] else (False, "no_such_area", {})


def _reconciliation(lot: Lot, args: dict[str, Any]) -> View:
    theme = lot.themes.get("reconciliation")
    if theme is None:
        return False, "not_configured", {}
    rows = [row for row in theme() if row["difference"] or not args.get("differing")]
    return True, "", {"rows": plain(rows[:100]), "left_out": max(0, len(rows) - 100)}


def _judged(name: str, body: Any) -> Any:
    """What is judged here of an answer."""
    if name == "open_stays":
        return body | {"stays": sorted(body["stays"], key=_oldest)}
    if name != "ledger":
        return body
    return {key: said for key, said in body.items() if key not in ("entries", "words")}


def _lane(lot: Lot, lane: Lane) -> dict[str, Any]:
    barrier, loop, faults = lot.states.get(lane.key, (0, False, []))
    reported = {"barrier": barrier, "loop": loop, "faults": faults}
    body = {"direction": lane.direction, "area": lane.area, "mode": lot.mode(lane)} | reported
    at, setting = lot.modes.over(lane)
    if setting is not None:
        body["mode_set"] = {"at": at} | setting.told()
    if lane.reader in lot.lanes.down:
        body["down_since_ms"] = lot.lanes.down[lane.reader]
    if lane.key in lot.lanes.tides:
        body["tide"] = lot.lanes.tides[lane.key]._asdict()
    return body


def _modes(lot: Lot, args: dict[str, Any]) -> View:
    stacks = lot.modes.stacks
    return True, "", {at: [setting.told() for setting in stack] for at, stack in stacks.items()}


def _plans(lot: Lot, args: dict[str, Any]) -> View:
    plans = {name: plan.told() for name, plan in lot.lanes.plans.items()}
    return True, "", {"plans": plans, "held": lot.lanes.held()}


def _passes(lot: Lot, args: dict[str, Any]) -> View:
    credential = bytes([args["kind"]]) + args["token"]
    held = [_pass(each) for each in lot.entitled.passes_of(credential)]
    short = [{name: value for name, value in each.items() if name != "credentials"} for each in held]
    return True, "", {"passes": short, "group": lot.entitled.group_of(credential)}


def _pass(found: Pass) -> dict[str, Any]:
    return found.spec | {"used": found.used}


def _pass_named(lot: Lot, args: dict[str, Any]) -> View:
    found = lot.entitled.passes.get(args["name"])
    return (False, "no_such_pass", {}) if found is None else (True, "", _pass(found))


def _group_named(lot: Lot, args: dict[str, Any]) -> View:
    name, group = args["name"], lot.entitled.groups.get(args["name"])
    if group is None:
        return False, "no_such_group", {}
    use = lot.entitled.use
    areas = {a: {"limit": limit, "count": use(lot, name, a)} for a, limit in group.areas.items()}
    head = {"limit": group.limit, "count": use(lot, name), "areas": areas, "over": group.over}
    return True, "", head | {"members": len(group.members), "shown": list(group.members)}


def _groups(lot: Lot, args: dict[str, Any]) -> View:
    entitled = lot.entitled
    rows = {n: [entitled.use(lot, n), g.limit, len(g.members)] for n, g in entitled.groups.items()}
    return True, "", rows


REFUSED = ("reservations", "availability")
"""Questions that may be refused, with a text for people that is not judged."""

VIEWS: dict[str, Callable[[Lot, dict[str, Any]], View]] = {
    "occupancy": _occupancy,
    "session": _session,
    "lanes": _lanes,
    "modes": _modes,
    "plans": _plans,
    "passes": _passes,
    "pass": _pass_named,
    "group": _group_named,
    "groups": _groups,
    "ledger": _ledger,
    "reconciliation": _reconciliation,
    "reservations": bookings.reservations,
    "availability": bookings.availability,
    "doubtful": _doubtful,
    "open_stays": _open_stays,
    "lost_credentials": _lost_credentials,
}
