"""REPLAY: history is recorded as it was, never refused, never a verdict, and paced."""

from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.gateways.replays import SLICE_ENTRIES
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


def parked(world: World, *peers: Any, entries: int = 20) -> None:
    """A round in which each peer sends a REPLAY, and nothing of it is taken yet."""
    world.gateway.begin(world.now_ms, world.now_ms)
    for peer in peers:
        batch = tuple(entry(no, b"%d" % no) for no in range(1, entries + 1))
        peer.link.receive(peer.frame(m.Replay(batch)))
    world.finish()


def worked(world: World) -> bool:
    """A round with one slice of the lane; whether there is more."""
    world.gateway.begin(world.now_ms, world.now_ms)
    more = world.gateway.replays.work()
    world.finish()
    return more


def test_a_live_scan_does_not_wait_for_a_backlog() -> None:
    """It is answered in its own round, whatever is parked; also one of the reader that tells."""
    world = World()
    first, second = world.reader("r0"), world.reader("r1")
    parked(world, first, entries=100)
    world.gateway.begin(world.now_ms, world.now_ms)
    second.link.receive(second.frame(scan(1, b"live")))
    first.link.receive(first.frame(scan(500, b"own")))
    world.finish()
    assert [type(message) for peer in (first, second) for message in peer.take()] == [m.Decision, m.Decision]
    rounds = 1
    while worked(world):
        rounds += 1
    assert rounds == -(-100 // SLICE_ENTRIES)
    (reply,) = first.take()
    assert isinstance(reply, m.Replayed) and (reply.done_to, reply.gaps) == (100, ((500, 500),))


def test_a_backlog_is_answered_when_all_of_it_is_recorded() -> None:
    """Not before, and under its own ref."""
    world = World()
    reader = world.reader()
    parked(world, reader, entries=SLICE_ENTRIES + 1)
    ref = reader.refs
    reader.frame(m.Ping())
    assert worked(world) and reader.take() == []
    assert not worked(world)
    ((reply, of),) = reader.got
    assert isinstance(reply, m.Replayed) and of == ref and reply.done_to == SLICE_ENTRIES + 1


def test_a_reader_that_is_gone_tells_the_rest_again() -> None:
    """What was recorded stays, once; what was not is asked for by WELCOME's done_to."""
    world = World()
    reader, other = world.reader("r0"), world.reader("r1")
    parked(world, reader, other, entries=SLICE_ENTRIES + 1)
    assert worked(world)
    world.hang_up(reader)
    assert world.gateway.replays.entries == 0 and other.take()
    peer = world.connect()
    assert peer.sign_on("r0").done_to == SLICE_ENTRIES
    again = replay(peer, *(entry(no, b"%d" % no) for no in range(1, SLICE_ENTRIES + 2)))
    assert again.done_to == SLICE_ENTRIES + 1


def test_a_full_lane_says_so() -> None:
    """ERROR 12, not fatal: the reader has its log, and sends it again later. No entry of it is recorded."""
    world = World()
    readers = [world.reader(f"r{number}") for number in range(3)]
    world.gateway.replays.entries_max = 30
    parked(world, *readers, entries=20)
    assert [codes(reader.take()) for reader in readers] == [[], [Fault.UNAVAILABLE], [Fault.UNAVAILABLE]]
    while worked(world):
        pass
    assert isinstance(readers[0].take()[0], m.Replayed)
    assert world.lot.counts()["occupancy"] == 20
    assert replay(readers[1], entry(1, b"later")).done_to == 1


def test_a_disk_that_fills_meanwhile_refuses_the_rest() -> None:
    """What is recorded stays recorded; the REPLAY as a whole is to come again."""
    world = World()
    reader = world.reader()
    parked(world, reader)
    assert worked(world)
    world.gateway.begin(world.now_ms, world.now_ms)
    world.engine.accepting = False
    assert not world.gateway.replays.work()
    world.finish()
    assert codes(reader.take()) == [Fault.UNAVAILABLE] and not reader.ended
    assert world.lot.counts()["occupancy"] == SLICE_ENTRIES
    again = replay(reader, *(entry(no, b"%d" % no) for no in range(1, 21)))
    assert again.done_to == 20 and world.lot.counts()["occupancy"] == 20
