"""REPLAY: history is recorded as it was, never refused, never a verdict, and paced."""

from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from tests.gateways.network import ENTRY, EXIT, START_MS, World, codes, make_config, scan


def entry(no: int, token: bytes, lane: int = ENTRY, verdict: int = 1, at_ms: int = START_MS) -> m.ReplayEntry:
    body = msgspec.Raw(m.encode(scan(no, token, lane, at_ms)))
    return m.ReplayEntry(m.Scan.TYPE, verdict, body)


def replay(peer: Any, *entries: m.ReplayEntry) -> m.Replayed:
    (reply,) = peer.ask(m.Replay(entries))
    assert isinstance(reply, m.Replayed), reply
    return reply


def test_cars_are_in_also_above_capacity() -> None:
    """Cars that the reader let in alone are in, even in a full lot, and each is a finding."""
    world = World(make_config(spots=2))
    reader = world.reader()
    reply = replay(reader, *(entry(no, b"car-%d" % no) for no in range(1, 5)))
    assert reply.done_to == 4 and reply.gaps == ()
    assert [no for no, _ in reply.findings] == [3, 4] and {reason for _, reason in reply.findings} <= {
        300,
        301,
    }
    assert world.lot.counts()["occupancy"] == 4 and world.lot.counts()["available"] == -2
    assert reply.position == world.engine.position


def test_replay_once() -> None:
    """A REPLAY sent again changes nothing and finds the same."""
    world = World(make_config(spots=1))
    reader = world.reader()
    entries = (entry(1, b"a"), entry(2, b"b"))
    first = replay(reader, *entries)
    before = world.dump()
    second = replay(reader, *entries)
    assert second.findings == first.findings and world.dump() == before


def test_history_never_opens() -> None:
    """A SCAN whose number came as history is answered refuse, 205."""
    reader = World().reader()
    replay(reader, entry(1, b"car"))
    (decision,) = reader.ask(scan(1, b"car"))
    assert isinstance(decision, m.Decision) and (decision.verdict, decision.reason) == (2, 205)


def test_live_before_backlog() -> None:
    """A live event may come before the backlog; the gap closes with the REPLAY, which says what is left."""
    reader = World().reader()
    reader.ask(scan(10, b"live"))
    assert replay(reader, entry(1, b"a"), entry(4, b"b")).gaps == ((4, 4), (10, 10))
    reply = replay(reader, *(entry(no, b"%d" % no) for no in (2, 3, 5, 6, 7, 8, 9)))
    assert (reply.done_to, reply.gaps) == (10, ())


def test_all_kinds() -> None:
    """PASSAGE and LANE_STATUS are history too."""
    world = World()
    entries = (
        m.ReplayEntry(m.Passage.TYPE, 0, msgspec.Raw(m.encode(m.Passage(1, START_MS, ENTRY, 3)))),
        m.ReplayEntry(
            m.LaneStatus.TYPE, 0, msgspec.Raw(m.encode(m.LaneStatus(2, START_MS, EXIT, 3, False, ("motor",))))
        ),
    )
    assert replay(world.reader(), *entries).done_to == 2
    assert world.lot.counts()["occupancy"] == 1


def test_wrong_entry() -> None:
    """An entry of another type, or with a wrong body, is ERROR 6; those before it stay recorded."""
    world = World()
    bad = m.ReplayEntry(m.Ping.TYPE, 0, msgspec.Raw(b"\x90"))
    reader = world.reader()
    assert codes(reader.ask(m.Replay((entry(1, b"a"), bad)))) == [Fault.BAD_FIELD]
    assert reader.ended and world.connect().sign_on("r0").done_to == 1
    worse = m.ReplayEntry(m.Scan.TYPE, 1, msgspec.Raw(b"\x93\x02\x00\x00"))
    assert codes(world.reader().ask(m.Replay((worse,)))) == [Fault.BAD_FIELD]


def test_pause_is_shared() -> None:
    """The pause grows with the entries of all readers together, and time takes it back."""
    world = World()
    first, second = world.reader("r0"), world.reader("r1")
    entries = [entry(no, b"%d" % no) for no in range(1, 201)]
    assert replay(first, *entries).pause_ms == 10
    assert replay(second, *entries).pause_ms == 20
    world.now_ms += 1000
    assert replay(second, entry(201, b"x")).pause_ms == 0
