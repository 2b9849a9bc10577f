"""The gateway in rounds: bounds on connections, commit before answers, full disk, orderly stop."""

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.engine.journal.journal import JournalFailed
from tests.gateways.network import (
    ENTRY,
    SEGMENT_BYTES,
    SLOW_ENTRY,
    START_MS,
    Peer,
    World,
    codes,
    hello,
    make_config,
    scan,
)


def test_oldest_stranger_makes_room() -> None:
    """At readers_max the oldest connection that has not signed on gives way; those signed on never do."""
    world = World(make_config(readers_max=3))
    reader, older, younger = world.reader("r0"), world.connect(), world.connect()
    newcomer = world.reader("r1")
    assert older.ended and not younger.ended and not reader.ended and not newcomer.ended
    assert len(world.gateway.links) == 3


def test_no_room_among_the_signed_on() -> None:
    """With readers_max signed on, one more is told ERROR 12 and not taken; when one leaves there is room."""
    world = World(make_config(readers_max=2))
    first, _second = world.reader("r0"), world.reader("r1")
    assert world.gateway.connect("peer") is None
    stranger = Peer(world, first.link)
    stranger.receive(world.gateway.farewell())
    assert codes(stranger.take()) == [Fault.UNAVAILABLE]
    world.hang_up(first)
    assert world.reader("r2").ask(scan(1))


def test_strangers_leave_nothing() -> None:
    """A thousand connections that say nothing and go leave no trace."""
    world = World(make_config(readers_max=10))
    for _ in range(1000):
        world.connect()
    world.round()
    assert len(world.gateway.links) == len(world.gateway.strangers) == 10
    world.wait(6)
    assert not world.gateway.links and not world.gateway.strangers


def test_each_gets_its_own() -> None:
    """Answers of one round go to who asked, in the order asked, however the requests were mixed."""
    world = World()
    peers = [world.reader(f"r{n}") for n in range(4)]
    sends = [(peers[n % 4], peers[n % 4].frame(scan(n // 4 + 1, b"%d" % n))) for n in range(40)]
    world.round(*sends)
    for peer in peers:
        assert [message.no for message in peer.take()] == list(range(1, 11))  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", ["failing_sync", "failing_write", "short_write"])
def test_nothing_leaves_before_commit(fault: str) -> None:
    """When the commit fails nobody is answered, the failure ends the engine, and it takes nothing more."""
    world = World()
    peer, other = world.reader("r0"), world.reader("r1")
    setattr(world.storage.faults, fault, 1)
    with pytest.raises(JournalFailed):
        world.round((peer, peer.frame(scan(1))), (other, other.frame(m.Ping())))
    assert peer.take() == other.take() == []
    with pytest.raises(JournalFailed):
        world.round((peer, peer.frame(scan(2))))
    assert peer.take() == []


def test_an_answer_survives_the_process() -> None:
    """After a crash of the process a resend gets the same DECISION, byte for byte."""
    world = World()
    first = world.reader().ask(scan(1), scan(2))
    world.restart()
    assert world.reader().ask(scan(1), scan(2)) == first


def fill(world: World) -> int:
    """Leave no room for another segment, and scan until that shows; the next number to use."""
    world.storage.faults.bytes_max = sum(world.storage.open(name).size for name in world.storage.names())
    peer = world.gateway.readers.get("r0")
    reader = world.peers[peer] if peer else world.reader("r0")
    for no in range(1, 100_000, 50):
        answers = reader.ask(*(scan(n, b"x" * 500) for n in range(no, no + 50)))
        if codes(answers):
            refused = codes(answers).count(Fault.UNAVAILABLE)
            assert refused == len(codes(answers)) == 50  # whole rounds are taken or refused
            return no
    raise AssertionError("the disk never filled")


def test_full_disk_refuses_and_comes_back() -> None:
    """A full disk answers ERROR 12, not fatal, and decides nothing; room on the disk is enough to go on."""
    world = World()
    no = fill(world)
    before = world.dump()
    reader = world.peers[world.gateway.readers["r0"]]
    for request in (
        scan(no),
        m.Passage(no, START_MS, SLOW_ENTRY, 1),
        m.LaneStatus(no, START_MS, SLOW_ENTRY, 0, False, ()),
        m.Replay(()),
    ):
        (error,) = reader.ask(request)
        assert isinstance(error, m.Error) and error.code == Fault.UNAVAILABLE and not error.fatal
    command = m.CommandMessage(bytes(16), "north", "correct_count", {})
    assert codes(world.service().ask(command)) == [Fault.UNAVAILABLE]
    assert world.dump() == before and not reader.ended
    (again,) = reader.ask(scan(no - 1))
    assert isinstance(again, m.Decision)
    world.storage.faults.bytes_max = None
    world.engine.journal.maintain()
    (answer,) = reader.ask(scan(no))
    assert isinstance(answer, m.Decision)


def test_full_disk_lets_nothing_lapse() -> None:
    """While the disk is full no hold lapses, however little the segment has left; with room again it does."""
    world = World(make_config(spots=30_000))
    entrant = world.reader("r1")
    for no in range(1, 10_001, 50):
        entrant.ask(*(scan(n, b"in-%d" % n, SLOW_ENTRY) for n in range(no, no + 50)))
    assert world.lot.counts()["held"] == 10_000
    fill(world)
    world.wait(70)
    assert world.lot.counts()["held"] == 10_000
    world.storage.faults.bytes_max = None
    world.engine.journal.maintain()
    world.wait(20)
    assert world.lot.counts()["held"] == 0


def test_full_is_seen_within_a_round() -> None:
    """A round that is committed in parts asks for each part whether the disk still has room."""
    world = World(make_config(readers=400, in_flight_max=64))
    peers = [world.reader(f"r{n}") for n in range(400)]
    world.storage.faults.bytes_max = sum(world.storage.open(name).size for name in world.storage.names())
    world.round(
        *((peer, b"".join(map(peer.frame, (scan(n, b"x" * 500) for n in range(1, 65))))) for peer in peers)
    )
    answers = [message for peer in peers for message in peer.take()]
    assert {type(message) for message in answers} == {m.Decision, m.Error}
    assert len(answers) == 400 * 64 and set(codes(answers)) == {Fault.UNAVAILABLE}
    assert world.engine.journal.durable_position * 500 < SEGMENT_BYTES


@pytest.mark.parametrize("fills", (9, 10, 11))
def test_the_last_of_a_round_may_be_large(fills: int) -> None:
    """A round that is nearly as full as it may be, with the largest REPLAYs behind it, still has the room
    that was promised when it began, wherever the segment stands when the disk is full."""
    world = World(make_config(spots=2, readers=8))
    reader, others = world.reader("r0"), [world.reader(f"r{n}") for n in range(1, 6)]
    for fill_no in range(fills):
        world.round(
            (reader, b"".join(reader.frame(scan(fill_no * 64 + n, b"x" * 500)) for n in range(1, 65)))
        )
    world.storage.faults.bytes_max = sum(world.storage.open(name).size for name in world.storage.names())
    backlog = b""
    for first in range(10_000, 20_000, 1000):
        entries = [m.Scan(no, 0, ENTRY, 2, b"") for no in range(first, first + 1000)]
        if len(backlog) < 50_000:
            raw = tuple(m.ReplayEntry(m.Scan.TYPE, 1, msgspec.Raw(m.encode(entry))) for entry in entries)
            backlog += reader.frame(m.Replay(raw))
    few = [(peer, b"".join(peer.frame(scan(n, b"x" * 500)) for n in range(1, 65))) for peer in others]
    for _ in range(3):
        world.round(*few, (reader, backlog))
    assert not reader.ended


def test_orderly_stop() -> None:
    """Stopping: everybody gets GOODBYE behind its last answer, and nobody new is taken."""
    world = World()
    reader, service, stranger = world.reader(), world.service(), world.connect()
    world.gateway.begin(world.now_ms)
    reader.link.receive(reader.frame(scan(1)))
    world.gateway.stop()
    world.finish()
    decision, goodbye = reader.take()
    assert isinstance(decision, m.Decision) and goodbye == m.Goodbye("stopping")
    assert service.take() == stranger.take() == [m.Goodbye("stopping")]
    assert reader.ended and service.ended and stranger.ended
    assert world.gateway.connect("peer") is None


def test_stopping_decides_nothing_more() -> None:
    """What arrives after the stop is not decided, also where the GOODBYE still waits for a slow peer."""
    world = World()
    reader = world.reader()
    reader.room = 0
    world.gateway.begin(world.now_ms)
    world.gateway.stop()
    world.finish()
    before = world.dump()
    world.round((reader, reader.frame(scan(1))))
    assert world.dump() == before and not reader.ended
    reader.flush()
    assert reader.take() == [m.Goodbye("stopping")] and reader.ended


def test_time_never_runs_backwards() -> None:
    """A wall clock that steps back does not take the engine's with it."""
    world = World()
    peer = world.reader()
    (before,) = peer.ask(m.TimeAsk(1))
    world.now_ms -= 3_600_000
    (after,) = peer.ask(m.TimeAsk(2))
    assert isinstance(before, m.Time) and isinstance(after, m.Time) and after.t1 >= before.t1


def test_hello_alone_costs_nothing_durable() -> None:
    """Sign-ons, right or wrong, write nothing to the journal."""
    world = World()
    position = world.engine.position
    world.reader()
    world.connect().ask(hello("nobody"))
    assert world.engine.position == position
