"""The orders about passes and groups."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET

from liftgate.codecs.events import entitlements as ev
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import OrderRefused
from liftgate.engine.core.parts.base import Done
from liftgate.engine.core.parts.pass_args import (
    ChangePass,
    Credential,
    IssuePass,
    RemoveGroup,
    RevokePass,
    SetGroup,
)
from liftgate.engine.core.parts.passes import THEME, Group, Pass, PassSpec

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order
    from liftgate.engine.core.parts.entitlements import EntitlementsPart


PASSES_MAX = 100_000
"""Of a lot, some 600 bytes each: a visitor's code for every spot of the largest lot, for a month."""

PASSES_HELD_MAX = 8
"""Of one credential: each scan of it may ask them all."""

GROUPS_MAX = 1000
"""Of a lot: tenants of an office tower; a query of all of them is one frame."""

MEMBERS_MAX = 10_000
"""Of a group: who stands before a full one is told after all its stays were looked at once."""

EVENT_BYTES_MAX = 40_000
"""Of one order: its event must fit a record with room to spare."""


def _switched_on(lot: Lot) -> "EntitlementsPart":
    part: EntitlementsPart | None = lot.ruled(THEME)
    if part is None:
        raise OrderRefused("no_rules", "this lot has no rules for entitlements")
    return part


def _pass(part: "EntitlementsPart", name: str) -> Pass:
    found = part.passes.get(name)
    if found is None:
        raise OrderRefused("no_such_pass", f"no pass {name!r} in this lot")
    return found


def _known_areas(lot: Lot, names: Iterable[str]) -> None:
    for name in names:
        if name not in lot.areas:
            raise OrderRefused("no_such_area", f"no area {name!r} in this lot")


def _bytes_of(credentials: Iterable[Credential]) -> tuple[bytes, ...]:
    return tuple(dict.fromkeys(bytes((each.kind,)) + each.token for each in credentials))


def _when(part: "EntitlementsPart", when: Any, days: int) -> int | None:
    """In ms. Of a date its begin, or with days = 1 its end."""
    if when is None or isinstance(when, int):
        return when
    if when.isascii() and when.isdigit():
        return min(int(when), 253_370_764_800_000)
    try:
        return part.calendar.begin_ms(date.fromisoformat(when) + timedelta(days=days))
    except (ValueError, OverflowError) as error:
        text = f"{when!r} is neither Unix ms nor a date such as 2026-12-31"
        raise OrderRefused("bad_args", text) from error


def _checked(lot: Lot, part: "EntitlementsPart", spec: PassSpec) -> dict[str, Any]:
    """The spec as plain data for an event. Raises OrderRefused where it cannot be."""
    if spec.from_ms is not None and spec.until_ms is not None and spec.from_ms >= spec.until_ms:
        raise OrderRefused("bad_args", "the pass would end before it begins")
    _known_areas(lot, spec.areas)
    for credential in spec.credentials:
        holder = part.holders.get(credential)
        others = [] if holder is None else [each for each in holder.passes if each.spec.name != spec.name]
        if len(others) >= PASSES_HELD_MAX:
            raise OrderRefused("too_many", f"a credential holds at most {PASSES_HELD_MAX} passes")
    data: dict[str, Any] = msgspec.to_builtins(spec, builtin_types=(bytes,))
    if len(msgspec.msgpack.encode(data)) > EVENT_BYTES_MAX:
        raise OrderRefused("too_large", f"a pass takes at most {EVENT_BYTES_MAX} bytes")
    return data


def _issue(lot: Lot, order: "Order", args: IssuePass) -> Done:
    part = _switched_on(lot)
    if args.name in part.passes:
        raise OrderRefused("exists", f"pass {args.name!r} is there already")
    if len(part.passes) >= PASSES_MAX:
        raise OrderRefused("too_many", f"a lot has at most {PASSES_MAX} passes: revoke some that ended")
    spec = PassSpec(
        args.name,
        _bytes_of(args.credentials),
        _when(part, args.valid_from, 0),
        _when(part, args.valid_until, 1),
        args.weekly,
        args.areas,
        args.classes,
        args.uses,
        args.host,
    )
    data = _checked(lot, part, spec)
    event = ev.PassIssued(lot.id, lot.seq + 1, order.now_ms, data, args.actor, args.reason)
    return [event], {"from_ms": spec.from_ms, "until_ms": spec.until_ms}


def _change(lot: Lot, order: "Order", args: ChangePass) -> Done:
    part = _switched_on(lot)
    before = _pass(part, args.name).spec
    named = ("weekly", "areas", "classes", "uses", "host")
    changes = {name: value for name in named if (value := getattr(args, name)) is not UNSET}
    if args.credentials is not UNSET:
        changes["credentials"] = _bytes_of(args.credentials)
    if args.valid_from is not UNSET:
        changes["from_ms"] = _when(part, args.valid_from, 0)
    if args.valid_until is not UNSET:
        changes["until_ms"] = _when(part, args.valid_until, 1)
    spec = msgspec.structs.replace(before, **changes)
    data = _checked(lot, part, spec)
    event = ev.PassChanged(lot.id, lot.seq + 1, order.now_ms, data, args.actor, args.reason)
    return [event], {"from_ms": spec.from_ms, "until_ms": spec.until_ms}


def _revoke(lot: Lot, order: "Order", args: RevokePass) -> Done:
    found = _pass(_switched_on(lot), args.name)
    inside = sum(1 for credential in found.spec.credentials if credential in lot.stays)
    event = ev.PassRevoked(lot.id, lot.seq + 1, order.now_ms, args.name, args.actor, args.reason)
    return [event], {"inside": inside}


def _set_group(lot: Lot, order: "Order", args: SetGroup) -> Done:
    part = _switched_on(lot)
    group = part.groups.get(args.name)
    if group is None:
        if len(part.groups) >= GROUPS_MAX:
            raise OrderRefused("too_many", f"a lot has at most {GROUPS_MAX} groups")
        group = Group(args.name)
    added, removed = _bytes_of(args.add), _bytes_of(args.remove)
    _check_members(part, group, added, removed)
    limit = group.limit if args.limit is UNSET else args.limit
    areas = group.areas if args.areas is UNSET else args.areas
    over = group.over if args.over is UNSET else args.over
    _known_areas(lot, areas)
    event = ev.GroupSet(
        lot.id,
        lot.seq + 1,
        order.now_ms,
        args.name,
        limit,
        areas,
        over,
        added,
        removed,
        args.actor,
        args.reason,
    )
    if len(msgspec.msgpack.encode(event)) > EVENT_BYTES_MAX:
        raise OrderRefused("too_large", f"an order takes at most {EVENT_BYTES_MAX} bytes: add fewer at once")
    return [event], {"members": len({*group.members, *added} - {*removed})}


def _check_members(
    part: "EntitlementsPart", group: Group, added: tuple[bytes, ...], removed: tuple[bytes, ...]
) -> None:
    for credential in added:
        holder = part.holders.get(credential)
        if holder is not None and holder.group is not None and holder.group.name != group.name:
            raise OrderRefused(
                "in_other_group", f"{credential[1:].hex()} is in group {holder.group.name!r}: remove it there"
            )
    for credential in removed:
        if credential not in group.members or credential in added:
            raise OrderRefused("not_a_member", f"{credential[1:].hex()} is not in group {group.name!r}")
    if len({*group.members, *added} - {*removed}) > MEMBERS_MAX:
        raise OrderRefused("too_many", f"a group has at most {MEMBERS_MAX} members")


def _remove_group(lot: Lot, order: "Order", args: RemoveGroup) -> Done:
    part = _switched_on(lot)
    group = part.groups.get(args.name)
    if group is None:
        raise OrderRefused("no_such_group", f"no group {args.name!r} in this lot")
    event = ev.GroupRemoved(lot.id, lot.seq + 1, order.now_ms, args.name, args.actor, args.reason)
    return [event], {"members": len(group.members), "inside": group.use(lot)}


ORDERS: dict[str, tuple[type[Any], Any]] = {
    "issue_pass": (IssuePass, _issue),
    "change_pass": (ChangePass, _change),
    "revoke_pass": (RevokePass, _revoke),
    "set_group": (SetGroup, _set_group),
    "remove_group": (RemoveGroup, _remove_group),
}
