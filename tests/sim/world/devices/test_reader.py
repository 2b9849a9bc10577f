"""One simulated reader against the real engine."""

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.sim.world.devices.session import Astonished
from tests.sim.world.devices.bench import CARD, ENTRY, EXIT, SLOW, Bench, make_shape

HOUR_MS = 3_600_000


def test_an_opening_is_seen_and_told() -> None:
    """A scan that the engine lets in raises the barrier once, under its number."""
    bench = Bench()
    seen = bench.scan(b"a")
    bench.run(2_000)
    assert [answer.opened for answer in seen] == [True]
    assert bench.told.of("barrier") == [("r", ENTRY, "decision", 1)]
    assert bench.occupancy() == 1


def test_a_refusal_is_seen() -> None:
    """A card that is not inside is refused at the exit, and no barrier moves."""
    bench = Bench()
    seen = bench.scan(b"a", EXIT)
    bench.run(2_000)
    assert [answer.verdict for answer in seen] == [m.REFUSE]
    assert bench.barriers() == []


def test_alone_it_opens_and_tells_later() -> None:
    """Without an engine it opens by itself; the REPLAY brings the car in and moves no barrier."""
    bench = Bench()
    bench.world.network.dead(None, 60_000)
    bench.world.network.cut("r")
    seen = bench.scan(b"a")
    assert seen[0].opened and bench.occupancy() == 0
    bench.run(100_000)
    assert bench.occupancy() == 1 and bench.reader.idle()
    assert bench.barriers() == ["alone"]
    assert len(bench.told.of("replayed")) == 1


def test_alone_it_may_stay_shut() -> None:
    """A reader that is set up so refuses without an engine, and tells that too."""
    bench = Bench(make_shape(alone_opens=False))
    bench.world.network.dead(None, 10_000)
    bench.world.network.cut("r")
    assert [answer.verdict for answer in bench.scan(b"a")] == [m.REFUSE]
    bench.run(60_000)
    assert bench.reader.idle() and bench.occupancy() == 0 and bench.barriers() == []


def test_backlog_goes_in_parts_with_pauses() -> None:
    """With one entry a frame there is one REPLAY after another, each after the pause asked for."""
    bench = Bench(replay_entries=1)
    bench.world.network.dead(None, 10_000)
    bench.world.network.cut("r")
    for card in range(3):
        bench.scan(b"%d" % card)
    bench.world.node.gateway.pause_ms(2_000_000)  # others have so much to tell that it takes 100 s
    told_at = []
    for _ in range(200):
        bench.run(1_000)
        told_at.append(len(bench.told.of("replayed")))
    assert set(told_at) == {0, 1, 2, 3}
    assert told_at.count(1) > 50
    assert bench.occupancy() == 3


def test_a_lost_answer_is_asked_for_again() -> None:
    """A cut before the decision: the scan is sent again under its number, and the driver gets in."""
    bench = Bench(asks_again=True, patience_ms=19_000)
    seen = bench.scan(b"a")
    bench.run(bench.world.network._delay_ms("r") + 1)
    bench.world.network.cut("r")
    bench.run(15_000)
    assert [answer.opened for answer in seen] == [True]
    assert bench.occupancy() == 1
    assert len(bench.told.of("event_made")) == 1


def test_a_decision_that_comes_late_opens_nothing() -> None:
    """Nobody stands there any more when the answer comes: the barrier stays down."""
    bench = Bench(patience_ms=2_000, impatient=False)
    bench.world.network.stall("r", 10_000)
    seen = bench.scan(b"a")
    bench.run(30_000)
    assert [answer.verdict for answer in seen] == [0]
    assert len(bench.told.of("decision")) == 1 and bench.barriers() == []


def test_the_window_is_kept() -> None:
    """However much there is to send, no more than the window waits for answers."""
    bench = Bench(window=4)
    for card in range(30):
        bench.scan(b"%d" % card)
        session = bench.reader.session
        assert session is not None and len(session.asked) <= 4
    bench.run(10_000)
    assert bench.reader.idle() and len(bench.told.of("decision")) == 30


def test_two_connections_answer_once() -> None:
    """A second connection takes over; what was asked over the first is decided once."""
    bench = Bench()
    first = bench.reader.session
    bench.scan(b"a")
    bench.reader.dial()
    bench.run(30_000)
    assert bench.reader.session is not first and first is not None and first.over
    assert bench.reader.idle() and bench.occupancy() == 1


@pytest.mark.parametrize("lasting", [True, False])
def test_power_comes_back(lasting: bool) -> None:
    """With a lasting log the numbering goes on, without one a new one begins."""
    bench = Bench(make_shape(lasting=lasting))
    boot = bench.reader.boot()
    bench.scan(b"a")
    bench.run(2_000)
    bench.reader.power_cut(5_000)
    assert [answer.verdict for answer in bench.scan(b"b")] == [0]
    bench.run(20_000)
    assert (bench.reader.boot() == boot) is lasting
    assert bool(bench.told.of("lost")) is not lasting
    bench.scan(b"c")
    bench.run(2_000)
    assert bench.told.of("event_made")[-1][2] == (2 if lasting else 1)
    assert bench.occupancy() == 2


def test_old_events_get_their_first_answer() -> None:
    """What a forgetful reader sends again is answered as it was, and opens nothing."""
    bench = Bench()
    for card in range(3):
        bench.scan(b"%d" % card)
        bench.run(1_000)
    bench.reader.send_again(2)
    bench.run(2_000)
    decisions = {args[2]: [] for args in bench.told.of("decision")}  # type: ignore[var-annotated]
    for _, _, no, fields in bench.told.of("decision"):
        decisions[no].append(fields)
    assert {no: len(answers) for no, answers in decisions.items()} == {1: 1, 2: 2, 3: 2}
    assert decisions[3][0] == decisions[3][1] and len(bench.barriers()) == 3


def test_a_wrong_clock_is_overruled() -> None:
    """Two hours ahead, its scans are decided by the engine's clock."""
    bench = Bench()
    bench.reader.clock_jump(2 * HOUR_MS)
    bench.scan(b"a")
    bench.run(2_000)
    (event,) = [event for event in bench.world.auditor.recorded.values() if event["no"] == 1]
    assert event["skew_ms"] > HOUR_MS


def test_it_obeys() -> None:
    """A vend raises the barrier, a mode is kept, and the engine is told that it is done."""
    bench = Bench(done_ms=50)
    actor = {"reader": "r", "lane": ENTRY, "actor": "me"}
    bench.desk.order(b"1" * 16, "lot", "open_lane", {**actor, "cause": "help"})
    bench.desk.order(b"2" * 16, "lot", "set_lane", {**actor, "mode": 4})
    bench.desk.order(b"3" * 16, "lot", "display", {**actor, "text": "hello", "seconds": 3})
    bench.run(5_000)
    assert bench.barriers() == ["vend"] and bench.reader.lanes[ENTRY].mode == 4
    bench.world.network.dead(None, 5_000)
    bench.world.network.cut("r")
    assert not bench.scan(b"a")[0].opened


def test_a_car_withdraws() -> None:
    """At a lane that confirms, a car that backs out frees its spot; one that passes is in."""
    bench = Bench()
    bench.scan(b"a", SLOW)
    bench.run(2_000)
    bench.reader.passage(SLOW, 2)
    bench.run(2_000)
    assert bench.occupancy() == 0
    bench.scan(b"a", SLOW)
    bench.run(2_000)
    bench.reader.passage(SLOW, 1, late_ms=5_000)
    bench.run(10_000)
    assert bench.occupancy() == 1


def test_a_lane_that_is_gone_is_given_up() -> None:
    """What was counted at a lane that the reader lost meanwhile is dropped; the rest is told."""
    bench = Bench(replay_entries=10)
    bench.reader.power_cut(10)
    bench.world.network.dead(None, 60_000)
    bench.run(1_000)
    for lane in (ENTRY, EXIT, SLOW):
        bench.reader.scan(lane, CARD, b"%d" % lane, lambda answer: None)
    shape = make_shape()
    changed = shape.with_reader("r", lanes=shape.readers[0].lanes[:1])
    bench.world.reshape(changed)
    bench.world.node.kill()
    bench.run(180_000)
    assert sorted(args[2] for args in bench.told.of("dropped")) == [2, 3]
    assert bench.reader.idle() and bench.occupancy() == 1


def test_a_full_disk_is_waited_for() -> None:
    """Told that the engine takes nothing, it keeps its events and sends them when there is room."""
    bench = Bench()
    faults = bench.world.node.storage.faults
    faults.bytes_max = 0
    held = False
    for card in range(400):
        bench.scan(b"%512d" % card)
        bench.run(200)
        held = held or bench.reader.held()
    assert held and not bench.reader.idle()
    faults.bytes_max = None
    bench.run(60_000)
    assert bench.reader.idle() and len(bench.told.of("event_made")) == 400


def test_a_fault_of_the_engines_is_not_swallowed() -> None:
    """An ERROR that a correct reader never earns ends the world."""
    bench = Bench()
    session = bench.reader.session
    assert session is not None
    with pytest.raises(Astonished):
        bench.reader.take(session, 0, m.Error(10, "too many in flight", True))


def test_a_replaced_reader_begins_anew() -> None:
    """Another box under the same id has another numbering and the new key."""
    bench = Bench()
    bench.scan(b"a")
    bench.run(2_000)
    boot = bench.reader.boot()
    changed = bench.world.shape.with_reader("r", key=b"n" * 32)
    bench.world.reshape(changed)
    bench.world.node.kill()
    bench.run(40_000)
    bench.reader.respec(changed.readers[0], True)
    bench.run(40_000)
    assert bench.reader.boot() != boot and bench.reader.session is not None


def test_habits_are_values() -> None:
    """What a reader's firmware does is drawn once from its seed."""
    one, other = Bench(seed=5).reader.habits, Bench(seed=5).reader.habits
    assert one == other
    assert msgspec.structs.astuple(one) != msgspec.structs.astuple(Bench(seed=6).reader.habits)


def test_too_many_gaps_end_a_numbering() -> None:
    """With more holes than the engine keeps, and nothing to replay, the reader begins a new numbering."""
    bench = Bench(window=16)
    boot = bench.reader.boot()
    for card in range(100):
        bench.reader.log.number()  # a number that nothing is ever told of
        bench.scan(b"%d" % card)
        bench.run(200)
    bench.run(30_000)
    assert bench.told.of("lost") == [("r", boot)] and bench.reader.boot() != boot
    assert bench.reader.idle()


def test_too_many_gaps_are_replayed_first() -> None:
    """Where the holes are backlog, live events wait until that is told; nothing is lost."""
    bench = Bench(window=16, replay_entries=1)
    bench.world.node.gateway.pause_ms(2_000_000)
    log = bench.reader.log
    for card in range(80):
        hold, bench.reader._held_until_ms = bench.reader._held_until_ms, bench.world.loop.now_ms + 1
        bench.scan(b"alone %d" % card)
        bench.reader._held_until_ms = hold
        bench.scan(b"%d" % card)
        bench.run(300)
    bench.run(600_000)
    assert bench.reader.log is log and bench.reader.idle()
    assert bench.told.of("lost") == []
    assert len(bench.told.of("event_made")) == 160
    assert len(bench.told.of("welcomed")) > 1  # ERROR 11 ended a connection
