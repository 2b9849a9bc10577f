"""Orders about stays whose credential says no more whose car it is: what they do, answer and refuse."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.plates import apart, normal
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.stays import Stay

TAKES = ("reset_passbacks", "lost_ticket", "swap_credential", "close_stay")
MAKES = {r.RESETS, r.LOST, r.CLOSED, r.SWAPPED, r.NAMED}

Args = dict[str, Any]


def by_rule(event: Event) -> bool:
    """Whether time did it and no order."""
    return event["type"] == r.CLOSED and not event["actor"]


def goes_along(first: Event, event: Event) -> bool:
    """Whether it is the second half of what an order does: a lost credential is denied, too."""
    if first["type"] != r.LOST or event["type"] != r.DENIED:
        return False
    said = event["credential"], event["reason"]
    return bool(said == (first["credential"], f"lost: {first['cause']}"))


def effect_of(name: str, args: Args, lot: Lot) -> dict[str, Any]:
    """The event that the order should make, as far as the args give it."""
    if name == "reset_passbacks":
        return _reset(args, lot)
    if name == "swap_credential":
        change = {"before": _name(args["before"]), "after": _name(args["after"])}
        return {"type": r.SWAPPED, **change, "actor": args["actor"], "reason": args.get("reason", "")}
    if name == "close_stay":
        cause = args.get("reason", "") or "closed by hand"
        return {"type": r.CLOSED, "credential": _name(args), "cause": cause, "actor": args["actor"]}
    expected = {"type": r.LOST, "cause": args["cause"], "actor": args["actor"]}
    expected["replacement"] = _name(args["replacement"]) if args.get("replacement") else None
    if args.get("credential"):
        expected["credential"] = _name(args["credential"])
    return expected


def named_by(args: Args) -> dict[str, Any]:
    """The event of a lost ticket whose stay nobody knows."""
    notes: dict[str, Any] = {"unknown_entry": True}
    if args.get("plate"):
        notes["plate"] = normal(args["plate"].encode())
    made = {"type": r.NAMED if args.get("create") else r.LOST, "notes": notes}
    given = {name: args[name] for name in ("cause", "actor", "entered_at_ms")}
    return {**made, **given, "credential": _name(args["replacement"])}


def _reset(args: Args, lot: Lot) -> dict[str, Any]:
    """A group's credentials are its members, in the order in which they joined."""
    group = args.get("group", "")
    named = [_name(each) for each in args.get("credentials", ())]
    credentials = list(_members(group, lot)) if group else named
    head = {"type": r.RESETS, "credentials": credentials, "whole": args.get("whole", False), "group": group}
    return {**head, "actor": args["actor"], "reason": args.get("reason", "")}


def result_of(event: Event, lot: Lot) -> dict[str, Any]:
    """The body of the outcome, by the facts before the event."""
    match event["type"]:
        case r.RESETS:
            named = list(lot.stays.open) if event["whole"] else event["credentials"]
            stays = [lot.stays.open.get(credential) for credential in named]
            inside = sum(stay is not None and stay.area is not None for stay in stays)
            return {"credentials": len(event["credentials"]), "inside": inside}
        case r.NAMED:
            head = {"session": event["session"], "entered_at_ms": event["entered_at_ms"]}
            return {**head, "area": event["area"], "created": True}
    stay = lot.stay(event["before" if event["type"] == r.SWAPPED else "credential"])
    if stay is None:
        return {}
    ended = {"ended": event["replacement"] is None} if event["type"] == r.LOST else {}
    return {**lot.told(stay), **ended}


def true_refusals(name: str, args: Args, lot: Lot) -> set[str]:
    """The codes that may refuse the order."""
    if name == "reset_passbacks":
        return _reset_refusals(args, lot)
    if name == "close_stay":
        return set() if _name(args) in lot.stays.open else {"no_stay"}
    if name == "swap_credential":
        codes = _unused(args["after"], lot)
        return codes if _name(args["before"]) in lot.stays.open else codes | {"no_stay"}
    return _lost_refusals(args, lot)


def _members(group: str, lot: Lot) -> tuple[bytes, ...]:
    found = lot.entitled.groups.get(group)
    return () if found is None else found.members


def _reset_refusals(args: Args, lot: Lot) -> set[str]:
    """One of the three is to be named, and a group has members."""
    named = bool(args.get("credentials")) + bool(args.get("group")) + bool(args.get("whole"))
    if named != 1:
        return {"bad_args"}
    group = args.get("group", "")
    return {"no_such_group"} if group and not _members(group, lot) else set()


def _lost_refusals(args: Args, lot: Lot) -> set[str]:
    codes = _unused(args["replacement"], lot) if args.get("replacement") else set()
    found = fitting(args, lot)
    if len(found) > 1:
        codes.add("ambiguous")
    elif not found and not args.get("create"):
        codes.add("no_stay")
    elif not found and args.get("area", "") not in ("", *lot.layout.parents):
        codes.add("no_such_area")
    elif not found and (not args.get("replacement") or args.get("entered_at_ms") is None):
        codes.add("bad_args")
    return codes


def fitting(args: Args, lot: Lot) -> list[Stay]:
    """The open stays that the order describes: the credential's own, else those inside that fit all of it."""
    if args.get("credential"):
        stay = lot.stay(_name(args["credential"]))
        return [] if stay is None else [stay]
    return [stay for stay in lot.stays.open.values() if stay.area is not None and _fits(stay, args, lot)]


def _fits(stay: Stay, args: Args, lot: Lot) -> bool:
    came_ms, within_ms = args.get("entered_at_ms"), args.get("within_s", 300) * 1000
    if came_ms is not None and abs(stay.entered_at_ms - came_ms) > within_ms:
        return False
    if args.get("plate"):
        plate, most = stay.known_plate(), lot.rules.get("identity", {}).get("edits_max", 1.0)
        return plate is not None and apart(plate, normal(args["plate"].encode())) <= most
    return True


def _unused(named: Args, lot: Lot) -> set[str]:
    """What speaks against a credential that a stay is to go on under."""
    credential = _name(named)
    codes = {"has_stay"} if credential in lot.stays.open else set()
    return codes | {"denied"} if credential in lot.denied else codes


def _name(named: Args) -> bytes:
    return r.credential(named["kind"], named["token"])
