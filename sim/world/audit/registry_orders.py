"""Orders of the device registry: what they put on record, answer, and are refused for; docs/registry.md."""

from hashlib import sha256
from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.theme import Theme

ORDERS: dict[str, tuple[int, tuple[str, ...]]] = {
    "add_reader": (r.READER_REGISTERED, ("reader", "key", "lanes", "actor", "reason?")),
    "restore_reader": (r.READER_REGISTERED, ("reader", "key", "actor", "lanes?", "reason?")),
    "change_reader": (r.READER_CHANGED, ("reader", "lanes", "actor", "reason?")),
    "rotate_reader_key": (r.KEY_ROTATED, ("reader", "key", "actor", "overlap_s?", "reason?")),
    "revoke_reader": (r.READER_REVOKED, ("reader", "actor", "reason?")),
}


def goes_along(first: Event, event: Event) -> bool:
    """Whether it is the second half of what an order does: lanes, or the end of a key without an overlap."""
    if first["type"] == r.KEY_ROTATED:
        return bool(event["type"] == r.KEY_RETIRED and event["reader"] == first["reader"])
    of_lanes = first["type"] in (r.READER_REGISTERED, r.READER_CHANGED, r.READER_REVOKED)
    return bool(of_lanes and event["type"] == r.READER_CONFIGURED and event["reader"] == first["reader"])


def _effect(name: str, args: dict[str, Any], lot: Lot) -> dict[str, Any]:
    said = {field: args[field] for field in ("reader", "key", "actor") if field in args}
    return said | {"reason": args.get("reason", "")}


def _result(event: Event, lot: Lot) -> dict[str, Any]:
    if event["type"] == r.READER_REVOKED:
        return {}
    if event["type"] == r.READER_CHANGED:
        return {"lanes": len(event["lanes"])}
    check = {"check": sha256(event["key"]).hexdigest()[:8]}
    return check if event["type"] == r.READER_REGISTERED else {**check, "until_ms": event["until_ms"]}


def _refusals(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    found = lot.registry.readers.get(args["reader"])
    if name == "add_reader":
        return set() if found is None else {"exists"}
    if found is None:
        return {"not_registered"}
    if name == "restore_reader":
        return {"not_revoked"} if found.keys else set()
    if not found.keys:
        return {"revoked"}
    return {"same_key"} if args.get("key") in found.keys else set()


REGISTRY = Theme(_effect, _result, _refusals)
