"""What each order should put on record, should answer, and what may speak against it.

A coming order adds its line to ORDERS, and where it needs them to the two functions at the end.
"""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event

ORDERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "correct_count": (r.CORRECTED, ("area", "to", "actor", "reason")),
    "set_lane": (r.MODE_SET, ("reader", "lane", "mode", "actor", "reason?")),
    "open_lane": (r.VENDED, ("reader", "lane", "cause", "actor")),
    "display": (r.SHOWN, ("reader", "lane", "text", "seconds", "actor")),
    "deny_credential": (r.DENIED, ("kind", "token", "actor", "reason?")),
    "allow_credential": (r.ALLOWED, ("kind", "token", "actor", "reason?")),
    "register_credential": (r.REGISTERED, ("kind", "token", "actor", "classes?")),
    "forget_credential": (r.FORGOTTEN, ("kind", "token", "actor", "reason?")),
    "reset_passback": (r.RESET, ("kind", "token", "actor", "reason?")),
}
"""Per order the type of its event, and its args; "?" marks those that may be left out."""

_DEFAULTS: dict[str, Any] = {"reason": "", "classes": ["standard"]}
_BOUNDS = {"to": (0, 10_000_000), "mode": (1, 5), "kind": (1, 4), "seconds": (1, 3600)}
_LENGTHS = {"actor": (1, 64), "reason": (0, 512), "cause": (0, 512), "text": (0, 512), "token": (1, 512)}


def effect_of(name: str, args: dict[str, Any]) -> dict[str, Any]:
    """The event that the order should make: its type, and those of its fields that the args give."""
    type, takes = ORDERS[name]
    effect: dict[str, Any] = {"type": type}
    for arg in takes:
        effect[arg.rstrip("?")] = args.get(arg.rstrip("?"), _DEFAULTS.get(arg.rstrip("?")))
    if "token" in effect:
        effect["credential"] = r.credential(args["kind"], args["token"])
    if "to" in effect:
        effect["after"] = args["to"]
    known = r.FIELDS[type]
    return {field: value for field, value in effect.items() if field == "type" or field in known}


def result_of(event: Event, lot: Lot) -> dict[str, Any]:
    """The body of the outcome of the order that made this event, by the facts before it."""
    match event["type"]:
        case r.CORRECTED:
            return {"before": event["before"], "after": event["after"]}
        case r.MODE_SET:
            return {"before": lot.modes.get((event["reader"], event["lane"]), 1), "after": event["mode"]}
        case r.DENIED | r.RESET:
            return {"inside": lot.stay(event["credential"]) is not None}
        case r.REGISTERED:
            return {"new": event["credential"] not in lot.known}
    return {}


def true_refusals(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    """The codes that may refuse the order. Whether a reader was connected just then is not known here."""
    if name not in ORDERS:
        return {"unknown_command"}
    if not _good_args(name, args):
        return {"bad_args"}
    codes = set()
    if "reader" in args and (args["reader"], args["lane"]) not in lot.layout.lanes:
        codes.add("no_such_lane")
    elif name in ("open_lane", "display"):
        codes.add("reader_away")
    if "area" in args and args["area"] not in lot.layout.parents:
        codes.add("no_such_area")
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
    return all(fits) and all(short)
