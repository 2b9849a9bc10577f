"""What may wait for live scans waits: sign-ons and backlogs, on real sockets."""

import msgspec
import pytest
import trio

from liftgate.codecs import messages as m
from liftgate.gateways import later
from tests.gateways.network import ENTRY, START_MS, Peer, World, hello, make_config, scan
from tests.gateways.test_reactor import WAIT_S, Site, running


def backlog(entries: int) -> m.Replay:
    """Scans 1 to `entries` that were decided alone."""
    told = (m.encode(scan(no, b"alone-%d" % no, ENTRY, START_MS)) for no in range(1, entries + 1))
    return m.Replay(tuple(m.ReplayEntry(m.Scan.TYPE, 1, msgspec.Raw(body)) for body in told))


async def test_a_live_scan_overtakes_a_backlog() -> None:
    """A backlog was sent first; the scan stands in the journal before much of it."""
    world = World(make_config(spots=5_000))
    async with running(world) as site:
        teller, driver = await site.reader("r0"), await site.reader("r1")
        await teller.send(backlog(1_800))
        await driver.send(scan(1, b"live"))
        answer = await driver.receive()
        assert isinstance(answer, m.Decision)
        told = await teller.receive()
        assert isinstance(told, m.Replayed) and told.done_to == 1_800
        assert told.position - answer.position > 400, "the scan waited for the backlog"
    assert world.lot.counts()["occupancy"] == 1_801
    assert not site.reactor.later.behind


async def test_a_stranger_that_talks_without_end_is_not_read_ahead() -> None:
    """One piece of what it said is set aside, however much it sends; then it is refused."""
    world = World()
    async with running(world) as site:
        talker, reader = await site.connect(), await site.reader()
        most = 0
        with trio.fail_after(WAIT_S):
            await talker.send(hello("r1"))
            try:
                while await reader.ask(m.Ping()) is not None:
                    most = max(most, len(site.reactor.later.said))
                    await talker.stream.send_all(b"x" * 65_536)
            except trio.BrokenResourceError:
                pass
    assert most <= 1


async def test_a_storm_of_sign_ons_is_let_in_by_and_by() -> None:
    """More than one round's part, and each of them is signed on in the end."""
    world = World(make_config(readers=120))
    async with running(world) as site:
        async with trio.open_nursery() as nursery:
            for number in range(120):
                nursery.start_soon(site.reader, f"r{number}")
        assert len(world.gateway.readers) == 120


async def test_what_a_backlog_came_to_is_committed_without_live_scans() -> None:
    """Nobody else speaks: it is durable and answered all the same, within some ms."""
    world = World(make_config(spots=500))
    async with running(world) as site:
        teller = await site.reader("r0")
        await teller.send(backlog(100))
        with trio.fail_after(WAIT_S):
            assert isinstance(await teller.receive(), m.Replayed)
        assert world.engine.journal.durable_position == world.engine.position


async def test_pieces_of_one_peer_stay_in_order() -> None:
    """Read before the round was decided, they are decided as they came: byte by byte, and past a backlog."""
    world = World(make_config(spots=2_000))
    async with running(world) as site:
        device, data = await site.connect(), b""
        for byte in device.conn.encode(hello("r0"), 1):
            await device.stream.send_all(bytes((byte,)))
        assert isinstance(await device.receive(), m.Challenge)
        teller = await site.reader("r1")
        for message in (backlog(300), scan(400), scan(401)):
            teller.refs += 1
            data += teller.conn.encode(message, teller.refs)
        for at in range(0, len(data), 700):
            await teller.stream.send_all(data[at : at + 700])
        answers = [await teller.receive() for _ in range(3)]
    assert {type(answer) for answer in answers} == {m.Replayed, m.Decision}
    assert [answer.verdict for answer in answers if isinstance(answer, m.Decision)] == [1, 1]


def test_a_link_that_was_read_twice_is_decided_in_order() -> None:
    """Both pieces wait, and what comes in between is not read before them."""
    world = World()
    site = Site(world)
    try:
        link = world.gateway.connect("peer")
        assert link is not None
        data = Peer(world, link).frame(hello("r0"))
        link.handle = 0
        site.reactor.heard, site.reactor.said = [link, link], [data[:5], data[5:]]
        site.reactor._decide()
        assert site.reactor.later.behind == {link: 2} and not link.asked_role
        site.reactor.later.work(False)
        assert link.asked_role == m.READER and not site.reactor.later.behind
    finally:
        link.handle = -1
        site.close()


def test_what_has_just_come_does_not_hold_up_the_scans_of_its_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long nothing waited before it, its part of rounds with live scans begins a while later."""
    monkeypatch.setattr(later, "WORK_EVERY_NS", 3_600 * 10**9)
    world = World()
    site = Site(world)
    try:
        link = world.gateway.connect("peer")
        assert link is not None
        link.handle = 0
        waits = site.reactor.later
        waits.put(link, Peer(world, link).frame(hello("r0")))
        assert waits.work(True) is False and len(waits.said) == 1
        monkeypatch.setattr(later, "WORK_EVERY_NS", 0)
        assert waits.work(True) and not waits.said
    finally:
        link.handle = -1
        site.close()
