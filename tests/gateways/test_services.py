"""COMMAND, QUERY, SUBSCRIBE and CURSOR, over simulated storage."""

from typing import Any

import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.codecs.records import read_record
from liftgate.engine.journal.cursors import CURSORS_MAX
from liftgate.engine.journal.segments import HEADER_BYTES, segment_names
from tests.gateways.network import ENTRY, EXIT, SLOW_ENTRY, START_MS, Peer, World, codes, make_config, scan

OPEN_LANE = {"reader": "r0", "lane": ENTRY, "cause": "ambulance", "actor": "op"}


def command(name: str, args: dict[str, Any], id: int = 1) -> m.CommandMessage:
    return m.CommandMessage(id.to_bytes(16, "big"), "north", name, args)


def ask(peer: Peer, message: m.Message) -> Any:
    """The one reply to a request."""
    (reply,) = peer.ask(message)
    return reply


def test_command_once() -> None:
    """The same id is done once and answered alike, also after a crash and by another service's connection."""
    world = World()
    order = command("correct_count", {"area": "north", "to": 5, "actor": "op", "reason": "counted"})
    first = ask(world.service(), order)
    assert first.ok and world.lot.counts()["occupancy"] == 5
    position = world.engine.position
    assert ask(world.service(), order) == first and world.engine.position == position
    world.restart()
    assert ask(world.service(), order) == first


def test_command_refused_stays_refused() -> None:
    """An order that could not be done is answered alike when it could be by now."""
    world = World()
    service = world.service()
    first = ask(service, command("open_lane", OPEN_LANE))
    assert (first.ok, first.code) == (False, "reader_away")
    world.reader("r0")
    assert ask(service, command("open_lane", OPEN_LANE)) == first
    assert ask(service, command("open_lane", OPEN_LANE, id=2)).ok


@pytest.mark.parametrize(
    ("name", "args", "told"),
    [
        ("open_lane", OPEN_LANE, m.Vend(ENTRY, "ambulance")),
        ("set_lane", {"reader": "r0", "lane": EXIT, "mode": 2, "actor": "op"}, m.SetLane(EXIT, 2)),
        (
            "display",
            {"reader": "r0", "lane": EXIT, "text": "Hi", "seconds": 9, "actor": "op"},
            m.Display(EXIT, "Hi", 9),
        ),
    ],
)
def test_readers_are_told_once(name: str, args: dict[str, Any], told: m.Message) -> None:
    """What is ordered at a lane reaches its reader in that round, once however often the order comes."""
    world = World()
    reader, service = world.reader("r0"), world.service()
    assert ask(service, command(name, args)).ok
    assert reader.take() == [told]
    ask(service, command(name, args))
    assert reader.take() == []
    reader.ask(m.Done(True, ""))
    assert not reader.ended


def test_leaving_reader_is_away() -> None:
    """A reader that was told goodbye, and has not read it, is not there for a barrier order."""
    world = World(make_config(heartbeat_s=5))
    reader, service = world.reader("r0"), world.service()
    reader.room = 0
    for _ in range(6):
        world.wait(2)
        service.ask(m.Pong())
    assert reader.link.closing and not reader.ended
    assert ask(service, command("open_lane", OPEN_LANE)).code == "reader_away"


def test_may_and_lots() -> None:
    """What a service may not do is refused by code, an unknown lot too, and nothing is recorded."""
    world = World()
    blind, position = world.service("blind"), world.engine.position
    assert ask(blind, command("open_lane", OPEN_LANE)).code == "not_allowed"
    assert (
        ask(world.service(), m.CommandMessage(bytes(16), "south", "open_lane", OPEN_LANE)).code
        == "no_such_lot"
    )
    assert ask(blind, m.Query("south", "occupancy", {})).code == "no_such_lot"
    assert world.engine.position == position


def read_credential(no: int, boot: int = 7, **other: Any) -> dict[str, Any]:
    return {
        "reader": "r0", "boot": boot, "no": no, "lane": ENTRY, "kind": 2, "token": b"car", "at_ms": START_MS
    } | other  # fmt: skip


def test_read_credential_then_the_reader() -> None:
    """A scan that came by a service first gets the same decision when the reader sends it."""
    world = World()
    outcome = ask(world.service(), command("read_credential", read_credential(1)))
    decision = ask(world.reader("r0"), scan(1, b"car"))
    body = outcome.body
    assert outcome.position == decision.position
    assert (body["session"], body["spot"], body["verdict"]) == (decision.session, decision.spot, 1)
    assert world.lot.counts()["occupancy"] == 1


def test_reader_then_read_credential() -> None:
    """The other way round, and when the reader was signed on before either knew the numbering."""
    world = World()
    reader, service = world.reader("r0", boot=50), world.service()
    assert ask(service, command("read_credential", read_credential(1, 50))).body["verdict"] == 1
    second = ask(reader, scan(2, b"other"))
    again = ask(service, command("read_credential", read_credential(2, 50, token=b"other"), id=2))
    assert again.body["session"] == second.session and again.position == second.position
    assert ask(reader, scan(1, b"car")).session is not None
    assert world.lot.counts()["occupancy"] == 2


@pytest.mark.parametrize(
    ("change", "code"),
    [({"lane": 99}, "no_such_lane"), ({"reader": "x"}, "no_such_lane"), ({"kind": 9}, "bad_args")],
)
def test_read_credential_refused(change: dict[str, Any], code: str) -> None:
    """Args that name nobody or nothing are answered by code."""
    world = World()
    before = world.dump()
    assert ask(world.service(), command("read_credential", read_credential(1, **change))).code == code
    assert world.dump() == before


@pytest.mark.parametrize("number", [2**63, 2**64 - 1])
def test_largest_numbers(number: int) -> None:
    """Boots, numbers and times up to 2**64-1 in args, and positions beyond the journal, harm nobody."""
    world = World()
    service = world.service()
    args = read_credential(number, number, at_ms=number)
    assert ask(service, command("read_credential", args)).ok
    why = {"reader": "r0", "boot": number, "no": number}
    assert ask(service, m.Query("north", "why", why)).ok
    lane = {"reader": "r0", "lane": number, "mode": 2, "actor": "op"}
    assert ask(service, command("set_lane", lane, id=2)).code == "no_such_lane"
    service.ask(m.Subscribe("", number))
    assert not service.ended


def test_queries() -> None:
    """occupancy, session, why, lanes and status are answered from memory; others by code."""
    world = World()
    reader, service = world.reader("r0"), world.service()
    entered = ask(reader, scan(1, b"car"))
    refused = ask(reader, scan(2, b"car"))
    counts = ask(service, m.Query("north", "occupancy", {})).body
    assert (counts["capacity"], counts["occupancy"], counts["held"], counts["available"]) == (50, 1, 0, 49)
    stay = ask(service, m.Query("north", "session", {"credential": b"car"})).body
    assert (stay["session"], stay["spot"]) == (entered.session, entered.spot)
    assert ask(service, m.Query("north", "session", {"credential": b"bus"})).code == "no_session"
    why = ask(service, m.Query("north", "why", {"reader": "r0", "boot": 7, "no": 2})).body
    assert why["reason"] == refused.reason and why["trace"][-1] == f"reason {refused.reason}"
    assert ask(service, m.Query("north", "why", {"reader": "r0", "boot": 7, "no": 3})).code == "not_kept"
    lanes = ask(service, m.Query("north", "lanes", {})).body
    assert lanes[f"r0/{SLOW_ENTRY}"]["mode"] == 1
    status = ask(service, m.Query("", "status", {})).body
    assert status["readers"] == ["r0"] and status["services"] == ["api"] and status["accepting"]
    assert ask(service, m.Query("north", "weather", {})).code == "unknown_query"
    assert ask(service, m.Query("north", "why", {"reader": 5})).code == "bad_args"


def test_answer_too_large() -> None:
    """An ANSWER that does not fit the service's frames is refused by code, never sent too long."""
    world = World(make_config(readers=100))
    small = world.service(frame_bytes_max=4096)
    answer = ask(small, m.Query("north", "lanes", {}))
    assert (answer.ok, answer.code) == (False, "too_large") and answer.body["bytes"] > 4096
    assert ask(world.service(), m.Query("north", "lanes", {})).ok


def events(messages: list[m.Message]) -> list[m.Events]:
    return [message for message in messages if isinstance(message, m.Events)]


def drained(world: World, peer: Peer) -> list[m.Events]:
    """All EVENTS that are due."""
    got = events(peer.take())
    while world.gateway.hungry():
        world.round()
        got += events(peer.take())
    return got


def subscribe(world: World, peer: Peer, name: str, after: int | None) -> list[m.Events]:
    """Subscribe; all EVENTS that come of it."""
    world.round((peer, peer.frame(m.Subscribe(name, after))))
    return drained(world, peer)


def records(world: World) -> bytes:
    """The journal's records as they stand on disk."""
    name = segment_names(world.storage.names())[-1]
    data = world.storage.read_whole(name)
    end = HEADER_BYTES
    while (record := read_record(memoryview(data), end)) is not None:
        end = record.end
    return data[HEADER_BYTES:end]


def test_subscribe_gets_records_as_on_disk() -> None:
    """EVENTS are the bytes of the journal, in order, without a hole, and only what is durable."""
    world = World()
    reader, service = world.reader("r0"), world.service()
    reader.ask(*map(scan, range(1, 30)))
    got = subscribe(world, service, "", 0)
    reader.ask(*map(scan, range(30, 60)))
    got += drained(world, service)
    assert b"".join(message.records for message in got) == records(world)
    assert got[0].first == 1 and got[-1].last == world.engine.position
    assert all(after.first == before.last + 1 for before, after in zip(got, got[1:], strict=False))


def test_subscriber_sees_a_scan_in_its_round() -> None:
    """What a round made durable goes out with the round."""
    world = World()
    reader, service = world.reader("r0"), world.service()
    service.ask(m.Subscribe("", world.engine.position))
    reader.ask(scan(1))
    (event,) = events(service.take())
    assert (event.first, event.last) == (world.engine.position, world.engine.position)


def test_small_frames() -> None:
    """A service that takes 4,096 bytes a frame gets what is written from its SUBSCRIBE on, all of it."""
    world = World()
    reader, service = world.reader("r0"), world.service(frame_bytes_max=4096)
    after = world.engine.position
    service.ask(m.Subscribe("", after))
    for no in range(1, 1001, 50):
        reader.ask(*(scan(n, b"x" * 500) for n in range(no, no + 50)))
    got = drained(world, service)
    assert (got[0].first, got[-1].last) == (after + 1, world.engine.position) and not service.ended


def test_cursor_is_kept() -> None:
    """A cursor outlives the process; SUBSCRIBE without a position goes on behind it."""
    world = World()
    reader, service = world.reader("r0"), world.service()
    reader.ask(*map(scan, range(1, 10)))
    assert subscribe(world, service, "sink", None)[0].first == 1
    service.ask(m.Cursor(8))
    world.engine.journal.maintain()
    world.restart()
    service = world.service()
    got = subscribe(world, service, "sink", None)
    first = read_record(memoryview(got[0].records), 0)
    assert first is not None and first.first <= 9 <= first.last


def test_cursor_without_subscription() -> None:
    """CURSOR needs a named subscription: ERROR 9; one beyond the journal's end is ERROR 6."""
    world = World()
    assert codes(world.service().ask(m.Cursor(1))) == [Fault.NOT_ALLOWED]
    service = world.service()
    service.ask(m.Subscribe("sink", 0))
    assert codes(service.ask(m.Cursor(2**64 - 1))) == [Fault.BAD_FIELD]


def test_subscribe_not_allowed() -> None:
    """Who may not subscribe is told ERROR 9."""
    assert codes(World().service("blind").ask(m.Subscribe("", 0))) == [Fault.NOT_ALLOWED]


def grow(world: World, segments: int) -> None:
    """Scan until the journal has so many segments more."""
    link = world.gateway.readers.get("r1")
    reader = world.peers[link] if link else world.reader("r1")
    goal = len(world.engine.journal.catalogue.all()) + segments
    no = reader.link.own_numbering().done_to + 1
    while len(world.engine.journal.catalogue.all()) < goal:
        reader.ask(*(scan(n, b"x" * 500) for n in range(no, no + 60)))
        no += 60


def retire(world: World) -> None:
    """Retire every segment but the newest."""
    world.engine.journal.retire(world.engine.position)
    world.engine.journal.maintain()


def test_position_gone() -> None:
    """SUBSCRIBE to what was retired is ERROR 15 with the oldest position, and not the end."""
    world = World()
    grow(world, 2)
    retire(world)
    service = world.service()
    (error,) = service.ask(m.Subscribe("", 0))
    assert isinstance(error, m.Error) and error.code == Fault.POSITION_GONE and not error.fatal
    oldest = int(error.text.split()[-1])
    assert subscribe(world, service, "", oldest - 1)[0].first == oldest


def test_position_gone_under_a_subscriber() -> None:
    """A nameless subscriber that reads too slowly, and finds its next segment retired, is told ERROR 15;
    the engine and everybody else go on."""
    world = World()
    service = world.service()
    service.ask(m.Subscribe("", 0))
    service.room = 0
    grow(world, 3)
    retire(world)
    service.flush()
    while world.gateway.hungry():
        world.round()
    assert codes(service.take()) == [Fault.POSITION_GONE]
    assert not service.ended and not world.gateway.subscribers
    assert world.reader("r0").ask(scan(1))


def test_damage_under_a_subscriber() -> None:
    """Rot that a subscriber finds in old records ends its subscription with ERROR 15, not the engine."""
    world = World()
    grow(world, 1)
    name = segment_names(world.storage.names())[0]
    data = memoryview(world.storage.read_whole(name))
    place = HEADER_BYTES
    for _ in range(20):
        record = read_record(data, place)
        assert record is not None
        place = record.end
    for offset in range(place, place + 16):
        world.storage.flip(name, offset, 0xFF)
    service = world.service()
    got = subscribe(world, service, "", 0)
    assert got and not service.ended and not world.gateway.subscribers
    assert world.reader("r0").ask(scan(1))


def test_subscribers_leave_no_file_open() -> None:
    """However a subscriber goes, the journal's file that it read is closed."""
    world = World()
    grow(world, 1)
    ways = (
        lambda peer: world.hang_up(peer),
        lambda peer: peer.ask(m.Goodbye("off")),
        lambda peer: world.service(),
        lambda peer: peer.ask(m.Cursor(2**64 - 1)),
    )
    for way in ways:
        service = world.service()
        service.ask(m.Subscribe("sink", 0))
        feed = service.link.feed
        way(service)
        assert service.ended and service.link.feed is None and not world.gateway.subscribers
        assert feed._file._generation == -1


def test_too_many_cursors() -> None:
    """One cursor more than may be is ERROR 6, and opens no file for it."""
    world = World()
    for n in range(CURSORS_MAX):
        world.engine.journal.move_cursor(f"c{n}", 0)
    service = world.service()
    assert codes(service.ask(m.Subscribe("one more", 0))) == [Fault.BAD_FIELD]
    assert service.link.feed is None and service.ended
