"""What a service says for a reader beside scans: passages, lanes and backlogs."""

from typing import Any

import msgspec
import pytest

from liftgate.codecs import messages as m
from tests.gateways.network import ENTRY, START_MS, World, make_config, scan

READER = {"reader": "r0", "boot": 7}
PASSAGE = m.Passage(1, START_MS, ENTRY, 1, None)
STATUS = m.LaneStatus(2, START_MS, ENTRY, 3, False, ("worn",))


def replay(verdict: int, *messages: m.Message) -> bytes:
    entries = (m.ReplayEntry(each.TYPE, verdict, msgspec.Raw(m.encode(each))) for each in messages)
    return m.encode(m.Replay(tuple(entries)))


def told(world: World, name: str, lot: str = "*", **args: Any) -> m.Outcome:
    service = world.service()
    (outcome,) = service.ask(m.CommandMessage(bytes(16), lot, name, {**READER, **args}))
    assert isinstance(outcome, m.Outcome)
    world.hang_up(service)
    return outcome


def test_a_passage_is_recorded_once_whatever_way_it_comes() -> None:
    """By the service, again by it, and by the reader itself: one event, one position."""
    world = World()
    first = told(world, "record_passage", message=m.encode(PASSAGE))
    assert first.ok and told(world, "record_passage", message=m.encode(PASSAGE)).position == first.position
    (ack,) = world.reader("r0").ask(PASSAGE)
    assert ack == m.Ack(1, first.position)


def test_a_lane_is_reported() -> None:
    """Its faults are known as from the reader itself."""
    world = World()
    assert told(world, "report_lane", "north", message=m.encode(STATUS)).ok
    assert world.lot.readers["r0"].lanes[ENTRY].faults == ("worn",)


def test_a_backlog_is_history() -> None:
    """Recorded as it happened, with what the rules would have decided otherwise; twice is once."""
    world = World(make_config(spots=1))
    backlog = replay(m.OPEN, scan(1), scan(2))
    outcome = told(world, "record_history", message=backlog)
    assert outcome.ok and outcome.body["done_to"] == 2 and outcome.body["gaps"] == []
    assert outcome.body["findings"] == [[2, 300]] and world.lot.counts()["occupancy"] == 2
    assert told(world, "record_history", message=backlog).body["findings"] == [[2, 300]]
    assert world.lot.counts()["occupancy"] == 2


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("record_passage", {"message": b"\x92\x01\x02"}, "bad_args"),
        ("record_passage", {"message": m.encode(PASSAGE), "boot": 0}, "bad_args"),
        ("record_passage", {"message": m.encode(m.Passage(1, START_MS, 99, 1, None))}, "no_such_lane"),
        ("report_lane", {"message": m.encode(STATUS), "reader": "nobody"}, "no_such_lot"),
        ("record_history", {"message": replay(0, m.Vend(0, "x"))}, "bad_args"),
        ("record_history", {"message": b"\xc1"}, "bad_args"),
        ("record_history", {"message": replay(1, scan(1, lane=99))}, "no_such_lane"),
    ],
)
def test_what_cannot_be_said_for_a_reader(name: str, args: dict[str, Any], code: str) -> None:
    """A code says why, and nothing is recorded."""
    world = World()
    before = world.engine.position
    outcome = told(world, name, **args)
    assert not outcome.ok and outcome.code == code and world.engine.position == before


def test_a_scan_needs_no_lot_either() -> None:
    """With "*" for the lot it is the reader's own."""
    world = World()
    fields = {name: getattr(scan(1), name) for name in ("no", "at_ms", "lane", "kind", "token")}
    assert told(world, "read_credential", **fields).body["verdict"] == m.OPEN


def test_it_takes_the_right_to() -> None:
    """A service that may only ask may not speak for readers."""
    world = World()
    blind = world.service("blind")
    (outcome,) = blind.ask(m.CommandMessage(bytes(16), "*", "record_passage", {**READER}))
    assert isinstance(outcome, m.Outcome) and outcome.code == "not_allowed"
