"""What the gateway adds to the device registry: objections that the core cannot know of, and who is there."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs import messages as m
from liftgate.codecs.events.registry import check_of
from liftgate.engine.core.model import Lot, Reader
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.core.parts.registry import registry_of
from liftgate.engine.core.parts.registry_entry import Registered
from liftgate.engine.core.parts.registry_orders import ORDERS

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway

READERS_PER_ANSWER = 100
"""Of QUERY readers, some 300 bytes each with a lane or two: an ANSWER fits a frame. The rest is asked for
with `after`."""

_WITH_KEY = ("add_reader", "rotate_reader_key", "restore_reader")
_WITH_ID = ("add_reader", "restore_reader")

Objection = tuple[str, dict[str, Any]]


def objection(gateway: "Gateway", lot: Lot, message: m.CommandMessage) -> Objection | None:
    """Why the engine as it is configured cannot do an order of the registry: (code, body), or None.

    Not on record, like an order that a service may not give: the same order is fine once that is mended.
    """
    if message.name not in ORDERS:
        return None
    directory, reader = gateway.directory, message.args.get("reader")
    if reader in directory.filed:
        text = (
            f"reader {reader!r} stands in the configuration file: change it there, and start the engine again"
        )
        return "in_file", {"text": text}
    if message.name in _WITH_ID:
        for other in gateway.engine.lots.values():
            found = registry_of(other)
            if other is not lot and found is not None and found.is_active(str(reader)):
                return "exists", {"text": f"reader {reader!r} is registered in lot {other.id}"}
    if message.name not in _WITH_KEY:
        return None
    if directory.registry_key is None:
        return "no_registry_key", {
            "text": "the engine has no [engine] registry_key, or was not started with it"
        }
    if not directory.takes(message.args.get("key")):
        return "wrong_registry_key", {"text": "the key is not wrapped under the engine's registry_key"}
    return None


class OfReaders(msgspec.Struct, forbid_unknown_fields=True):
    """args of readers: those after this id, at most so many; reader: only that one."""

    after: Annotated[str, Meta(max_length=64)] = ""
    reader: Annotated[str, Meta(max_length=64)] = ""


def readers(gateway: "Gateway", lot: Lot, args: dict[str, Any]) -> Reply:
    """The lot's readers in the order of their ids, of the file and of the registry, revoked ones too."""
    try:
        asked = msgspec.convert(args, OfReaders)
    except msgspec.ValidationError as error:
        return False, "bad_args", {"text": str(error)}
    registry = registry_of(lot)
    registered = {} if registry is None else registry.readers
    named = {id for id, reader in lot.readers.items() if reader.lanes or id in registered} | set(registered)
    ids = sorted(id for id in named if id > asked.after and asked.reader in ("", id))
    shown = [_row(gateway, lot.readers.get(id), id, registered.get(id)) for id in ids[:READERS_PER_ANSWER]]
    return True, "", {"readers": shown, "more": len(ids) > READERS_PER_ANSWER}


def _row(gateway: "Gateway", reader: Reader | None, id: str, found: Registered | None) -> dict[str, Any]:
    directory = gateway.directory
    link, heard_ms = gateway.readers.get(id), gateway.heard.get(id)
    if link is not None:
        heard_ms = link.heard_ms
    row = {
        "reader": id,
        "source": "file" if found is None or id in directory.filed else "registry",
        "lanes": [] if reader is None else reader.spec,
        "connected": link is not None and not link.closing,
        "peer": "" if link is None else link.peer,
        "heard_ms": 0 if heard_ms is None else gateway.now_ms - (gateway.steady_ms - heard_ms),
        "locked": directory.locked.get(id, ""),
    }
    return row if found is None else row | _registered(found)


def _registered(found: Registered) -> dict[str, Any]:
    entry = msgspec.structs.asdict(found)
    keys = entry.pop("keys")
    return {**entry, "lanes": found.lanes, "checks": [check_of(key) for key in keys], "revoked": not keys}
