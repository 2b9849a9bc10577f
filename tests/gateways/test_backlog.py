"""Lots are closed for entry while a subscriber holds all of the journal's reserve."""

from __future__ import annotations

from liftgate.codecs import messages as m
from liftgate.engine.core.commands import Order
from liftgate.engine.core.parts.lanes.modes import LOT
from liftgate.engine.core.parts.lanes.part import lanes_of
from liftgate.gateways.backlog import ACTOR, keep_entries
from tests.gateways.network import EXIT, START_MS, Peer, World, scan


def by_hand(world: World) -> list[tuple[int, str]]:
    return [(setting.mode, setting.actor) for setting in lanes_of(world.lot).modes.by_hand(LOT)]


def decided(reader: Peer, asked: m.Scan) -> tuple[int, int]:
    """Verdict and reason, among whatever else the reader is told."""
    (decision,) = [message for message in reader.ask(asked) if isinstance(message, m.Decision)]
    return decision.verdict, decision.reason


def test_entries_close_once_and_open_again() -> None:
    """One event each time, whoever looks how often; who is in goes out by a lane that lets nobody in."""
    world = World()
    reader = world.connect()
    reader.sign_on("r0")
    assert decided(reader, scan(1, b"anna")) == (1, 0)
    before = world.lot.seq
    for _ in range(3):
        keep_entries(world.gateway.engine, "slow")
    assert (by_hand(world), world.lot.seq - before) == ([(3, ACTOR)], 2)
    assert decided(reader, scan(2, b"boris")) == (2, 100)
    assert decided(reader, scan(3, b"anna", EXIT)) == (1, 0)
    for _ in range(2):
        keep_entries(world.gateway.engine, "")
    assert by_hand(world) == []
    assert decided(reader, scan(4, b"boris")) == (1, 0)


def test_what_a_person_set_stays() -> None:
    """A lot that is held open by hand is not closed, nor is one that was closed by hand opened."""
    world = World()
    for mode in (2, 4):
        args = {"scope": "lot", "mode": mode, "actor": "eve"}
        order = Order(START_MS, mode.to_bytes(16, "big"), "desk", "set_mode", args)
        assert world.gateway.engine.order(world.lot, order)[0]
        for holder in ("slow", ""):
            keep_entries(world.gateway.engine, holder)
            assert by_hand(world) == [(mode, "eve")]
