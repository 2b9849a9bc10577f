"""What a reader may rely on: sign-on, numbering, decisions, passages, history."""

import time

import pytest

from tests.independent.engine_process import BOTH, ENTRY, ENTRY_CONFIRM, EXIT, KEY, OTHER_KEY, SPOTS, Engine
from tests.independent.frames import Frame, Type, encode
from tests.independent.reader import (
    BACKED_OUT,
    CARD,
    OPEN,
    PASSED,
    REFUSE,
    Client,
    Closed,
    Decision,
    EngineError,
    EventLog,
    now_ms,
)

SIGN_ON_S = 5.0
CAR, CAR_2 = b"\x04\xde\x5f\x1e\xac\xc0\x40", b"\x04\xde\x5f\x1e\xac\xc0\x41"


def card(number: int) -> bytes:
    """Return a seven-byte card UID."""
    return b"\x04" + number.to_bytes(6, "big")


def refused_sign_on(engine: Engine, client_id: str, key: bytes) -> Frame:
    """Sign on in vain; returns the ERROR, after which the engine must have hung up."""
    with Client(engine.address, client_id, key) as client:
        with pytest.raises(EngineError) as caught:
            client.sign_on()
        assert client.wait_closed() == []
    return caught.value.frame


# Sign-on


def test_sign_on(engine: Engine, lot: str) -> None:
    """The right key is welcomed by an engine that proves it has the key too, with the configured limits."""
    with Client(engine.address, f"{lot}-r1", KEY) as client:
        welcome = client.sign_on()
    assert (welcome.done_to, welcome.gaps, welcome.in_flight_max) == (0, [], 64)
    assert welcome.heartbeat_s > 0
    assert abs(welcome.at_ms - now_ms()) < 5_000


def test_wrong_key_and_unknown_id_look_alike(engine: Engine, lot: str) -> None:
    """A wrong key and an unknown id both get a CHALLENGE and then the very same ERROR 8."""
    wrong = refused_sign_on(engine, f"{lot}-r1", OTHER_KEY)
    unknown = refused_sign_on(engine, f"{lot}-x9", KEY)
    assert wrong == unknown
    assert (wrong.body[0], wrong.body[2]) == (8, True)


def test_a_readers_key_does_not_make_a_service(engine: Engine, lot: str) -> None:
    """An id signs on only in the role it is configured for."""
    with Client(engine.address, f"{lot}-r1", KEY, role=2) as client, pytest.raises(EngineError) as caught:
        client.sign_on()
    assert caught.value.code == 8


def test_second_connection_replaces_the_first(engine: Engine, lot: str) -> None:
    """Signed on twice, the first connection gets GOODBYE and ends, the second works."""
    with engine.reader(f"{lot}-r1") as first, engine.reader(f"{lot}-r1") as second:
        assert [frame.type for frame in first.wait_closed()][-1:] == [Type.GOODBYE]
        assert second.lane_status(ENTRY).type == Type.ACK


def test_wrong_key_replaces_nobody(engine: Engine, lot: str) -> None:
    """A stranger who knows only the id cannot push a reader off."""
    with engine.reader(f"{lot}-r1") as first:
        refused_sign_on(engine, f"{lot}-r1", OTHER_KEY)
        assert first.lane_status(ENTRY).type == Type.ACK


def test_slow_sign_on_is_cut(engine: Engine, lot: str) -> None:
    """Five seconds after connecting, whoever is silent or dribbles bytes without finishing is cut."""
    started_s = time.monotonic()
    with Client(engine.address, f"{lot}-r1", KEY) as silent, Client(engine.address, f"{lot}-r2", KEY) as slow:
        hello = encode(Type.HELLO, 1, 1, slow.id, slow.log.boot, [1], bytes(16), "slow", 4096)
        assert dribble(slow, hello) < len(hello)
        assert 4.0 < time.monotonic() - started_s < SIGN_ON_S + 3
        silent.wait_closed()
        assert time.monotonic() - started_s < SIGN_ON_S + 3


def dribble(client: Client, data: bytes) -> int:
    """Send a byte each 0.25 s until the engine hangs up; returns how many went out."""
    for sent in range(len(data)):
        try:
            client.send_bytes(data[sent : sent + 1])
            client.read(0.25)
        except TimeoutError:
            continue
        except Closed:
            return sent
    return len(data)


# Decisions


def assert_entered(decision: Decision) -> None:
    """A car was let in: a spot of the lot, a session, durable."""
    assert (decision.verdict, decision.reason, decision.price) == (OPEN, 0, None)
    assert decision.session is not None and decision.spot is not None
    assert decision.spot.startswith("P1-A-")
    assert decision.durable in (1, 2)


def test_in_again_out_again(engine: Engine, lot: str) -> None:
    """Entry opens, a second one is 210; exit opens free of charge, a second one is 211."""
    with engine.reader(f"{lot}-r1") as reader:
        entered = reader.scan(ENTRY, CAR)
        assert_entered(entered)
        again = reader.scan(ENTRY, CAR)
        assert (again.verdict, again.reason) == (REFUSE, 210)
        assert engine.counts(lot) == (SPOTS, 1, 0, SPOTS - 1)
        left = reader.scan(EXIT, CAR)
        assert (left.verdict, left.reason, left.session) == (OPEN, 0, entered.session)
        assert left.price is None or left.price[0] == 0
        assert engine.counts(lot) == (SPOTS, 0, 0, SPOTS)
        gone = reader.scan(EXIT, CAR)
        assert (gone.verdict, gone.reason) == (REFUSE, 211)


def test_positions_rise(engine: Engine, lot: str) -> None:
    """Each answer names a later place in the journal than the one before."""
    with engine.reader(f"{lot}-r1") as reader:
        positions = [reader.lane_status(ENTRY).body[1], reader.scan(ENTRY, CAR).position]
        positions += [reader.scan(ENTRY, CAR).position, reader.lane_status(ENTRY).body[1]]
    assert positions == sorted(set(positions))


def test_both_ways_lane(engine: Engine, lot: str) -> None:
    """A lane of both directions lets a stranger in and somebody inside out."""
    with engine.reader(f"{lot}-r1") as reader:
        assert_entered(reader.scan(BOTH, CAR))
        assert engine.counts(lot).occupancy == 1
        assert reader.scan(BOTH, CAR).verdict == OPEN
        assert engine.counts(lot).occupancy == 0


def test_full(engine: Engine, lot: str) -> None:
    """One car more than the lot has spots is refused with 300, and let in once somebody has left."""
    with engine.reader(f"{lot}-r1") as reader:
        inside = [reader.scan(ENTRY, card(number)) for number in range(SPOTS)]
        assert len({decision.spot for decision in inside}) == SPOTS
        full = reader.scan(ENTRY, card(SPOTS))
        assert (full.verdict, full.reason, full.session, full.spot) == (REFUSE, 300, None, None)
        assert engine.counts(lot) == (SPOTS, SPOTS, 0, 0)
        assert reader.scan(EXIT, card(1)).verdict == OPEN
        assert reader.scan(ENTRY, card(SPOTS)).spot == inside[1].spot


def test_wrong_clock_is_no_reason_to_refuse(engine: Engine, lot: str) -> None:
    """A scan an hour off the engine's clock is decided by the engine's clock."""
    with engine.reader(f"{lot}-r1") as reader:
        frame = reader.event(Type.SCAN, now_ms() - 3_600_000, ENTRY, CARD, CAR)
        assert_entered(Decision(*frame.body[:9]))


def test_lane_not_configured(engine: Engine, lot: str) -> None:
    """A scan at a lane the reader doesn't have is ERROR 13 and no decision."""
    with engine.reader(f"{lot}-r1") as reader:
        with pytest.raises(EngineError) as caught:
            reader.scan(9, CAR)
        assert caught.value.code == 13
    assert engine.counts(lot).occupancy == 0


def test_time(engine: Engine, lot: str) -> None:
    """TIME repeats t0 and brackets the engine's clock."""
    with engine.reader(f"{lot}-r1") as reader:
        t0, t1, t2 = reader.ask(Type.TIME, Type.TIME_ASK, 12345).body[:3]
    assert t0 == 12345
    assert t1 <= t2 and abs(t1 - now_ms()) < 5_000


# Passages


def test_passage_confirms(engine: Engine, lot: str) -> None:
    """At a confirming lane the scan holds a spot and the passage fills it."""
    with engine.reader(f"{lot}-r1") as reader:
        decision = reader.scan(ENTRY_CONFIRM, CAR)
        assert_entered(decision)
        assert engine.counts(lot) == (SPOTS, 0, 1, SPOTS - 1)
        assert reader.passage(ENTRY_CONFIRM, PASSED, decision.session).type == Type.ACK
        assert engine.counts(lot) == (SPOTS, 1, 0, SPOTS - 1)


def test_passage_without_a_session(engine: Engine, lot: str) -> None:
    """A passage that names no session is that of the car last let in at its lane."""
    with engine.reader(f"{lot}-r1") as reader:
        assert_entered(reader.scan(ENTRY_CONFIRM, CAR))
        reader.passage(ENTRY_CONFIRM, PASSED)
    assert engine.counts(lot) == (SPOTS, 1, 0, SPOTS - 1)


def test_backing_out_frees_the_spot(engine: Engine, lot: str) -> None:
    """A car that backs out leaves no trace in the counts and may come again."""
    with engine.reader(f"{lot}-r1") as reader:
        before = engine.counts(lot)
        first = reader.scan(ENTRY_CONFIRM, CAR)
        assert engine.counts(lot).available == before.available - 1
        reader.passage(ENTRY_CONFIRM, BACKED_OUT, first.session)
        assert engine.counts(lot) == before
        again = reader.scan(ENTRY_CONFIRM, CAR)
        assert_entered(again)
        assert again.session != first.session


# Numbering


def test_resend_gets_the_first_answer(engine: Engine, lot: str) -> None:
    """The same (boot, no) gets the same bytes: at once, on a new connection, after the car has gone."""
    log = EventLog()
    with engine.reader(f"{lot}-r1", log) as reader:
        no = log.append(Type.SCAN, now_ms(), ENTRY, CARD, CAR)
        kept = log.pending[no]
        refs = [reader.send(*_flat(kept)), reader.send(*_flat(kept))]
        first, second = (reader.wait_reply(ref) for ref in refs)
        assert (first.type, first.raw) == (Type.DECISION, second.raw)
        reader.scan(EXIT, CAR)
    with engine.reader(f"{lot}-r1", log) as reader:
        assert reader.send_event(no).raw == first.raw
    assert engine.counts(lot).occupancy == 0


def _flat(event: tuple[int, list[object]]) -> tuple[int, *tuple[object, ...]]:
    return (event[0], *event[1])


def test_unanswered_events_are_sent_again(engine: Engine, lot: str) -> None:
    """A reader whose link broke before the answers came gets them on the next connection."""
    log = EventLog()
    with engine.reader(f"{lot}-r1", log) as reader:
        for number in range(SPOTS):
            no = log.append(Type.SCAN, now_ms(), ENTRY, CARD, card(number))
            reader.send(*_flat(log.pending[no]))
    with engine.reader(f"{lot}-r1", log) as reader:
        answers = reader.resend()
    assert [Decision(*answers[no].body[:9]).verdict for no in (1, 2, 3)] == [OPEN] * SPOTS
    assert engine.counts(lot).occupancy == SPOTS
    assert not log.pending


def test_new_boot_is_a_new_numbering(engine: Engine, lot: str) -> None:
    """The same number under another boot is another event."""
    with engine.reader(f"{lot}-r1") as reader:
        assert_entered(reader.scan(ENTRY, CAR, no=1))
    with engine.reader(f"{lot}-r1") as reader:
        assert reader.scan(ENTRY, CAR, no=1).reason == 210


def test_old_resend(engine: Engine, lot: str) -> None:
    """The last 256 answers are kept; of an older one comes the same again, or 205 and no barrier."""
    log = EventLog()
    with engine.reader(f"{lot}-r1", log) as reader:
        body = [log.append(Type.SCAN, now_ms(), ENTRY, CARD, CAR), *log.pending[1][1][1:]]
        first = reader.send_event(1)
        for _ in range(5):
            run = range(log.next_no, log.next_no + 60)
            refs = [reader.send(Type.LANE_STATUS, no, now_ms(), ENTRY, 0, False, []) for no in run]
            log.next_no = run.stop
            acks = [reader.wait_reply(ref) for ref in refs]
        assert [ack.body[0] for ack in acks] == list(run)
        resent = reader.ask(Type.DECISION, Type.SCAN, *body)
        assert resent.raw == first.raw or resent.body[:5] == [1, REFUSE, 205, None, None]
        no = log.next_no - 256
        assert reader.ask(Type.ACK, Type.LANE_STATUS, no, now_ms(), ENTRY, 0, False, []).body[0] == no


def test_welcome_names_what_is_durable(engine: Engine, lot: str) -> None:
    """After numbers out of order WELCOME says up to where all are here, and which ranges above."""
    log = EventLog()
    with engine.reader(f"{lot}-r1", log) as reader:
        for no in (2, 7, 4, 1, 5):
            reader.lane_status(ENTRY, no=no)
    with Client(engine.address, f"{lot}-r1", KEY, log=log) as reader:
        welcome = reader.sign_on()
        assert (welcome.done_to, welcome.gaps) == (2, [[4, 5], [7, 7]])
        for no in (3, 6):
            reader.lane_status(ENTRY, no=no)
    with Client(engine.address, f"{lot}-r1", KEY, log=log) as reader:
        welcome = reader.sign_on()
    assert (welcome.done_to, welcome.gaps) == (7, [])


def status(no: int) -> list[object]:
    """Return a LANE_STATUS body."""
    return [no, now_ms(), ENTRY, 0, False, []]


def test_too_many_in_flight(engine: Engine, lot: str) -> None:
    """One unanswered request above in_flight_max is ERROR 10; what was decided before stays decided."""
    log = EventLog()
    numbers = range(1, 66)
    frames: list[Frame] = []
    with engine.reader(f"{lot}-r1", log) as reader:
        reader.send_bytes(b"".join(encode(Type.LANE_STATUS, no, *status(no)) for no in numbers))
        while not frames or frames[-1].type != Type.ERROR:
            frames.append(reader.read())
    assert frames[-1].body[0] == 10
    acked = {frame.body[0]: frame.raw for frame in frames[:-1] if frame.type == Type.ACK}
    assert 65 not in acked
    with engine.reader(f"{lot}-r1", log) as reader:
        answers = {no: reader.ask(Type.ACK, Type.LANE_STATUS, *status(no)).raw for no in numbers}
    assert acked.items() <= answers.items()
    with Client(engine.address, f"{lot}-r1", KEY, log=log) as reader:
        assert reader.sign_on().done_to == 65


# History


def scanned(no: int, lane: int, token: bytes, verdict: int = OPEN) -> list[object]:
    """Return a REPLAY entry of a scan the reader decided alone a minute ago."""
    return [Type.SCAN, verdict, [no, now_ms() - 60_000 + no, lane, CARD, token]]


def test_replay_is_history(engine: Engine, lot: str) -> None:
    """Replayed cars are in, even above capacity; the one the rules would have refused is named."""
    entries = [scanned(no, ENTRY, card(no)) for no in range(1, SPOTS + 2)]
    with engine.reader(f"{lot}-r1") as reader:
        replayed = reader.replay(*entries)
        assert (replayed.done_to, replayed.gaps) == (SPOTS + 1, [])
        assert [SPOTS + 1, 300] in replayed.findings
        assert [finding[0] for finding in replayed.findings] == [SPOTS + 1]
        counts = engine.counts(lot)
        assert (counts.capacity, counts.occupancy) == (SPOTS, SPOTS + 1)
        assert reader.scan(ENTRY, card(99), no=SPOTS + 2).reason == 300
        assert reader.scan(EXIT, card(SPOTS + 1), no=SPOTS + 3).verdict == OPEN
        assert not reader.asked


def test_replay_twice_counts_once(engine: Engine, lot: str) -> None:
    """A REPLAY whose answer was lost may be sent again: a car that has left since does not come back."""
    entries = [scanned(1, ENTRY, CAR), scanned(2, ENTRY, CAR_2)]
    with engine.reader(f"{lot}-r1") as reader:
        first = reader.replay(*entries)
        assert (first.done_to, first.gaps) == (2, [])
        assert engine.counts(lot).occupancy == 2
        assert reader.scan(EXIT, CAR, no=3).verdict == OPEN
        time.sleep(first.pause_ms / 1000)  # the engine's own wish
        again = reader.replay(*entries)
        assert (again.done_to, again.gaps) == (3, [])
    assert engine.counts(lot).occupancy == 1


def test_replay_of_a_confirmed_entry(engine: Engine, lot: str) -> None:
    """A scan and its passage, decided alone and so without a session, make one car inside."""
    passed = [Type.PASSAGE, 0, [2, now_ms() - 50_000, ENTRY_CONFIRM, PASSED, None]]
    with engine.reader(f"{lot}-r1") as reader:
        assert reader.replay(scanned(1, ENTRY_CONFIRM, CAR), passed).findings == []
        assert engine.counts(lot) == (SPOTS, 1, 0, SPOTS - 1)
        left = reader.scan(EXIT, CAR, no=3)
        assert left.verdict == OPEN


def test_replayed_refusal_lets_nobody_in(engine: Engine, lot: str) -> None:
    """A scan the reader itself refused is recorded and nobody counts as inside."""
    with engine.reader(f"{lot}-r1") as reader:
        assert reader.replay(scanned(1, ENTRY, CAR, REFUSE)).done_to == 1
    assert engine.counts(lot).occupancy == 0


def test_history_never_opens(engine: Engine, lot: str) -> None:
    """A number known from REPLAY, scanned live afterwards, raises no barrier."""
    with engine.reader(f"{lot}-r1") as reader:
        reader.replay(scanned(1, ENTRY, CAR))
        late = reader.scan(ENTRY, CAR, no=1)
        assert late.verdict == REFUSE
        assert not reader.asked


def test_live_before_backlog(engine: Engine, lot: str) -> None:
    """A reader that was alone sends the car at its lane first and the backlog after it."""
    log = EventLog()
    with engine.reader(f"{lot}-r1", log) as reader:
        assert_entered(reader.scan(ENTRY, CAR, no=3))
        replayed = reader.replay(scanned(1, ENTRY, card(1)), scanned(2, EXIT, card(1)))
        assert (replayed.done_to, replayed.gaps, replayed.findings) == (3, [], [])
    assert engine.counts(lot).occupancy == 1
