"""The reactor on real sockets, with trio; storage is simulated, so that its faults can be chosen."""

import resource
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.frame import Fault
from liftgate.codecs.signon import client_mac
from liftgate.engine.journal.journal import JournalFailed
from liftgate.gateways.proofs import FAULTS_MAX
from liftgate.gateways.reactor import Reactor
from liftgate.gateways.tcp import stop
from liftgate.gateways.tls import server_context
from tests.gateways.certificates import make_certificate
from tests.gateways.network import KEY, World, hello, make_config, scan
from tests.gateways.tickets import Slow, show, signed, ticket_world

WAIT_S = 20  # a deadline for what takes milliseconds


class Device:
    """A client on a real stream."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.conn = WireConnection(Role.CLIENT)
        self.refs = 0

    async def send(self, *messages: m.Message) -> None:
        data = b""
        for message in messages:
            self.refs += 1
            data += self.conn.encode(message, self.refs if message.REQUEST else 0)
        await self.stream.send_all(data)

    async def receive(self) -> m.Message | None:
        """The next message; None at the end."""
        with trio.fail_after(WAIT_S):
            while (event := self.conn.next_event()) is NEED_MORE:
                try:
                    self.conn.feed(await self.stream.receive_some(65_536))
                except trio.BrokenResourceError:
                    return None
        return None if event is PEER_CLOSED else event  # type: ignore[return-value]

    async def ask(self, message: m.Message) -> m.Message | None:
        await self.send(message)
        return await self.receive()

    async def sign_on(self, id: str, role: int = m.READER) -> "Device":
        assert isinstance(await self.ask(hello(id, role)), m.Challenge)
        mac = client_mac(KEY, self.conn.hello, self.conn.challenge)
        assert isinstance(await self.ask(m.Auth(mac)), m.Welcome)
        return self


class Site:
    """A world behind a reactor that runs."""

    def __init__(self, world: World, context: ssl.SSLContext | None = None) -> None:
        self.world = world
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.listener.setblocking(False)
        self.reactor = Reactor(world.gateway, self.listener, context, lambda: world.now_ms)
        self.port = self.listener.getsockname()[1]
        self.clients: list[trio.socket.SocketType] = []

    def close(self) -> None:
        """Close both ends of everything."""
        self.reactor.close()
        for sock in self.clients:
            sock.close()

    async def connect(self, receive_bytes: int = 0) -> Device:
        sock = trio.socket.socket()
        self.clients.append(sock)
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        await sock.connect(("127.0.0.1", self.port))
        return Device(trio.SocketStream(sock))

    async def reader(self, id: str = "r0") -> Device:
        return await (await self.connect()).sign_on(id)


@asynccontextmanager
async def running(world: World, context: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    site = Site(world, context)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.reactor.run)
            yield site
            nursery.cancel_scope.cancel()
    finally:
        site.close()


@pytest.fixture
def world() -> World:
    return World(make_config(spots=1000))


async def test_scan(world: World) -> None:
    """A scan in, a decision out, and the counts show it."""
    async with running(world) as site:
        decision = await (await site.reader()).ask(scan(1))
        assert isinstance(decision, m.Decision) and decision.verdict == 1
    assert world.lot.counts()["occupancy"] == 1


async def test_many_at_once(world: World) -> None:
    """Readers that all send at once are all answered, each with its own numbers, in order."""

    async def work(site: Site, id: str) -> None:
        device = await site.reader(id)
        for base in range(1, 201, 50):
            await device.send(*(scan(no, f"{id}-{no}".encode()) for no in range(base, base + 50)))
            for no in range(base, base + 50):
                answer = await device.receive()
                assert isinstance(answer, m.Decision) and answer.no == no
        await device.stream.aclose()

    async with running(world) as site, trio.open_nursery() as nursery:
        for n in range(4):
            nursery.start_soon(work, site, f"r{n}")
    assert world.lot.counts()["occupancy"] == 800


async def test_replaced_in_one_round(world: World) -> None:
    """A reader that is replaced in the round of its own request gets its answer, then GOODBYE."""
    site = Site(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.reactor.run)
        first, second = await site.reader(), await site.connect()
        await second.ask(hello("r0"))
        nursery.cancel_scope.cancel()
    mac = client_mac(KEY, second.conn.hello, second.conn.challenge)
    await first.send(scan(1))
    await second.send(m.Auth(mac))
    site.reactor.turn()
    assert isinstance(await first.receive(), m.Decision)
    assert await first.receive() == m.Goodbye("replaced")
    assert await first.receive() is None
    assert isinstance(await second.receive(), m.Welcome)
    site.close()


async def test_failed_sync_answers_nobody(world: World) -> None:
    """A failing sync ends run() with JournalFailed, and the connection without an answer."""
    site = Site(world)
    with pytest.RaisesGroup(JournalFailed):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(site.reactor.run)
            device = await site.reader()
            world.storage.faults.failing_sync = 1
            await device.send(scan(1))
            await trio.sleep_forever()
    site.reactor.close()
    assert await device.receive() is None
    site.close()


async def test_reader_that_never_reads(world: World) -> None:
    """A peer that asks and never reads is ended at its bound; the others go on."""

    async def pass_time(site: Site) -> None:
        while True:
            await trio.lowlevel.checkpoint()
            world.now_ms += 100
            site.reactor.tick()

    async with running(world) as site:
        deaf, honest = await site.connect(receive_bytes=4096), await site.reader("r1")
        await deaf.sign_on("r0")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(pass_time, site)
            with pytest.raises(trio.BrokenResourceError), trio.fail_after(WAIT_S):
                while True:
                    await deaf.send(*(m.TimeAsk(n) for n in range(2000)))
                    assert isinstance(await honest.ask(m.TimeAsk(1)), m.Time)
            nursery.cancel_scope.cancel()
        assert isinstance(await honest.ask(scan(1)), m.Decision)
        assert "r0" not in world.gateway.readers and len(world.gateway.links) == 1


async def test_slow_subscriber_is_heard(world: World) -> None:
    """A subscriber that never catches up is still read: its cursor moves while EVENTS wait for it."""
    reader = world.reader("r3")
    for base in range(1, 20_001, 60):
        reader.ask(*(scan(no, b"x" * 500) for no in range(base, base + 60)))
    world.drop(reader)
    async with running(world) as site:
        site.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        service = await (await site.connect(receive_bytes=4096)).sign_on("api", m.SERVICE)
        await service.send(m.Subscribe("sink", 0))
        seen = 0
        while seen < 40:
            seen += isinstance(await service.receive(), m.Events)
        await service.send(m.Cursor(17))
        backlogged = []
        while world.engine.journal.cursors.get("sink") != 17:
            message = await service.receive()
            assert isinstance(message, m.Events)
            backlogged.append(message.last)
        assert backlogged[-1] < world.engine.position - 1000  # it had not caught up by then


async def test_large_answers_arrive_whole(world: World) -> None:
    """Output that does not fit the socket is sent in pieces, in order, none lost."""
    reader = world.reader("r3")
    for base in range(1, 6_001, 60):
        reader.ask(*(scan(no, b"x" * 500) for no in range(base, base + 60)))
    world.drop(reader)
    async with running(world) as site:
        service = await (await site.connect(receive_bytes=4096)).sign_on("api", m.SERVICE)
        await service.send(m.Subscribe("", 0))
        last = 0
        while last < world.engine.position:
            events = await service.receive()
            assert isinstance(events, m.Events) and events.first == last + 1
            last = events.last


@pytest.mark.parametrize("half", [True, False])
async def test_end_behind_a_request(world: World, half: bool) -> None:
    """A peer that asks and ends at once is answered where it still listens, and its connection is let go."""
    site = Site(world)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(site.reactor.run)
        device = await site.reader()
        nursery.cancel_scope.cancel()
    await device.send(scan(1))
    if half:
        await device.stream.send_eof()  # type: ignore[attr-defined]
    else:
        await device.stream.aclose()
    while site.reactor.turn():
        pass
    assert not world.gateway.links and not world.gateway.readers
    if half:
        assert isinstance(await device.receive(), m.Decision) and await device.receive() is None
    site.close()


async def test_no_room() -> None:
    """With readers_max signed on, one more reads ERROR 12 and the end."""
    async with running(World(make_config(readers_max=1))) as site:
        await site.reader()
        error = await (await site.connect()).receive()
        assert isinstance(error, m.Error) and error.code == Fault.UNAVAILABLE and error.fatal


async def test_orderly_stop(world: World) -> None:
    """Stopping says GOODBYE to everybody and waits until they have it."""
    async with running(world) as site:
        device = await site.reader()
        await stop(site.reactor)
        assert await device.receive() == m.Goodbye("stopping")
        assert await device.receive() is None and not world.gateway.links


async def test_a_backlog_that_waited_for_proofs_is_taken_though_nobody_speaks() -> None:
    """The round in which its proofs are there is the prover's, and no socket has anything after it."""
    world = ticket_world()
    world.gateway.proofs.prover = slow = Slow()
    told = m.ReplayEntry(m.Scan.TYPE, 1, msgspec.Raw(m.encode(show(1, signed()))))
    async with running(world) as site:
        reader = await site.reader()
        await reader.send(m.Replay((told,)))
        with trio.fail_after(WAIT_S):
            while not world.gateway.proofs.asked:
                await trio.sleep(0.001)  # nobody is told when the reactor has read it
        slow.done = True
        site.reactor.proved()
        assert isinstance(await reader.receive(), m.Replayed)


async def test_who_shows_garbage_without_end_is_heard_behind_all_others() -> None:
    """Refused without a look, a reader has its turn at a tick; others are answered meanwhile."""
    world = ticket_world()
    held = world.gateway.proofs.held
    async with running(world) as site, trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + WAIT_S
        liar, honest = await site.reader("r0"), await site.reader("r1")
        garbage = range(1, 2 * FAULTS_MAX)
        await liar.send(*(show(no, b"LG1:%d" % no) for no in garbage))
        for no in garbage:
            answer = await liar.receive()
            assert isinstance(answer, m.Decision) and (answer.no, answer.reason) == (no, 203)
        await liar.send(scan(garbage.stop))
        while not any(held.values()):
            await trio.sleep(0.001)  # nobody is told when the reactor has read it
        decision = await honest.ask(scan(1, b"another"))
        assert isinstance(decision, m.Decision) and decision.verdict == 1
        assert not world.lot.readers["r0"].numbering(7).has(garbage.stop)
        site.reactor.tick()
        late = await liar.receive()
        assert isinstance(late, m.Decision) and (late.no, late.verdict) == (garbage.stop, 1)
        await liar.stream.aclose()
        while "r0" in world.gateway.readers:
            await trio.sleep(0.001)
        assert not held
    assert not nursery.cancel_scope.cancelled_caught


@pytest.fixture
def few_files() -> Iterator[None]:
    """Let this process open a few files more, and no more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_out_of_descriptors(world: World, few_files: None) -> None:
    """Without a descriptor to spare new connections wait, those signed on go on, later they come in."""
    async with running(world) as site:
        device = await site.reader()
        waiting = trio.socket.socket()
        site.clients.append(waiting)
        spare = [socket.socket()]
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare[0].fileno() + 1, hard))
        await waiting.connect(("127.0.0.1", site.port))
        while site.reactor.accepting:
            await trio.lowlevel.checkpoint()
        assert isinstance(await device.ask(scan(1)), m.Decision)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        site.reactor.resume_accepting()
        late = await Device(trio.SocketStream(waiting)).sign_on("r1")
        assert isinstance(await late.ask(scan(1)), m.Decision)
        spare[0].close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def secured(device: Device, cert: Path) -> Device:
    context = ssl.create_default_context(cafile=str(cert))
    return Device(trio.SSLStream(device.stream, context, server_hostname="localhost"))


async def test_tls(world: World, certificate: tuple[Path, Path]) -> None:
    """Over TLS sign-on, scans and large output go as in the clear, beside peers that speak no TLS."""
    reader = world.reader("r3")
    for base in range(1, 3_001, 60):
        reader.ask(*(scan(no, b"x" * 500) for no in range(base, base + 60)))
    world.drop(reader)
    async with running(world, server_context(*certificate, None)) as site:
        plain = await site.connect()
        await plain.stream.send_all(b"LG\x01\x01" + bytes(100))
        device = await secured(await site.connect(), certificate[0]).sign_on("r0")
        assert isinstance(await device.ask(scan(1)), m.Decision)
        service = secured(await site.connect(receive_bytes=4096), certificate[0])
        await service.sign_on("api", m.SERVICE)
        await service.send(m.Subscribe("", 0))
        last = 0
        while last < world.engine.position:
            events = await service.receive()
            assert isinstance(events, m.Events) and events.first == last + 1
            last = events.last
        while len(world.gateway.links) > 2:
            await trio.lowlevel.checkpoint()


async def test_tls_reader_is_pushed_to(world: World, certificate: tuple[Path, Path]) -> None:
    """What comes unasked, such as VEND, reaches a peer behind TLS in the round of the order."""
    args = {"reader": "r0", "lane": 0, "cause": "fire", "actor": "op"}
    async with running(world, server_context(*certificate, None)) as site:
        device = await secured(await site.connect(), certificate[0]).sign_on("r0")
        service = await secured(await site.connect(), certificate[0]).sign_on("api", m.SERVICE)
        assert isinstance(
            await service.ask(m.CommandMessage(bytes(16), "north", "open_lane", args)), m.Outcome
        )
        assert await device.receive() == m.Vend(0, "fire")
