"""The orders about passes and groups."""

from datetime import date, timedelta
from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.clocks import DAYS, instant_ms
from liftgate.sim.world.audit.entitled import CHANGED, GROUP_SET, ISSUED, NO_GROUP, REVOKED
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.theme import Theme

PASS_ORDERS = ("issue_pass", "change_pass", "revoke_pass", "set_group", "remove_group")
HELD_MAX = 8
"""Passes of one credential."""

_DEFAULTS: dict[str, Any] = {"weekly": [], "areas": [], "classes": [], "uses": None, "host": ""}


def _effect(name: str, args: dict[str, Any], lot: Lot) -> dict[str, Any]:
    said = {"actor": args["actor"], "reason": args.get("reason", "")}
    if name in ("issue_pass", "change_pass"):
        before = lot.entitled.replaced if name == "change_pass" else _NOTHING_SAID
        return said | {"spec": before | _said_of_pass(args, lot)}
    if name == "set_group":
        return said | _said_of_group(args, lot)
    return said | {"name": args["name"]}


_NOTHING_SAID = {"from_ms": None, "until_ms": None} | _DEFAULTS


def _said_of_pass(args: dict[str, Any], lot: Lot) -> dict[str, Any]:
    """What the args say, as a pass says it."""
    spec: dict[str, Any] = {field: args[field] for field in ("name", *_DEFAULTS) if field in args}
    if "weekly" in args:
        spec["weekly"] = [{"days": list(DAYS)} | window for window in args["weekly"]]
    if "credentials" in args:
        spec["credentials"] = _credentials(args["credentials"])
    for arg, field, days in (("valid_from", "from_ms", 0), ("valid_until", "until_ms", 1)):
        if arg in args:
            spec[field] = _when(args[arg], days, lot)
    return spec


def _credentials(said: list[Any]) -> list[bytes]:
    return list(dict.fromkeys(r.credential(each["kind"], each["token"]) for each in said))


def _when(said: Any, days: int, lot: Lot) -> int | None:
    """A date's begin in the lot, or its end; ms are taken as they are."""
    if said is None or isinstance(said, int):
        return said
    day = date.fromisoformat(said) + timedelta(days=days)
    return instant_ms(day, "00:00", lot.layout.timezone)


def _said_of_group(args: dict[str, Any], lot: Lot) -> dict[str, Any]:
    """What is named, and the rest as it was."""
    before = lot.entitled.replaced
    group = {field: args.get(field, getattr(before, field)) for field in ("limit", "areas", "over")}
    added, removed = _credentials(args.get("add", [])), _credentials(args.get("remove", []))
    return group | {"name": args["name"], "added": added, "removed": removed}


def _result(event: Event, lot: Lot) -> dict[str, Any]:
    entitled = lot.entitled
    if event["type"] in (ISSUED, CHANGED):
        return {"from_ms": event["spec"]["from_ms"], "until_ms": event["spec"]["until_ms"]}
    if event["type"] == REVOKED:
        held = entitled.passes[event["name"]].spec["credentials"]
        return {"inside": sum(credential in lot.stays.open for credential in held)}
    group = entitled.groups.get(event["name"], NO_GROUP)
    if event["type"] == GROUP_SET:
        return {"members": len({*group.members, *event["added"]} - {*event["removed"]})}
    return {"members": len(group.members), "inside": entitled.use(lot, event["name"])}


def _refusals(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    entitled, codes = lot.entitled, set()
    if lot.rules.get("entitlements") is None:
        return {"no_rules"}
    areas = args.get("areas", ())
    if any(area not in lot.layout.parents for area in areas):
        codes.add("no_such_area")
    if name == "issue_pass" and args["name"] in entitled.passes:
        codes.add("exists")
    if name in ("change_pass", "revoke_pass") and args["name"] not in entitled.passes:
        codes.add("no_such_pass")
    elif name in ("issue_pass", "change_pass"):
        codes |= _refusals_of_pass(name, args, lot)
    if name == "remove_group" and args["name"] not in entitled.groups:
        codes.add("no_such_group")
    return codes | (_refusals_of_group(args, lot) if name == "set_group" else set())


def _refusals_of_pass(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    before = lot.entitled.passes[args["name"]].spec if name == "change_pass" else _NOTHING_SAID
    spec, codes = before | _said_of_pass(args, lot), set()
    if None not in (spec["from_ms"], spec["until_ms"]) and spec["from_ms"] >= spec["until_ms"]:
        codes.add("bad_args")
    for credential in spec["credentials"]:
        others = [each for each in lot.entitled.passes_of(credential) if each.spec["name"] != spec["name"]]
        if len(others) >= HELD_MAX:
            codes.add("too_many")
    return codes


def _refusals_of_group(args: dict[str, Any], lot: Lot) -> set[str]:
    codes, members = set(), lot.entitled.groups.get(args["name"], NO_GROUP).members
    added, removed = _credentials(args.get("add", [])), _credentials(args.get("remove", []))
    if any(lot.entitled.group_of(each) not in (None, args["name"]) for each in added):
        codes.add("in_other_group")
    if any(each not in members or each in added for each in removed):
        codes.add("not_a_member")
    return codes


PASSES = Theme(_effect, _result, _refusals)
