"""What readers are told of their lanes' modes, and what lots are told of silent readers."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from liftgate.codecs import messages as m
from tests.gateways.network import ENTRY, EXIT, SLOW_ENTRY, Peer, World, make_config
from tests.gateways.test_services import ask, command


def world_with(**rules: Any) -> World:
    """A world whose lot has the theme, two readers, and the heartbeat's default."""
    config = make_config(readers=2)
    lots = tuple(replace(lot, rules={"lanes": rules}) for lot in config.lots)
    return World(replace(config, lots=lots))


def order(service: Peer, id: int, name: str, **args: Any) -> Any:
    return ask(service, command(name, {"actor": "op", **args}, id))


def test_every_reader_is_told_of_a_mode_of_the_lot_and_of_its_end() -> None:
    """One order, all lanes; the end comes by time, without anybody's word."""
    world = world_with()
    readers, service = [world.reader("r0"), world.reader("r1")], world.service()
    assert order(service, 1, "set_mode", scope="lot", mode=3, for_s=20).ok
    for reader in readers:
        assert reader.take() == [m.SetLane(lane, 3) for lane in (ENTRY, EXIT, SLOW_ENTRY)]
    world.wait(10)
    assert readers[0].take() == []
    world.wait(10)
    for reader in readers:
        modes = [message for message in reader.take() if isinstance(message, m.SetLane)]
        assert modes == [m.SetLane(lane, 1) for lane in (ENTRY, EXIT, SLOW_ENTRY)]


def test_a_reader_that_was_away_is_told_at_sign_on() -> None:
    """What its lanes work in now, not each change that it missed."""
    world = world_with()
    service = world.service()
    order(service, 1, "set_mode", scope="lot", mode=3)
    order(service, 2, "set_lane", reader="r0", lane=EXIT, mode=2)
    assert world.reader("r0").take() == [m.SetLane(ENTRY, 3), m.SetLane(EXIT, 2), m.SetLane(SLOW_ENTRY, 3)]
    world.restart()
    assert world.reader("r0").take() == [m.SetLane(ENTRY, 3), m.SetLane(EXIT, 2), m.SetLane(SLOW_ENTRY, 3)]


def down(world: World) -> list[str]:
    """The readers that the lot knows to be down."""
    return list(world.lot.parts["lanes"].watch.down)


def answer_for(world: World, peers: list[Peer], seconds: int) -> None:
    """These answer each PING while time passes, nobody else does."""
    for _ in range(seconds):
        world.wait(1)
        for peer in peers:
            if m.Ping() in peer.take():
                peer.ask(m.Pong())


def test_a_silent_reader_is_down_after_three_minutes_once_and_up_when_it_is_back() -> None:
    """Two events for it, whatever the clock on the wall does; the one that answers stays up."""
    world = world_with()
    world.reader("r0")
    there = world.reader("r1")
    seq = world.lot.seq
    answer_for(world, [there], 170)
    world.jump_ms = 3_600_000
    assert down(world) == []
    answer_for(world, [there], 15)
    assert down(world) == ["r0"]
    answer_for(world, [there], 300)
    assert down(world) == ["r0"] and world.lot.seq == seq + 2
    back = world.reader("r0")
    answer_for(world, [there, back], 2)
    assert down(world) == [] and world.lot.seq == seq + 3


def test_a_blink_of_the_line_is_no_news() -> None:
    """A reader that comes back within the three minutes was never down."""
    world = world_with()
    there = world.reader("r1")
    seq = world.lot.seq
    for _ in range(3):
        world.hang_up(world.reader("r0"))
        answer_for(world, [there], 170)
    assert down(world) == [] and world.lot.seq == seq


def test_a_restart_begins_the_silence_anew_and_forgets_no_lane_that_is_down() -> None:
    """Nobody can be heard by an engine that is not there; who was down is down until it is heard."""
    world = world_with()
    there = world.reader("r1")
    answer_for(world, [there], 185)
    assert down(world) == ["r0"]
    world.restart()
    world.wait(170)
    assert down(world) == ["r0"]
    world.wait(15)
    assert down(world) == ["r0", "r1"]


def test_a_reader_whose_scans_come_through_a_service_is_there() -> None:
    """A reader behind MQTT or the REST API has no connection of its own."""
    world = world_with(down_after_s=60)
    there = world.reader("r1")
    answer_for(world, [there], 61)
    assert down(world) == ["r0"]
    args = {"reader": "r0", "boot": 7, "no": 1, "lane": ENTRY, "kind": 2, "token": b"car"}
    service = world.service()
    assert ask(service, command("read_credential", args | {"at_ms": world.now_ms})).ok
    answer_for(world, [there], 2)
    assert down(world) == []


def test_a_reader_that_is_down_is_not_up_by_a_rule_that_takes_a_longer_silence() -> None:
    """It is down until it is heard."""
    world = world_with(down_after_s=60)
    there, service = world.reader("r1"), world.service()
    answer_for(world, [there, service], 61)
    assert down(world) == ["r0"]
    assert order(service, 1, "set_rules", rules={"lanes": {"down_after_s": 300}}).ok
    answer_for(world, [there, service], 20)
    assert down(world) == ["r0"]
    answer_for(world, [there, service, world.reader("r0")], 2)
    assert down(world) == []


def test_no_reader_is_watched_without_the_rule() -> None:
    """Nothing is journalled for a lot that did not ask."""
    for world in (World(), world_with(down_after_s=0)):
        seq = world.lot.seq
        world.wait(400, step_s=5)
        assert world.lot.seq == seq
