"""QUERY: answers from memory."""

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.events import readers
from liftgate.engine.core.events import HistoryRecorded, ScanDecided
from liftgate.engine.core.model import Lot, Stay
from liftgate.engine.core.parts import PARTS
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.core.rules.table import ENTRY, EXIT

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway


class OfSession(msgspec.Struct, forbid_unknown_fields=True):
    """args of session: the token; kind as in SCAN, any of them when it is left out."""

    credential: Annotated[bytes, Meta(max_length=512)]
    kind: Annotated[int, Meta(ge=1, le=4)] | None = None


class OfScan(msgspec.Struct, forbid_unknown_fields=True):
    """args of why: the event's name."""

    reader: m.Id
    boot: m.Number
    no: m.Number


class OfReader(msgspec.Struct, forbid_unknown_fields=True):
    """args of policies: of one reader, or of all."""

    reader: m.Id | None = None


def occupancy(lot: Lot, args: Any) -> Reply:
    """The lot's counts, and each area's own."""
    areas = {
        area.id: {
            "capacity": area.capacity,
            "occupancy": area.inside + area.adrift,
            "held": area.held,
            "available": area.available(),
        }
        for area in lot.areas.values()
    }
    return True, "", {**lot.counts(), "areas": areas}


def session(lot: Lot, args: OfSession) -> Reply:
    """The open stay of a credential."""
    kinds = (args.kind,) if args.kind is not None else (1, 2, 3, 4)
    for kind in kinds:
        stay = lot.stays.get(bytes((kind,)) + args.credential)
        if stay is not None:
            return True, "", _stay_body(stay)
    return False, "no_session", {}


def _stay_body(stay: Stay) -> dict[str, Any]:
    return {
        "session": stay.session,
        "entered_at_ms": stay.entered_at_ms,
        "area": stay.area.id if stay.area is not None else None,
        "spot": stay.spot_name(),
        "moving": stay.moving,
        "paid_until_ms": stay.paid_until_ms,
    }


def why(lot: Lot, args: OfScan) -> Reply:
    """The rules behind a decision that is still kept."""
    reader = lot.readers.get(args.reader)
    event = reader.numbering(args.boot).answer(args.no) if reader is not None else None
    if not isinstance(event, ScanDecided | HistoryRecorded):
        return False, "not_kept", {}
    return True, "", explain(event)


Decided = ScanDecided | HistoryRecorded | readers.ScanDecided | readers.HistoryRecorded


def explain(event: Decided) -> dict[str, Any]:
    """A decision in words: for a refusal the trace that it was recorded with, else the rules it passed."""
    if isinstance(event, HistoryRecorded | readers.HistoryRecorded):
        trace = [f"history: the reader answered {event.verdict_given}", f"finding {event.finding}"]
        return {"verdict": event.verdict_given, "reason": event.finding, "trace": trace}
    if event.trace is not None:
        trace = list(event.trace)
    else:
        rules = ENTRY if event.way == codes.IN else EXIT
        trace = [f"{rule.name}: nothing against it" for rule in rules if rule.always]
        trace += [f"{name}: {value}" for name, value in event.marks.items()]
        if event.spot is not None:
            trace.append(f"given {event.spot}")
        if event.effect == codes.PROMISED:
            trace.append("held until the car passes")
    return {
        "verdict": event.verdict,
        "reason": event.reason,
        "at_ms": event.at_ms,
        "way": "in" if event.way == codes.IN else "out",
        "area": event.area,
        "skew_ms": event.skew_ms,
        "trace": trace,
    }


def rules_in_force(lot: Lot, args: Any) -> Reply:
    """The lot's rules by theme, and the rules asked at entries and exits, in their order."""
    asked = {"entry": [rule.name for rule in lot.entry], "exit": [rule.name for rule in lot.exit]}
    return True, "", {"rules": lot.rules, **asked}


class NoArgs(msgspec.Struct, forbid_unknown_fields=True):
    """No args."""


QUERIES: dict[str, tuple[type[Any], Any]] = {
    "occupancy": (NoArgs, occupancy),
    "session": (OfSession, session),
    "why": (OfScan, why),
    "rules": (NoArgs, rules_in_force),
}
for _part in PARTS:
    QUERIES.update(_part.QUERIES)


def answer(lot: Lot, name: str, args: dict[str, Any], gateway: "Gateway | None" = None) -> Reply:
    """Answer one query about a lot; `ok` false with a code where it cannot be."""
    whole = gateway is not None and name in GATEWAY_QUERIES
    known = GATEWAY_QUERIES[name] if whole else QUERIES.get(name)
    if known is None:
        return False, "unknown_query", {}
    shape, ask = known
    try:
        found = msgspec.convert(args, shape)
        reply: Reply = ask(gateway, lot, found) if whole else ask(lot, found)
    except msgspec.ValidationError as error:
        return False, "bad_args", {"text": str(error)}
    return reply


def policies(gateway: "Gateway", lot: Lot, args: OfReader) -> Reply:
    """Which of the lot's readers has which POLICY; when it was alone last, and how often it opened then."""
    return True, "", gateway.policies.view(lot, args.reader)


GATEWAY_QUERIES: dict[str, tuple[type[Any], Any]] = {"policies": (OfReader, policies)}
"""Those that the gateway answers, about a lot: `ask(gateway, lot, args)`."""


def status(gateway: "Gateway") -> dict[str, Any]:
    """The engine as it is now: what `liftgate up` and an operator's monitoring show."""
    engine = gateway.engine
    return {
        "engine": gateway.config.name,
        "at_ms": gateway.now_ms,
        "lots": list(engine.lots),
        "position": engine.position,
        "durable_position": engine.journal.durable_position,
        "oldest_position": engine.journal.catalogue.all()[0].first,
        "decided": gateway.decided,
        "connections": len(gateway.links),
        "readers": sorted(gateway.readers),
        "services": sorted(gateway.services),
        "accepting": engine.accepting,
        "cursors": engine.journal.cursors.all(),
        "policies": gateway.policies.counts(),
    }
