"""What each order should put on record, should answer, and what may speak against it.

A coming order adds its line to ORDERS, and where it needs them to the two functions at the end.
"""

from typing import Any

from liftgate.sim.world.audit import bookings, lane_orders, registry_orders, stay_orders
from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.charger_orders import CHARGERS
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.pass_orders import PASS_ORDERS, PASSES
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.theme import Theme

_OF_PASS = ("valid_from?", "valid_until?", "weekly?", "areas?", "classes?", "uses?", "host?", "reason?")

ORDERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "correct_count": (r.CORRECTED, ("area", "to", "actor", "reason")),
    "open_lane": (r.VENDED, ("reader", "lane", "cause", "actor")),
    "display": (r.SHOWN, ("reader", "lane", "text", "seconds", "actor")),
    "deny_credential": (r.DENIED, ("kind", "token", "actor", "reason?")),
    "allow_credential": (r.ALLOWED, ("kind", "token", "actor", "reason?")),
    "register_credential": (r.REGISTERED, ("kind", "token", "actor", "classes?")),
    "forget_credential": (r.FORGOTTEN, ("kind", "token", "actor", "reason?")),
    "reset_passback": (r.RESET, ("kind", "token", "actor", "reason?")),
    "set_rules": (r.RULES_SET, ("rules", "actor", "reason?")),
    "recount": (r.RECOUNTED, ("counted", "actor", "reason?")),
    "report_count": (r.REPORTED, ("area", "counted", "source", "actor")),
    "issue_pass": (0x40, ("name", "credentials", "actor", *_OF_PASS)),
    "change_pass": (0x41, ("name", "actor", "credentials?", *_OF_PASS)),
    "revoke_pass": (0x42, ("name", "actor", "reason?")),
    "set_group": (0x44, ("name", "actor", "limit?", "areas?", "over?", "add?", "remove?", "reason?")),
    "remove_group": (0x45, ("name", "actor", "reason?")),
    "charger_reports": (0x48, ("state", "actor", "spot?", "session?")),
    **bookings.ORDERS,
    **registry_orders.ORDERS,
}
"""Per order the type of its event, and its args; "?" marks those that may be left out."""

THEMES: dict[str, Theme] = {
    **dict.fromkeys(PASS_ORDERS, PASSES),
    "charger_reports": CHARGERS,
    **dict.fromkeys(registry_orders.ORDERS, registry_orders.REGISTRY),
}
"""Orders of themes, whose events, outcomes and refusals are said beside their chapters."""

_DEFAULTS: dict[str, Any] = {"reason": "", "classes": ["standard"]}
_BOUNDS = {"to": (0, 10_000_000), "mode": (1, 5), "kind": (1, 4), "seconds": (1, 3600)}
_LENGTHS = {
    "credentials": (1, 100),
    "actor": (1, 64),
    "reason": (0, 512),
    "cause": (0, 512),
    "text": (0, 512),
    "token": (1, 512),
}
_COUNTS = (0, 10_000_000)


def effect_of(name: str, args: dict[str, Any], rules: dict[str, Any], lot: Lot) -> dict[str, Any]:
    """The event that the order should make: its type, and those of its fields that the args give.

    rules: as they held before; lot: the facts with that event. Of a recount the cars counted are compared as
    `seen_of` shows them.
    """
    if name in bookings.ORDERS:
        return bookings.effect_of(name, args)
    if name in stay_orders.TAKES:
        return stay_orders.effect_of(name, args, lot)
    type, takes = ORDERS[name]
    if name in THEMES:
        return {"type": type} | THEMES[name].effect(name, args, lot)
    effect: dict[str, Any] = {"type": type}
    for arg in takes:
        effect[arg.rstrip("?")] = args.get(arg.rstrip("?"), _DEFAULTS.get(arg.rstrip("?")))
    if "token" in effect:
        effect["credential"] = r.credential(args["kind"], args["token"])
    if "to" in effect:
        effect["after"] = args["to"]
    if "rules" in effect:
        named = {**rules, **args["rules"]}
        effect["rules"] = {theme: data for theme, data in named.items() if data is not None}
    known = (*r.FIELDS[type], *(["counted"] if type == r.RECOUNTED else []))
    return {field: value for field, value in effect.items() if field == "type" or field in known}


def seen_of(event: Event) -> Event:
    """The event of an order with what its args said, where the record says it otherwise."""
    if event["type"] != r.RECOUNTED:
        return event
    return {**event, "counted": {area: after for area, _, after in event["areas"]}}


def result_of(event: Event, lot: Lot) -> dict[str, Any]:
    """The body of the outcome of the order that made this event, by the facts before it."""
    theme = next(
        (THEMES[name] for name, (type, _) in ORDERS.items() if type == event["type"] and name in THEMES), None
    )
    if theme is not None:
        return theme.result(event, lot)
    if event["type"] in bookings.EVENTS:
        return bookings.result_of(event, lot)
    if event["type"] in stay_orders.MAKES:
        return stay_orders.result_of(event, lot)
    match event["type"]:
        case r.CORRECTED:
            return {"before": event["before"], "after": event["after"]}
        case r.DENIED | r.RESET:
            return {"inside": lot.stay(event["credential"]) is not None}
        case r.REGISTERED:
            return {"new": event["credential"] not in lot.known}
        case r.RULES_SET:
            return {"themes": sorted(event["rules"])}
        case r.RECOUNTED:
            return {"areas": {area: _drift(before, after) for area, before, after in event["areas"]}}
        case r.REPORTED:
            expected, counted = event["expected"], event["counted"]
            return {"expected": expected, "counted": counted, "drift": expected - counted}
    return {}


def _drift(before: int, after: int) -> dict[str, int]:
    return {"before": before, "after": after, "drift": before - after}


def true_refusals(name: str, args: dict[str, Any], lot: Lot, now_ms: int) -> set[str]:
    """The codes that may refuse the order. Whether a reader was connected just then is not known here."""
    if name in lane_orders.TAKES:
        return lane_orders.refusals(name, args, lot, now_ms)
    if name in stay_orders.TAKES:
        return stay_orders.true_refusals(name, args, lot)
    if name not in ORDERS:
        return {"unknown_command"}
    if name in bookings.ORDERS:
        return bookings.true_refusals(name, args, lot, now_ms)
    if not _good_args(name, args):
        return {"bad_args"}
    if name in THEMES:
        return THEMES[name].refusals(name, args, lot)
    codes = set()
    if "reader" in args and (args["reader"], args["lane"]) not in lot.layout.lanes:
        codes.add("no_such_lane")
    elif name in ("open_lane", "display"):
        codes.add("reader_away")
    causes = lot.rules.get("lanes", {}).get("vend_causes")
    if name == "open_lane" and causes is not None and args["cause"] not in causes:
        codes.add("cause_not_allowed")
    if "area" in args and args["area"] not in lot.layout.parents:
        codes.add("no_such_area")
    if name in ("recount", "report_count") and "ledger" not in lot.rules:
        codes.add("not_configured")
    if name == "recount" and not args["counted"].keys() <= lot.layout.parents.keys():
        codes.add("no_such_area")
    if name == "set_rules" and _bad_rules(args["rules"]):
        codes.add("bad_rules")
    if name == "allow_credential" and r.credential(args["kind"], args["token"]) not in lot.denied:
        codes.add("not_denied")
    if name == "forget_credential" and r.credential(args["kind"], args["token"]) not in lot.known:
        codes.add("not_known")
    return codes


def _good_args(name: str, args: dict[str, Any]) -> bool:
    """Whether all that must be there is, nothing else is, and all is within bounds."""
    takes = ORDERS[name][1]
    if not {arg for arg in takes if not arg.endswith("?")} <= set(args) <= {arg.rstrip("?") for arg in takes}:
        return False
    fits = (low <= args[arg] <= high for arg, (low, high) in _BOUNDS.items() if arg in args)
    short = (low <= len(args[arg]) <= high for arg, (low, high) in _LENGTHS.items() if arg in args)
    return all(fits) and all(short) and _good_counts(args)


def _good_counts(args: dict[str, Any]) -> bool:
    """Cars counted, of one area or of several by name."""
    counted = args.get("counted", 0)
    counts = list(counted.values()) if isinstance(counted, dict) else [counted]
    return bool(counts) and all(_COUNTS[0] <= count <= _COUNTS[1] for count in counts)


def _bad_rules(rules: dict[str, Any]) -> bool:
    """The one mistake that is made here: recounts that fall due more often than every hour."""
    every_s: int = (rules.get("ledger") or {}).get("recount_every_s", 0)
    return 0 < every_s < 3600
