"""One connection: bounds, errors, heartbeats and slow peers."""

import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, frame
from tests.gateways.network import ENTRY, EXIT, SLOW_ENTRY, START_MS, World, codes, make_config, scan


def test_in_flight_bound() -> None:
    """in_flight_max requests in one piece are answered; one more is ERROR 10, and those before it stay."""
    world = World(make_config(in_flight_max=8))
    reader = world.reader()
    assert len(reader.ask(*map(scan, range(1, 9)))) == 8
    answers = reader.ask(*map(scan, range(9, 20)))
    assert [type(answer) for answer in answers] == [m.Decision] * 8 + [m.Error]
    assert codes(answers) == [Fault.TOO_MANY_IN_FLIGHT] and reader.ended
    assert world.reader().ask(scan(16))[0] == answers[7]


def test_in_flight_bound_over_two_reads() -> None:
    """What comes in two pieces within one round is unanswered together."""
    world = World(make_config(in_flight_max=8))
    reader = world.reader()
    pieces = [b"".join(reader.frame(scan(no)) for no in numbers) for numbers in (range(1, 6), range(6, 10))]
    world.round(*((reader, piece) for piece in pieces))
    assert codes(reader.take()) == [Fault.TOO_MANY_IN_FLIGHT] and reader.ended


def test_lane_not_configured() -> None:
    """A lane that the reader does not have is ERROR 13 with the request's ref; nothing is decided."""
    world = World()
    before = world.dump()
    reader = world.reader()
    world.round((reader, reader.frame(scan(1, lane=99))))
    ((error, ref),) = reader.got
    assert isinstance(error, m.Error) and error.code == Fault.NO_SUCH_LANE and ref == reader.refs
    assert reader.ended and world.dump() == before


def test_gaps_bound() -> None:
    """64 gaps are remembered; a number that would leave one more is ERROR 11, one that fills them is fine."""
    world = World()
    reader = world.reader()
    for low in range(3, 131, 32):
        reader.ask(*(scan(no) for no in range(low, low + 32, 2)))
    assert len(world.reader().ask(scan(2), scan(129))) == 2
    answers = world.reader().ask(*(scan(no) for no in (133, 135, 137)))
    assert codes(answers) == [Fault.TOO_MANY_GAPS]
    welcome = world.connect().sign_on("r0")
    assert len(welcome.gaps) == 64


def test_resend_in_the_same_round() -> None:
    """A number sent twice in one piece is decided once and answered alike twice."""
    world = World()
    first, second = world.reader().ask(scan(1, b"car"), scan(1, b"car"))
    assert first == second
    assert world.lot.counts()["occupancy"] == 1


def test_resend_over_two_connections_in_a_round() -> None:
    """A new boot's first event over two connections in one round is decided once."""
    world = World()
    first = world.reader(boot=99)
    service = world.service()
    args = {"reader": "r0", "boot": 99, "no": 1, "lane": ENTRY, "kind": 2, "token": b"car", "at_ms": START_MS}
    command = m.CommandMessage(bytes(16), "north", "read_credential", args)
    world.round((service, service.frame(command)), (first, first.frame(scan(1, b"car"))))
    (outcome,), (decision,) = service.take(), first.take()
    assert isinstance(outcome, m.Outcome) and isinstance(decision, m.Decision)
    assert outcome.body["session"] == decision.session and outcome.position == decision.position
    assert world.lot.counts()["occupancy"] == 1


def test_passage_and_status_once() -> None:
    """PASSAGE and LANE_STATUS sent again are acknowledged with the first position."""
    world = World()
    reader = world.reader()
    requests = (
        m.Passage(1, START_MS, SLOW_ENTRY, 3),
        m.LaneStatus(2, START_MS, ENTRY, 1, True, ("loop",)),
    )
    first = reader.ask(*requests)
    assert all(isinstance(ack, m.Ack) for ack in first)
    before = world.dump()
    assert reader.ask(*requests) == first
    assert world.dump() == before


def test_confirmed_entry() -> None:
    """At a lane with confirm the car counts when it has passed."""
    world = World()
    reader = world.reader()
    (decision,) = reader.ask(scan(1, b"car", SLOW_ENTRY))
    assert isinstance(decision, m.Decision)
    assert (world.lot.counts()["held"], world.lot.counts()["occupancy"]) == (1, 0)
    reader.ask(m.Passage(2, START_MS, SLOW_ENTRY, 1, decision.session))
    assert (world.lot.counts()["held"], world.lot.counts()["occupancy"]) == (0, 1)
    (left,) = reader.ask(scan(3, b"car", EXIT))
    assert isinstance(left, m.Decision) and left.verdict == 1 and world.lot.counts()["occupancy"] == 0


def test_hold_lapses() -> None:
    """Without PASSAGE the promised spot is free again after confirm_s."""
    world = World()
    world.reader().ask(scan(1, b"car", SLOW_ENTRY))
    world.wait(59)
    assert world.lot.counts()["held"] == 1
    world.wait(3)
    assert world.lot.counts()["held"] == 0


def test_heartbeat() -> None:
    """Silence is asked about once after heartbeat_s, and ends the connection after as long again."""
    world = World(make_config(heartbeat_s=5))
    reader = world.reader()
    world.wait(5)
    assert reader.take() == [m.Ping()]
    world.wait(4)
    assert reader.take() == [] and not reader.ended
    world.wait(1)
    assert reader.take() == [m.Goodbye("silent")]
    assert reader.ended and not world.gateway.readers


def test_heartbeat_answered() -> None:
    """Who answers PING stays, and is asked again."""
    world = World(make_config(heartbeat_s=5))
    reader = world.reader()
    for _ in range(3):
        world.wait(5)
        assert reader.take() == [m.Ping()]
        reader.ask(m.Pong())
    assert not reader.ended


def test_peer_too_slow() -> None:
    """Beyond output_bytes_max unread the connection ends; the others notice nothing."""
    world = World(make_config(output_bytes_max=131_072, in_flight_max=4096))
    slow, other = world.reader("r0"), world.reader("r1")
    slow.room = 100
    for no in range(1, 100_000, 100):
        world.round((slow, b"".join(slow.frame(scan(n)) for n in range(no, no + 100))))
        assert len(slow.link.backlog) <= 131_072 + 20_000
        if slow.ended:
            break
    assert slow.ended and "r0" not in world.gateway.readers
    assert len(other.ask(scan(1))) == 1


def test_peer_stalled() -> None:
    """Ten seconds without a byte taken: ERROR 14 behind what waits, then the end."""
    world = World()
    slow = world.reader()
    slow.room = 10
    world.round((slow, slow.frame(scan(1))))
    world.wait(10)
    assert not slow.link.closing
    world.wait(1)
    assert slow.link.closing and not slow.ended
    slow.flush()
    decision, error = slow.take()
    assert isinstance(decision, m.Decision) and codes([error]) == [Fault.TOO_SLOW]
    assert slow.ended


def test_peer_stalled_for_good() -> None:
    """A stalled peer that does not take its ERROR 14 either is dropped at the next tick."""
    world = World()
    slow = world.reader()
    slow.room = 0
    world.round((slow, slow.frame(scan(1))))
    world.wait(13)
    assert slow.ended and not world.gateway.links


def test_goodbye_ends() -> None:
    """GOODBYE ends the connection, and what follows it is not read."""
    world = World()
    reader = world.reader()
    before = world.dump()
    bye, late = frame(m.Goodbye.TYPE, 0, m.encode(m.Goodbye("off"))), reader.frame(scan(1))
    world.round((reader, bye + late))
    assert reader.ended and reader.take() == [] and world.dump() == before


@pytest.mark.parametrize("fatal", [True, False])
def test_error_of_the_peer(fatal: bool) -> None:
    """A fatal ERROR from the peer ends the connection, another is only noted."""
    reader = World().reader()
    reader.ask(m.Error(5, "what?", fatal))
    assert reader.ended is fatal


def test_unknown_type_is_not_fatal() -> None:
    """An unknown type is ERROR 7 with its ref; what follows in the same piece is answered."""
    world = World()
    reader = world.reader()
    world.round((reader, frame(0x7F, 77, b"\x90") + reader.frame(scan(1))))
    (error, ref), (decision, _) = reader.got
    assert isinstance(error, m.Error) and (error.code, error.fatal, ref) == (Fault.UNKNOWN_TYPE, False, 77)
    assert isinstance(decision, m.Decision)


def test_after_a_fatal_error_nothing_is_read() -> None:
    """Requests before a broken frame are answered, those behind it are not read."""
    world = World()
    reader = world.reader()
    world.round((reader, reader.frame(scan(1)) + b"LG\x01\x10junk junk junk" + reader.frame(scan(2))))
    decision, error = reader.take()
    assert isinstance(decision, m.Decision) and isinstance(error, m.Error) and error.fatal
    assert reader.ended
    assert world.connect().sign_on("r0").done_to == 1


@pytest.mark.parametrize("no", [2**63 - 1, 2**63, 2**64 - 1])
def test_largest_numbers(no: int) -> None:
    """Numbers, boots and times up to 2**64-1 are taken as they are, by every message that has one."""
    world = World()
    reader = world.reader(boot=no)
    event = (no, 2**64 - 1)
    requests = (
        m.Scan(*event, ENTRY, 2, b"car"),
        m.Passage(no - 1, 2**64 - 1, SLOW_ENTRY, 3),
        m.LaneStatus(no - 2, 2**64 - 1, ENTRY, 0, False, ()),
        m.TimeAsk(no),
    )
    answers = reader.ask(*requests)
    assert [type(answer) for answer in answers] == [m.Decision, m.Ack, m.Ack, m.Time]
    world.restart()
    welcome = world.connect().sign_on("r0", boot=no)
    assert welcome.gaps == ((no - 2, no),)


@pytest.mark.parametrize(
    ("skew_ms", "kept"), [(-9_000, True), (9_000, True), (-11_000, False), (1 << 63, False)]
)
def test_which_clock_an_event_has(skew_ms: int, kept: bool) -> None:
    """Within 10 s of the engine's clock a scan and a passage have their reader's time, else the engine's."""
    world = World()
    at_ms = START_MS + skew_ms
    world.reader().ask(m.Scan(1, at_ms, ENTRY, 2, b"car"), m.Passage(2, at_ms, ENTRY, 3))
    numbering = world.lot.readers["r0"].numbering(7)
    for no in (1, 2):
        assert numbering.answer(no).at_ms == (at_ms if kept else START_MS)  # type: ignore[attr-defined]
