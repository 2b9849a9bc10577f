"""The queries about passes and groups."""

from typing import TYPE_CHECKING, Any

import msgspec

from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Kind, TokenBytes
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.core.parts.pass_args import Name
from liftgate.engine.core.parts.passes import THEME, Group, Pass

if TYPE_CHECKING:
    from liftgate.engine.core.parts.entitlements import EntitlementsPart

MEMBERS_SHOWN = 500
SHOWN_BYTES_MAX = 40_000
"""Of a group's members, in an answer that must fit a frame."""


class AskHolder(msgspec.Struct, forbid_unknown_fields=True):
    """The passes and the group of one credential."""

    kind: Kind
    token: TokenBytes


class AskName(msgspec.Struct, forbid_unknown_fields=True):
    """By name."""

    name: Name


class AskAll(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


def _part(lot: Lot) -> "EntitlementsPart":
    part: EntitlementsPart = lot.parts[THEME]
    return part


def _counted_groups(lot: Lot) -> "dict[str, Group]":
    """The groups with their stays counted: without rules nobody counts them but who asks."""
    part = _part(lot)
    if not part.on:
        part.recount()
    return part.groups


def _pass_body(found: Pass) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.to_builtins(found.spec, builtin_types=(bytes,))
    return body | {"used": found.used}


def _group_body(lot: Lot, group: Group) -> dict[str, Any]:
    areas = {name: {"limit": limit, "count": group.use_of(lot, name)} for name, limit in group.areas.items()}
    return {
        "limit": group.limit,
        "count": group.use(lot),
        "areas": areas,
        "over": group.over,
        "members": len(group.members),
    }


def _passes(lot: Lot, args: AskHolder) -> Reply:
    holder = _part(lot).holders.get(bytes((args.kind,)) + args.token)
    if holder is None:
        return True, "", {"passes": [], "group": None}
    group = None if holder.group is None else holder.group.name
    short = [{k: v for k, v in _pass_body(each).items() if k != "credentials"} for each in holder.passes]
    return True, "", {"passes": short, "group": group}


def _pass_by_name(lot: Lot, args: AskName) -> Reply:
    """A pass by its name: its terms, its credentials and what is used of it."""
    found = _part(lot).passes.get(args.name)
    return (False, "no_such_pass", {}) if found is None else (True, "", _pass_body(found))


def _group(lot: Lot, args: AskName) -> Reply:
    """A group by its name: limits, the stays that count for it, how many members."""
    group = _counted_groups(lot).get(args.name)
    if group is None:
        return False, "no_such_group", {}
    shown: list[bytes] = []
    room = SHOWN_BYTES_MAX
    for credential in group.members:
        room -= len(credential) + 4
        if room < 0 or len(shown) >= MEMBERS_SHOWN:
            break
        shown.append(credential)
    return True, "", _group_body(lot, group) | {"shown": shown}


def _groups(lot: Lot, args: AskAll) -> Reply:
    """Every group: [stays that count, limit, members]."""
    groups = _counted_groups(lot)
    body = {name: [each.use(lot), each.limit, len(each.members)] for name, each in groups.items()}
    return True, "", body


QUERIES: dict[str, tuple[type[Any], Any]] = {
    "passes": (AskHolder, _passes),
    "pass": (AskName, _pass_by_name),
    "group": (AskName, _group),
    "groups": (AskAll, _groups),
}
