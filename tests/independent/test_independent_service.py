"""What a service may rely on: commands done once, queries, subscriptions, and its rights."""

import secrets
from typing import Any

import pytest

from tests.independent.engine_process import ENTRY, SPOTS, Engine
from tests.independent.frames import Frame, Type, encode
from tests.independent.reader import CARD, SERVICE, Client, EngineError, EventLog, Outcome, now_ms

CAR = b"\x04\xde\x5f\x1e\xac\xc0\x40"


def count_args(lot: str, to: int) -> dict[str, Any]:
    """Return the arguments of correct_count, as the vectors have them."""
    return {"area": lot, "to": to, "actor": "attendant-3", "reason": "counted on foot"}


def outcome(frame: Frame) -> Outcome:
    """Return an OUTCOME's fields."""
    return Outcome(*frame.body[:5])


def test_correct_count_is_done_once(engine: Engine, lot: str) -> None:
    """The same command id gets the same OUTCOME, also on a new connection and after other changes."""
    first_id, second_id = secrets.token_bytes(16), secrets.token_bytes(16)
    with engine.service() as service:
        first = service.command(lot, "correct_count", count_args(lot, 2), first_id)
        assert outcome(first)[:3] == (first_id, True, "")
        assert engine.counts(lot) == (SPOTS, 2, 0, SPOTS - 2)
        service.command(lot, "correct_count", count_args(lot, 1), second_id)
        assert service.command(lot, "correct_count", count_args(lot, 2), first_id).raw == first.raw
    with engine.service() as service:
        assert service.command(lot, "correct_count", count_args(lot, 2), first_id).raw == first.raw
    assert engine.counts(lot).occupancy == 1


def test_unknown_command(engine: Engine, lot: str) -> None:
    """A command nobody knows is not done, and a code says why."""
    with engine.service() as service:
        command_id = secrets.token_bytes(16)
        answer = outcome(service.command(lot, "paint_it_blue", {}, command_id))
        assert (answer.id, answer.ok) == (command_id, False)
        assert answer.code


def test_unknown_lot(engine: Engine) -> None:
    """Commands and queries about a lot the engine doesn't have fail with a code, and change nothing."""
    with engine.service() as service:
        args = count_args("nowhere", 1)
        answer = outcome(service.command("nowhere", "correct_count", args, secrets.token_bytes(16)))
        assert not answer.ok and answer.code
        asked = service.query("nowhere", "occupancy")
        assert not asked.ok and asked.code


def test_unknown_query(engine: Engine, lot: str) -> None:
    """A query nobody knows fails with a code."""
    with engine.service() as service:
        answer = service.query(lot, "weather")
    assert not answer.ok and answer.code


def test_command_without_the_right(engine: Engine, lot: str) -> None:
    """A service whose may lacks a command is refused, by OUTCOME or by ERROR 9, and nothing changes."""
    with engine.service("blind") as service:
        try:
            args = count_args(lot, 2)
            answer = outcome(service.command(lot, "correct_count", args, secrets.token_bytes(16)))
            assert not answer.ok and answer.code
        except EngineError as error:
            assert error.code == 9
    assert engine.counts(lot).occupancy == 0


def test_subscription_without_the_right(engine: Engine) -> None:
    """A service whose may lacks subscribe gets ERROR 9 and no events."""
    with engine.service("blind") as service:
        with pytest.raises(EngineError) as caught:
            service.wait_reply(service.send(Type.SUBSCRIBE, "blind", 0))
        assert caught.value.code == 9
        assert not service.events


def test_reader_messages_from_a_service(engine: Engine) -> None:
    """A service has no lanes: its SCAN is ERROR 9."""
    with engine.service() as service, pytest.raises(EngineError) as caught:
        service.scan(ENTRY, CAR)
    assert caught.value.code == 9


def test_time_and_ping_for_a_service(engine: Engine) -> None:
    """What goes either way serves role 2 as well."""
    with engine.service() as service:
        service.ping()
        assert service.ask(Type.TIME, Type.TIME_ASK, 7).body[0] == 7


def test_session_and_why(engine: Engine, lot: str) -> None:
    """Every engine can say who is inside and why a scan was decided as it was."""
    with engine.reader(f"{lot}-r1") as reader, engine.service() as service:
        reader.scan(ENTRY, CAR)
        inside = service.query(lot, "session", {"credential": CAR})
        assert inside.ok and isinstance(inside.body, dict)
        why = service.query(lot, "why", {"reader": reader.id, "boot": reader.log.boot, "no": 1})
        assert why.ok and why.body is not None


def subscribe(engine: Engine, after: int | None, last: int, name: str) -> list[tuple[int, int]]:
    """Return first and last of the EVENTS up to position last."""
    with engine.service() as service:
        service.send_bytes(encode(Type.SUBSCRIBE, service.next_ref(), name, after))
        ranges = [(frame.body[0], frame.body[1]) for frame in service.wait_events(last)]
        service.send_bytes(encode(Type.CURSOR, 0, last))
        service.ping()  # the engine has read the cursor
    return ranges


def assert_consecutive(ranges: list[tuple[int, int]], after: int) -> None:
    """The ranges follow each other from after on without a hole."""
    for first, last in ranges:
        assert first == after + 1 and last >= first
        after = last


def test_events_are_consecutive(own_engine: Engine) -> None:
    """A subscription from 0 brings every position once, in order; one from a position brings the rest."""
    with own_engine.reader("south-r1") as reader:
        positions = [reader.lane_status(ENTRY).body[1] for _ in range(20)]
        assert_consecutive(subscribe(own_engine, 0, positions[-1], "relay"), 0)
        middle = positions[9]
        assert_consecutive(subscribe(own_engine, middle, positions[-1], "relay"), middle)


def test_stored_cursor(own_engine: Engine) -> None:
    """A subscription without a position goes on after the CURSOR sent before."""
    with own_engine.reader("south-r1") as reader:
        first = reader.lane_status(ENTRY).body[1]
        subscribe(own_engine, 0, first, "relay")
        second = reader.lane_status(ENTRY).body[1]
    ranges = subscribe(own_engine, None, second, "relay")
    assert_consecutive(ranges, ranges[0][0] - 1)
    assert ranges[0][0] > first


def test_events_of_what_happens_next(own_engine: Engine) -> None:
    """A subscriber hears of an event that happens after it has caught up."""
    with own_engine.reader("south-r1") as reader, own_engine.service() as service:
        service.send_bytes(encode(Type.SUBSCRIBE, service.next_ref(), "relay", 0))
        service.wait_events(reader.lane_status(ENTRY).body[1])
        position = reader.scan(ENTRY, CAR).position
        ranges = [(frame.body[0], frame.body[1]) for frame in service.wait_events(position)]
    assert_consecutive(ranges, 0)


def test_records_reach_both_subscribers_alike(own_engine: Engine) -> None:
    """Records are the journal's bytes: whoever asks again gets the same."""
    with own_engine.reader("south-r1") as reader:
        last = [reader.scan(ENTRY, bytes((4, number))).position for number in range(3)][-1]
    seen = []
    for name in ("relay", "mirror"):
        with own_engine.service() as service:
            service.send_bytes(encode(Type.SUBSCRIBE, service.next_ref(), name, 0))
            seen.append(b"".join(frame.body[2] for frame in service.wait_events(last)))
    assert seen[0] and seen[0] == seen[1]


def test_service_resumes_where_a_reader_scans(engine: Engine, lot: str) -> None:
    """A reader and a service are signed on at once, and the count a service sees is the reader's."""
    log = EventLog()
    with engine.service() as service, engine.reader(f"{lot}-r1", log) as reader:
        for number in range(SPOTS):
            reader.event(Type.SCAN, now_ms(), ENTRY, CARD, bytes((4, number)))
            assert service.query(lot, "occupancy").body["occupancy"] == number + 1


def test_service_key_is_needed(engine: Engine) -> None:
    """A service with another key is refused as a reader would be."""
    with Client(engine.address, "api", bytes(32), role=SERVICE) as client:
        with pytest.raises(EngineError) as caught:
            client.sign_on()
    assert caught.value.code == 8
