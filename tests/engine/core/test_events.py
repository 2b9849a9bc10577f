"""Events on disk: what is written is read back, and is what MessagePack's own package reads."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.events import UnknownEvent, events_of, lanes, ledger
from liftgate.codecs.events import entitlements as pe
from liftgate.codecs.events import operators as op
from liftgate.codecs.events import passback as pb
from liftgate.codecs.events import registry as rg
from liftgate.codecs.events import reservations as rs
from liftgate.codecs.events.readers import Rare, ReaderEvent
from liftgate.codecs.pack import Packer
from liftgate.codecs.unpack import Malformed, Unpacker
from liftgate.engine.core import commands as c
from liftgate.engine.core import events as ev
from liftgate.engine.core import state
from tests.engine.core.lots import CARD, CONFIRMED, Yard, area, block, lane_spec, lot_spec, packed, replayed

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "events_v1.json"

U8, U16 = st.integers(0, 255), st.integers(0, 65_535)
U64, TIME = st.integers(0, 2**64 - 1), st.integers(0, 2**52)
SEQ = st.integers(1, 2**63 - 1)
ID, WORDS = st.text(min_size=1, max_size=64), st.text(max_size=512)
BIN16 = st.binary(min_size=16, max_size=16)
TOKEN = st.binary(max_size=512)
FAULTS = st.lists(st.text(max_size=64), max_size=16).map(tuple)

TOKENS = st.lists(TOKEN, max_size=3).map(tuple)
SPEC = st.dictionaries(ID, U16 | WORDS | st.lists(TOKEN, max_size=2), max_size=4)

HEAD = {"lot": ID, "seq": SEQ, "at_ms": TIME}
SOURCE = HEAD | {"reader": ID, "boot": U64, "no": U64, "lane": U8}
BY_READERS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    ev.ScanDecided: SOURCE
    | {"kind": U8, "token": TOKEN, "skew_ms": st.integers(-(2**52), 2**52), "way": U8, "verdict": U8}
    | {"reason": U16, "effect": U8, "area": ID, "session": st.none() | BIN16, "spot": st.none() | ID}
    | {"price": st.none() | st.tuples(st.integers(-(2**63), 2**63 - 1), st.text(max_size=3))}
    | {"trace": st.none() | st.lists(WORDS, max_size=8).map(tuple)}
    | {"marks": st.dictionaries(ID, U16 | WORDS, max_size=3)},
    ev.PassageRecorded: SOURCE
    | {"what": U8, "way": U8, "area": ID, "session": st.none() | BIN16, "effect": st.text(max_size=16)},
    ev.LaneReported: SOURCE | {"barrier": U8, "loop": st.booleans(), "faults": FAULTS},
    ev.HistoryRecorded: SOURCE
    | {"what": U8, "verdict_given": U8, "finding": U16, "way": U8, "area": ID}
    | {"session": st.none() | BIN16, "spot": st.none() | ID, "effect": st.text(max_size=16)}
    | {"detail": st.tuples(U8, TOKEN) | st.tuples(U8, st.none() | BIN16)},
}
LAYER = {"at": ID, "mode": U8, "until_ms": TIME, "actor": ID, "reason": WORDS, "plan": ID, "step": U8}
SPANS = st.lists(st.tuples(TIME, TIME, ID, U8), max_size=4).map(tuple)
BY_OPERATORS: dict[type, dict[str, st.SearchStrategy[Any]]] = {
    op.LotConfigured: {"spec": st.just(lot_spec())},
    op.ReaderConfigured: {"reader": ID, "lanes": st.just(CONFIRMED) | st.just(())},
    op.MoveLapsed: {"session": BIN16},
    op.CommandDone: {"id": BIN16, "service": ID, "name": ID, "ok": st.booleans(), "code": ID}
    | {"body": st.dictionaries(ID, U16 | WORDS | st.booleans(), max_size=4)},
    op.CountCorrected: {"area": ID, "before": st.integers(-(10**7), 10**7), "after": U16}
    | {"actor": ID, "reason": WORDS},
    op.LaneModeSet: {"reader": ID, "lane": U8, "mode": U8, "actor": ID, "reason": WORDS},
    op.LaneVended: {"reader": ID, "lane": U8, "cause": WORDS, "actor": ID},
    op.TextShown: {"reader": ID, "lane": U8, "text": WORDS, "seconds": U16, "actor": ID},
    op.CredentialDenied: {"credential": TOKEN, "actor": ID, "reason": WORDS},
    op.CredentialAllowed: {"credential": TOKEN, "actor": ID, "reason": WORDS},
    op.CredentialRegistered: {"credential": TOKEN, "classes": FAULTS, "actor": ID},
    op.CredentialForgotten: {"credential": TOKEN, "actor": ID},
    op.PassbackReset: {"credential": TOKEN, "actor": ID, "reason": WORDS},
    op.RulesSet: {"rules": st.dictionaries(ID, st.dictionaries(ID, U16)), "actor": ID, "reason": WORDS},
    lanes.ModeSet: LAYER,
    lanes.ModeEnded: LAYER,
    lanes.EventPlanned: {"name": ID, "from_ms": TIME, "to_ms": TIME, "actor": ID, "reason": WORDS}
    | {"steps": SPANS, "holds": SPANS},
    lanes.PlanCancelled: {"name": ID, "actor": ID, "reason": WORDS},
    lanes.PlanEnded: {"name": ID},
    lanes.PlacesHeld: {"area": ID, "places": U16, "plan": ID, "step": U8},
    lanes.RateExceeded: {"reader": ID, "lane": U8, "what": ID, "count": U8},
    lanes.LaneDown: {"reader": ID, "lanes": st.lists(U8).map(tuple), "since_ms": TIME},
    lanes.LaneUp: {"reader": ID, "lanes": st.lists(U8).map(tuple), "since_ms": TIME},
    lanes.AloneReported: {"reader": ID, "since_ms": TIME},
    lanes.TideTurned: {"reader": ID, "lane": U8, "run": ID, "clear_until_ms": TIME, "until_ms": TIME}
    | {"actor": ID, "reason": WORDS},
    pe.PassIssued: {"spec": SPEC, "actor": ID, "reason": WORDS},
    pe.PassChanged: {"spec": SPEC, "actor": ID, "reason": WORDS},
    pe.PassRevoked: {"name": ID, "actor": ID, "reason": WORDS},
    pe.PassForgotten: {"name": ID},
    pe.GroupSet: {"name": ID, "limit": st.none() | U16, "areas": st.dictionaries(ID, U16, max_size=3)}
    | {"over": ID, "added": TOKENS, "removed": TOKENS, "actor": ID, "reason": WORDS},
    pe.GroupRemoved: {"name": ID, "actor": ID, "reason": WORDS},
    pe.ChargerReported: {"spot": ID, "session": st.none() | BIN16, "state": ID, "actor": ID},
    pe.ChargerBlocked: {"spot": ID, "session": st.none() | BIN16, "full_since_ms": TIME},
    ledger.AreasRecounted: {"areas": st.lists(st.tuples(ID, st.integers(-(10**7), 10**7), U16)).map(tuple)}
    | {"actor": ID, "reason": WORDS},
    ledger.CountReported: {"area": ID, "expected": st.integers(-(10**7), 10**7), "counted": U16}
    | {"source": ID, "actor": ID},
    ledger.LaneReconciled: {"reader": ID, "lane": U8, "hour": U16, "counts": st.lists(U16).map(tuple)}
    | {"waiting": U16, "missing": U16, "difference": WORDS},
    pb.DoubtCast: {"reader": ID, "lane": U8, "area": ID, "cause": WORDS, "stays": U16, "until_ms": TIME},
    pb.PassbacksReset: {"credentials": st.lists(TOKEN, max_size=4).map(tuple), "group": WORDS}
    | {"whole": st.booleans(), "until_ms": TIME, "actor": ID, "reason": WORDS},
    pb.TicketLost: {"session": BIN16, "credential": TOKEN, "replacement": st.none() | TOKEN}
    | {"entered_at_ms": TIME, "cause": WORDS, "actor": ID},
    pb.StayClosed: {"session": BIN16, "credential": TOKEN, "area": st.none() | ID, "spot": st.none() | ID}
    | {"entered_at_ms": TIME, "cause": WORDS, "actor": ID},
    pb.CredentialSwapped: {"session": BIN16, "before": TOKEN, "after": TOKEN, "actor": ID, "reason": WORDS},
    pb.CarNamed: {"session": BIN16, "credential": TOKEN, "area": ID, "entered_at_ms": TIME}
    | {"notes": st.dictionaries(ID, WORDS | st.booleans(), max_size=3), "cause": WORDS, "actor": ID},
    rs.ReservationMade: {"id": BIN16, "credential": st.none() | TOKEN, "code": TOKEN, "area": ID}
    | {"spot_class": ID, "spot": ID, "from_ms": TIME, "to_ms": TIME, "early_ms": TIME, "late_ms": TIME}
    | {"leave_ms": TIME, "waiting": st.booleans(), "percent": U8, "actor": ID, "reason": WORDS},
    rs.ReservationChanged: {"id": BIN16, "credential": st.none() | TOKEN, "from_ms": TIME, "to_ms": TIME}
    | {"percent": U8, "actor": ID, "reason": WORDS},
    rs.ReservationCancelled: {"id": BIN16, "actor": ID, "reason": WORDS},
    rs.HoldGrown: {"id": BIN16, "percent": U8},
    rs.ReservationOpened: {"id": BIN16, "session": st.none() | BIN16},
    rs.ReservationReleased: {"id": BIN16, "why": ID},
    rs.ReservationOffered: {"id": BIN16, "until_ms": TIME},
    rs.OfferAccepted: {"id": BIN16, "actor": ID},
    rs.ReservationOverstayed: {"id": BIN16, "session": BIN16},
    rs.ReservationTurnedAway: {"id": BIN16},
    rs.SpotWithheld: {"id": BIN16},
    rs.ArrivalWithdrawn: {"id": BIN16},
    rg.ReaderRegistered: {"reader": ID, "key": TOKEN, "lanes": st.just(CONFIRMED), "actor": ID}
    | {"reason": WORDS},
    rg.ReaderChanged: {"reader": ID, "lanes": st.just(CONFIRMED), "actor": ID, "reason": WORDS},
    rg.ReaderKeyRotated: {"reader": ID, "key": TOKEN, "until_ms": TIME, "actor": ID, "reason": WORDS},
    rg.ReaderKeyRetired: {"reader": ID, "cause": ID},
    rg.ReaderRevoked: {"reader": ID, "actor": ID, "reason": WORDS},
    op.FindingMade: {"kind": ID, "text": WORDS, "about": st.dictionaries(ID, U16 | WORDS, max_size=4)},
}


def by_reader(cls: type, values: dict[str, Any]) -> Any:
    event = cls()
    rare = {name: values[name] for name in ("price", "trace", "marks") if name in values}
    for name, value in values.items():
        if name not in rare:
            setattr(event, name, value)
    if any(rare.values()):
        event.add(**rare)
    return event


reader_events = st.one_of(
    [
        st.fixed_dictionaries(fields).map(lambda v, cls=cls: by_reader(cls, v))
        for cls, fields in BY_READERS.items()
    ]
)
operator_events = st.one_of([st.builds(cls, **HEAD, **fields) for cls, fields in BY_OPERATORS.items()])


def plain(value: Any) -> Any:
    """Tuples as the lists that MessagePack knows."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def _rare(rare: Rare) -> Any:
    """As it is written: without marks where there are none."""
    return plain([rare.price, rare.trace, *([rare.marks] if rare.marks else ())])


def as_array(event: Any) -> list[Any]:
    """What the event's array holds, by the documented order of fields."""
    if isinstance(event, op.OperatorEvent):
        tag = type(event).__struct_config__.tag
        return [tag, *(plain(getattr(event, name)) for name in event.__struct_fields__)]
    if isinstance(event, ReaderEvent):
        tag = type(event).__struct_config__.tag
        values = [getattr(event, name) for name in event.__struct_fields__]
        return [tag, *(_rare(value) if isinstance(value, Rare) else plain(value) for value in values)]
    if isinstance(event, ev.ScanDecided):
        names = [name for name in BY_READERS[ev.ScanDecided] if name not in ("price", "trace", "marks")]
        rare = [event.price, event.trace, *([event.marks] if event.marks else ())]
        rare = rare if any(rare) else None
        return [0x10, *(getattr(event, name) for name in names), plain(rare)]
    return [type(event).TYPE, *(plain(getattr(event, name)) for name in BY_READERS[type(event)])]


def test_every_type_of_event_is_tried_here() -> None:
    """Whoever adds one adds it to these tests."""
    assert set(BY_OPERATORS) == set(ev.OPERATOR_EVENTS.values())
    tags = {cls.TYPE for cls in BY_READERS} | set(ev.OPERATOR_EVENTS)
    assert len(tags) == len(BY_READERS) + len(BY_OPERATORS)


@given(st.one_of(reader_events, operator_events))
def test_an_event_reads_back_and_is_plain_messagepack(event: Any) -> None:
    """Through our reader and through the oracle, field by field, and again to the same bytes."""
    data = packed([event])
    source = Unpacker(data)
    again = ev.unpack(source)
    assert source.at == len(data)
    assert type(again) is type(event)
    assert as_array(again) == as_array(event)
    assert packed([again]) == data
    assert msgpack.unpackb(data, strict_map_key=False) == as_array(event)


@given(st.lists(st.one_of(reader_events, operator_events), max_size=5))
def test_who_follows_the_feed_reads_what_the_engine_wrote(written: list[Any]) -> None:
    """As structs, field by field, also where the engine has classes of its own."""
    read = events_of(b"".join(packed([event]) for event in written), len(written))
    assert [type(event).__name__ for event in read] == [type(event).__name__ for event in written]
    assert [as_array(event) for event in read] == [as_array(event) for event in written]


@pytest.mark.parametrize("count", [1, 3])
def test_a_record_of_more_or_fewer_events_is_none(count: int) -> None:
    """Nor is one of an event that a newer engine wrote."""
    two = 2 * packed([op.MoveLapsed("north", 1, 1, bytes(16))])
    with pytest.raises(UnknownEvent, match=f"{count} events"):
        events_of(two, count)
    with pytest.raises(UnknownEvent):
        events_of(msgpack.packb([126, "north", 1, 1]), 1)


@given(st.lists(st.one_of(reader_events, operator_events), max_size=5), st.binary(max_size=8))
def test_events_stand_behind_each_other_without_a_seam(events: list[Any], before: bytes) -> None:
    """From any offset, each ends where the next begins."""
    out = Packer()
    out.append(before)
    for event in events:
        ev.pack(event, out)
    source = Unpacker(out.getvalue(), len(before))
    assert [as_array(ev.unpack(source)) for _ in events] == [as_array(event) for event in events]
    assert source.at == source.end


@given(st.one_of(reader_events, operator_events), st.data())
def test_an_event_cut_short_is_malformed(event: Any, data: st.DataObject) -> None:
    """No prefix of an event is taken for one."""
    whole = packed([event])
    size = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Malformed):
        ev.unpack(Unpacker(whole[:size]))


def test_an_unknown_type_is_malformed_and_named() -> None:
    """An older engine does not guess what a newer one wrote."""
    with pytest.raises(Malformed, match="event type 126"):
        ev.unpack(Unpacker(msgpack.packb([126, "north", 1, 1])))


def eventful_yard() -> Yard:
    """A small life with an event of every type."""
    spec = lot_spec(area("north", None, block("P1", "A", 2)), area("vip", "north", block("P0", "V", 1)))
    yard = Yard(spec, r=CONFIRMED, v=(lane_spec(0, "both", "vip"),))
    entered = yard.scan(0)
    yard.passage(0, 1, entered.session)
    yard.scan(0)
    yard.scan(0, b"boris", no=9, at_ms=yard.now_ms + 60_000)
    yard.scan(1, b"chloe", boot=2**64 - 1, no=1)
    yard.status(0, 3, True, "arm broken")
    yard.history(0, 0x10, CARD, b"dmitri", verdict=1, at_ms=yard.now_ms - 3_600_000)
    yard.history(0, 0x12, 3, None, at_ms=yard.now_ms - 3_590_000)
    yard.history(1, 0x13, 0, False, ())
    yard.tick(1_000)
    orders: list[tuple[str, dict[str, Any]]] = [
        ("correct_count", {"area": "vip", "to": 1, "actor": "jo", "reason": "counted"}),
        ("set_lane", {"reader": "r", "lane": 1, "mode": 3, "actor": "jo"}),
        ("open_lane", {"reader": "r", "lane": 1, "cause": "ambulance", "actor": "jo"}),
        ("display", {"reader": "r", "lane": 1, "text": "Grüße", "seconds": 5, "actor": "jo"}),
        ("deny_credential", {"kind": CARD, "token": b"eve", "actor": "jo", "reason": "stolen"}),
        ("deny_credential", {"kind": CARD, "token": b"finn", "actor": "jo"}),
        ("allow_credential", {"kind": CARD, "token": b"finn", "actor": "jo"}),
        ("register_credential", {"kind": CARD, "token": b"anna", "actor": "jo", "classes": ["permit"]}),
        ("register_credential", {"kind": CARD, "token": b"gina", "actor": "jo"}),
        ("forget_credential", {"kind": CARD, "token": b"gina", "actor": "jo"}),
        ("reset_passback", {"kind": CARD, "token": b"anna", "actor": "jo", "reason": "asked"}),
        ("reset_passback", {"kind": CARD, "token": b"hugo", "actor": "jo"}),
        ("sing", {}),
    ]
    for name, args in orders:
        assert yard.order(name, **args)[0] == (name != "sing")
    yard.do(c.ConfigureReader(yard.now_ms, "v", ()))
    yard.check()
    return yard


def vectors() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(VECTORS.read_text(encoding="utf-8"))
    return found


def test_a_journal_of_version_1_replays_for_ever() -> None:
    """The events checked in, at least one of each type, still give the state whose hash stands there."""
    vector = vectors()
    log = bytes.fromhex("".join(vector["events"]))
    lot = replayed(vector["lot"], log)
    assert hashlib.sha256(state.dump(lot)).hexdigest() == vector["state_sha256"]
    assert lot.counts() == vector["counts"]
    types = {event[0] for event in map(msgpack.unpackb, map(bytes.fromhex, vector["events"]))}
    assert types == {cls.TYPE for cls in BY_READERS} | {tag for tag in ev.OPERATOR_EVENTS if tag <= 0x39}


def test_the_same_life_is_written_as_it_was() -> None:
    """Decided today, it makes the same bytes as when the vector was made."""
    assert bytes(eventful_yard().log).hex() == "".join(vectors()["events"])
