"""Orders of lanes: what each should put on record, should answer, and what may speak against it."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.modes import LOT, Setting, Stacks, at_lane, with_new
from liftgate.sim.world.audit.plans import scheduled, tide_rules
from liftgate.sim.world.audit.records import Event

ENDS = ("until_ms?", "for_s?")
TAKES: dict[str, tuple[str, ...]] = {
    "set_lane": ("reader", "lane", "mode", "actor", "reason?", *ENDS),
    "set_mode": ("scope", "mode", "actor", "area?", "reader?", "lane?", "reason?", *ENDS),
    "set_tide": ("reader", "lane", "run", "actor", "reason?", *ENDS),
    "plan_event": ("name", "from_ms", "to_ms", "actor", "steps?", "holds?", "reason?"),
    "cancel_plan": ("name", "actor", "reason?"),
}
MADE = (r.MODE_SET, r.MODE_SET_AT, r.MODE_ENDED, r.PLANNED, r.PLAN_CANCELLED, r.TIDE_TURNED)
PLANS_MAX = NAMED_MAX = 32


def ordered(event: Event) -> bool:
    """Whether an order made it, and not time or a plan."""
    if event["type"] == r.MODE_SET_AT:
        return not event["plan"]
    return event["type"] in MADE and bool(event["actor"])


class Before:
    """What an order of lanes finds: taken right before its first event."""

    def __init__(self, lot: Lot) -> None:
        self.stacks: Stacks = dict(lot.modes.stacks)
        self.tides = dict(lot.lanes.tides)


def until_of(args: dict[str, Any], now_ms: int) -> int:
    """When what is ordered is over, 0 for never."""
    if args.get("for_s") is not None:
        return int(now_ms + 1000 * args["for_s"])
    return int(args.get("until_ms") or 0)


def scope_of(args: dict[str, Any]) -> str:
    """The scope's name on record."""
    if args["scope"] == "lane":
        return at_lane(args["reader"], args["lane"])
    return LOT if args["scope"] == "lot" else f"area/{args['area']}"


# -- what it does


def effects(name: str, args: dict[str, Any], before: Before, lot: Lot, now_ms: int) -> list[dict[str, Any]]:
    """The events that the order should make, as far as its args give them. What a plan ends as it is
    cancelled is the plan's to say.
    """
    said = {"actor": args["actor"], "reason": args.get("reason", "")}
    until_ms = until_of(args, now_ms)
    match name:
        case "set_lane" if not until_ms:
            where = {"reader": args["reader"], "lane": args["lane"]}
            return [{"type": r.MODE_SET, "mode": args["mode"], **where, **said}]
        case "set_lane":
            at = at_lane(args["reader"], args["lane"])
            return [_set(at, args["mode"], until_ms) | said]
        case "set_mode" if args["mode"]:
            return [_set(scope_of(args), args["mode"], until_ms) | said]
        case "set_mode":
            at = scope_of(args)
            hand = [setting for setting in before.stacks.get(at, ()) if not setting.plan]
            return [_set(at, s.mode, s.until_ms) | {"type": r.MODE_ENDED} | said for s in hand]
        case "set_tide":
            names = ("reader", "lane", "run")
            until_ms = until_ms or _tide_until(args, lot, now_ms)
            return [{"type": r.TIDE_TURNED, "until_ms": until_ms} | {n: args[n] for n in names} | said]
        case "plan_event":
            return [{"type": r.PLANNED} | _plan(args) | said]
    return [{"type": r.PLAN_CANCELLED, "name": args["name"]} | said]


def _set(at: str, mode: int, until_ms: int) -> dict[str, Any]:
    return {"type": r.MODE_SET_AT, "at": at, "mode": mode, "until_ms": until_ms, "plan": "", "step": 0}


def _tide_until(args: dict[str, Any], lot: Lot, now_ms: int) -> int:
    """Without an end it holds until the schedule turns the lane next."""
    return scheduled(tide_rules(lot.rules, (args["reader"], args["lane"])), lot.layout.timezone, now_ms)[1]


def _plan(args: dict[str, Any]) -> dict[str, Any]:
    start, end = args["from_ms"], args["to_ms"]

    def span(part: dict[str, Any]) -> list[int]:
        return [part.get("from_ms") or start, part.get("to_ms") or end]

    steps = [[*span(step), scope_of(step), step["mode"]] for step in args.get("steps", ())]
    holds = [[*span(hold), hold["area"], hold["places"]] for hold in args.get("holds", ())]
    return {"name": args["name"], "from_ms": start, "to_ms": end, "steps": steps, "holds": holds}


# -- what it answers


def body(name: str, args: dict[str, Any], before: Before, lot: Lot, done: list[Event]) -> dict[str, Any]:
    """The body of its outcome. done: its events, with the ends of a plan's holds."""
    now_ms = done[-1]["at_ms"]
    match name:
        case "set_lane":
            lane = lot.layout.lanes[args["reader"], args["lane"]]
            return {"before": lot.modes.mode(lane, before.stacks), "after": args["mode"]}
        case "set_mode":
            return _changes(args, before, lot, now_ms)
        case "set_tide":
            was = before.tides.get((args["reader"], args["lane"]))
            turned = {key: done[-1][key] for key in ("clear_until_ms", "until_ms")}
            return {"before": was.run if was else "off", "after": args["run"]} | turned
        case "plan_event":
            return {part: len(args.get(part, ())) for part in ("steps", "holds")}
    return {"ended": len(done) - 1}


def _changes(args: dict[str, Any], before: Before, lot: Lot, now_ms: int) -> dict[str, Any]:
    """Lanes that change, and those that something more specific keeps as they are, in any order."""
    at, modes, stack = scope_of(args), lot.modes, before.stacks.get(scope_of(args), ())
    after = tuple(setting for setting in stack if setting.plan)
    if args["mode"]:
        after = with_new(stack, Setting(args["mode"], until_of(args, now_ms), "", "", now_ms))
    stacks = {**before.stacks, at: after}
    changed, kept = [], []
    for lane in lot.layout.lanes.values():
        name = f"{lane.reader}/{lane.number}"
        if modes.mode(lane, stacks) != modes.mode(lane, before.stacks):
            changed.append(name)
        elif after and modes.reaches(at, lane) and modes.over(lane, stacks)[0] != at:
            kept.append(name)
    counts = {"changed_count": len(changed), "kept_count": len(kept)}
    return counts | {"changed": sorted(changed), "kept": sorted(kept)}


def in_order(body: dict[str, Any]) -> dict[str, Any]:
    """An outcome with its lanes in the order of their names: which order they have is not promised."""
    return {key: sorted(value) if isinstance(value, list) else value for key, value in body.items()}


# -- what speaks against it


def refusals(name: str, args: dict[str, Any], lot: Lot, now_ms: int) -> set[str]:
    """The codes that may refuse it."""
    takes = TAKES[name]
    must = {arg for arg in takes if not arg.endswith("?")}
    if not must <= set(args) <= {arg.rstrip("?") for arg in takes}:
        return {"bad_args"}
    codes = _places(name, args, lot) | (set() if _good(name, args) else {"bad_args"})
    if name in ("set_tide", "plan_event") and "lanes" not in lot.rules:
        codes.add("no_rules")
    over_ms = args.get("to_ms", args.get("until_ms"))
    if over_ms is not None and over_ms <= max(now_ms, args.get("from_ms", 0)):
        codes.add("over_already")
    if name == "set_mode" and not args["mode"] and not lot.modes.by_hand(scope_of(args)):
        codes.add("not_set")
    return codes | _of_plans(name, args, lot)


def _good(name: str, args: dict[str, Any]) -> bool:
    """Whether values are within their bounds, as far as worlds draw others."""
    low = 0 if name == "set_mode" else 1
    if args.get("until_ms") is not None and args.get("for_s") is not None:
        return False
    if not low <= args.get("mode", 1) <= 5 or args.get("run", "in") not in ("in", "out", "closed", "off"):
        return False
    if name != "plan_event":
        return True
    parts = [*args.get("steps", ()), *args.get("holds", ())]
    start, end = args["from_ms"], args["to_ms"]
    spans = [(part.get("from_ms") or start, part.get("to_ms") or end) for part in parts]
    within = all(start <= low < high <= end for low, high in spans) or end <= start
    return bool(parts) and len(args.get("steps", ())) <= 32 and len(args.get("holds", ())) <= 32 and within


def _places(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    """Lanes and areas that are named and not there, and a tide for a lane of one way."""
    codes = set()
    for part in [args, *args.get("steps", ()), *args.get("holds", ())]:
        lane = lot.layout.lanes.get((part.get("reader"), part.get("lane")))
        if part.get("reader") is not None and lane is None:
            codes.add("no_such_lane")
        if part.get("area") is not None and part["area"] not in lot.layout.parents:
            codes.add("no_such_area")
        if name == "set_tide" and lane is not None and lane.direction != "both":
            codes.add("one_way")
    return codes


def _of_plans(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    plans = lot.lanes.plans
    if name == "cancel_plan":
        return set() if args["name"] in plans else {"no_such_plan"}
    if name != "plan_event":
        return set()
    codes = {"plan_exists"} if args["name"] in plans else set()
    return codes | ({"too_many"} if len(plans) >= PLANS_MAX else set())
