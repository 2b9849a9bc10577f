"""Orders of the device registry: readers are added, changed, given new keys, revoked and restored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs.events import registry as ev
from liftgate.codecs.events.operators import OperatorEvent, ReaderConfigured
from liftgate.configs.schema import KINDS, Cards, Direction
from liftgate.configs.schema import Kind as KindName
from liftgate.engine.core.lane_spec import lane_spec
from liftgate.engine.core.model import Lot
from liftgate.engine.core.order_args import Actor, OrderRefused, Words

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order
    from liftgate.engine.core.parts.base import CarryOut, Done
    from liftgate.engine.core.parts.registry_entry import Registered

WRAPPED_BYTES = 40
"""A 32-byte key under AES key wrap (`codecs/keywrap.py`)."""

LANES_MAX = 32
"""Of one registered reader: its events stand together in a record of at most 60 KiB, and a lane takes up to
160 bytes in two of them. The file may give a reader more."""

REGISTERED_MAX = 10_000
"""Readers that a lot remembers, revoked ones among them: twice the 5,000 lanes designed for. One more is
refused; `restore_reader` gives an old one new work."""

OVERLAP_S_MAX = 90 * 86_400
OVERLAP_S = 7 * 86_400
"""How long both keys are good unless the new one is used: somebody drives to every site within a week."""

Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Wrapped = Annotated[bytes, Meta(min_length=WRAPPED_BYTES, max_length=WRAPPED_BYTES)]


class LaneArgs(msgspec.Struct, forbid_unknown_fields=True):
    """A lane with the fields and defaults of the file's `[[reader.lane]]`."""

    number: Annotated[int, Meta(ge=0, le=255)]
    direction: Direction
    area: Id
    gate: Id | None = None
    confirm: bool = True
    cards: Cards = "open"
    kinds: tuple[KindName, ...] = KINDS


Lanes = Annotated[tuple[LaneArgs, ...], Meta(min_length=1, max_length=LANES_MAX)]


class AddReader(msgspec.Struct, forbid_unknown_fields=True):
    """Register a reader, with its lanes and its key (wrapped under the engine's registry_key)."""

    reader: Id
    key: Wrapped
    lanes: Lanes
    actor: Actor
    reason: Words = ""


class ChangeReader(msgspec.Struct, forbid_unknown_fields=True):
    """Give a registered reader other lanes, all of them; its key stays."""

    reader: Id
    lanes: Lanes
    actor: Actor
    reason: Words = ""


class RotateReaderKey(msgspec.Struct, forbid_unknown_fields=True):
    """Give a registered reader a new key (wrapped). The old one dies when it is used, or after overlap_s."""

    reader: Id
    key: Wrapped
    actor: Actor
    overlap_s: Annotated[int, Meta(ge=0, le=OVERLAP_S_MAX)] = OVERLAP_S
    reason: Words = ""


class RevokeReader(msgspec.Struct, forbid_unknown_fields=True):
    """Cut a registered reader off at once: its keys are forgotten, what it did stays."""

    reader: Id
    actor: Actor
    reason: Words = ""


class RestoreReader(msgspec.Struct, forbid_unknown_fields=True):
    """Let a revoked reader in again under a new key (wrapped), with its old lanes unless others are named."""

    reader: Id
    key: Wrapped
    actor: Actor
    lanes: Lanes | None = None
    reason: Words = ""


def _entries(lot: Lot) -> dict[str, Registered]:
    entries: dict[str, Registered] = lot.parts["registry"].readers
    return entries


def _active(lot: Lot, reader: str) -> Registered:
    found = _entries(lot).get(reader)
    if found is None:
        raise OrderRefused("not_registered", f"no reader {reader!r} in the registry of this lot")
    if not found.keys:
        raise OrderRefused("revoked", f"reader {reader!r} is revoked: restore_reader lets it in again")
    return found


def _specs(lot: Lot, lanes: tuple[LaneArgs, ...]) -> tuple[tuple[Any, ...], ...]:
    """The lanes as ReaderConfigured has them. Raises OrderRefused where the lot has no such place."""
    if len({lane.number for lane in lanes}) < len(lanes):
        raise OrderRefused("bad_args", "two lanes have the same number")
    for lane in lanes:
        if lane.area not in lot.areas:
            raise OrderRefused("no_such_area", f"no area {lane.area!r} in this lot")
        if lane.gate is not None and lane.gate not in lot.gates:
            raise OrderRefused("no_such_gate", f"no gate {lane.gate!r} in this lot")
    return tuple(lane_spec(lane) for lane in lanes)


def _add(lot: Lot, order: Order, args: AddReader) -> Done:
    entries = _entries(lot)
    known = entries.get(args.reader)
    if known is not None:
        hint = "" if known.keys else " and revoked: restore_reader lets it in again"
        raise OrderRefused("exists", f"reader {args.reader!r} is registered here{hint}")
    if len(entries) >= REGISTERED_MAX:
        raise OrderRefused("too_many", f"a lot remembers {REGISTERED_MAX} registered readers")
    return _register(lot, order, args, _specs(lot, args.lanes))


def _register(lot: Lot, order: Order, args: AddReader | RestoreReader, lanes: tuple[Any, ...]) -> Done:
    head = (lot.id, lot.seq + 1, order.now_ms, args.reader)
    registered = ev.ReaderRegistered(*head, args.key, lanes, args.actor, args.reason)
    return [registered, _configured(lot, order, args.reader, lanes)], {"check": ev.check_of(args.key)}


def _configured(lot: Lot, order: Order, reader: str, lanes: tuple[Any, ...]) -> OperatorEvent:
    return ReaderConfigured(lot.id, lot.seq + 2, order.now_ms, reader, lanes)


def _change(lot: Lot, order: Order, args: ChangeReader) -> Done:
    _active(lot, args.reader)
    lanes = _specs(lot, args.lanes)
    event = ev.ReaderChanged(lot.id, lot.seq + 1, order.now_ms, args.reader, lanes, args.actor, args.reason)
    return [event, _configured(lot, order, args.reader, lanes)], {"lanes": len(lanes)}


def _rotate(lot: Lot, order: Order, args: RotateReaderKey) -> Done:
    """A key that nobody used yet gives way to the newer one, so there are never more than two."""
    found = _active(lot, args.reader)
    if args.key in found.keys:
        raise OrderRefused("same_key", "that key is the reader's already")
    until_ms = order.now_ms + 1000 * args.overlap_s
    event = ev.ReaderKeyRotated(
        lot.id, lot.seq + 1, order.now_ms, args.reader, args.key, until_ms, args.actor, args.reason
    )
    events: list[OperatorEvent] = [event]
    if not args.overlap_s:
        events.append(ev.ReaderKeyRetired(lot.id, lot.seq + 2, order.now_ms, args.reader, "time"))
    return events, {"check": ev.check_of(args.key), "until_ms": until_ms}


def _revoke(lot: Lot, order: Order, args: RevokeReader) -> Done:
    _active(lot, args.reader)
    event = ev.ReaderRevoked(lot.id, lot.seq + 1, order.now_ms, args.reader, args.actor, args.reason)
    return [event, _configured(lot, order, args.reader, ())], {}


def _restore(lot: Lot, order: Order, args: RestoreReader) -> Done:
    found = _entries(lot).get(args.reader)
    if found is None:
        raise OrderRefused("not_registered", f"no reader {args.reader!r} in the registry of this lot")
    if found.keys:
        raise OrderRefused("not_revoked", f"reader {args.reader!r} is not revoked")
    lanes = found.lanes if args.lanes is None else _specs(lot, args.lanes)
    return _register(lot, order, args, lanes)


ORDERS: dict[str, tuple[type[Any], CarryOut]] = {
    "add_reader": (AddReader, _add),
    "change_reader": (ChangeReader, _change),
    "rotate_reader_key": (RotateReaderKey, _rotate),
    "revoke_reader": (RevokeReader, _revoke),
    "restore_reader": (RestoreReader, _restore),
}
