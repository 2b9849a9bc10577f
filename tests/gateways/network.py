"""A gateway on simulated storage with peers beside it: rounds by hand, time as a number.

`World` is to the gateway what the reactor is, `Peer` what a device is. A peer reads everything at once unless
`room` says how many bytes its socket still takes.
"""

import random
from pathlib import Path
from typing import Any

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.signon import client_mac
from liftgate.configs.schema import (
    MAY,
    AreaConfig,
    Config,
    EngineConfig,
    Key,
    LaneConfig,
    LotConfig,
    ReaderConfig,
    ServiceConfig,
    SpotsConfig,
)
from liftgate.engine.configured import configure
from liftgate.engine.core import state
from liftgate.engine.core.model import Lot
from liftgate.engine.journal.memory import MemoryStorage
from liftgate.engine.replay import open_engine
from liftgate.gateways.gateway import Gateway
from liftgate.gateways.link import Link

KEY = Key(bytes(range(32)))
START_MS = 1_800_000_000_000
SEGMENT_BYTES = 1 << 20
CARD = 2
ENTRY, EXIT, SLOW_ENTRY = 0, 1, 2


def make_lane(number: int, direction: Any, confirm: bool = False, area: str = "north") -> LaneConfig:
    """A lane that takes every kind of credential."""
    return LaneConfig(
        number=number,
        direction=direction,
        area=area,
        gate=None,
        confirm=confirm,
        cards="open",
        kinds=("qr", "card", "sun", "plate"),
    )


def make_lot(spots: int, id: str = "north", area: str = "north") -> LotConfig:
    """A lot of one area with so many spots, P1-A-001 and on."""
    block = SpotsConfig(level="P1", prefix="A", spot_class="standard", count=spots)
    return LotConfig(
        id=id,
        name=id.title(),
        timezone="UTC",
        currency="EUR",
        assign="spot",
        confirm_s=60,
        areas=(AreaConfig(id=area, parent=None, spots=(block,)),),
        gates=(),
    )


def make_config(spots: int = 50, readers: int = 4, **engine: Any) -> Config:
    """One lot, readers r0, r1 …, services "api" (may all) and "blind" (may query); `engine`: its keys."""
    lot = make_lot(spots)
    lanes = (make_lane(ENTRY, "entry"), make_lane(EXIT, "exit"), make_lane(SLOW_ENTRY, "entry", confirm=True))
    keys: dict[str, Any] = {"segment_bytes": SEGMENT_BYTES, **engine}
    return Config(
        engine=EngineConfig(name="engine-a", host="127.0.0.1", port=0, journal=Path("journal"), **keys),
        lots=(lot,),
        readers=tuple(ReaderConfig(id=f"r{n}", key=KEY, lot="north", lanes=lanes) for n in range(readers)),
        services=(
            ServiceConfig(id="api", key=KEY, may=MAY, lots=None),
            ServiceConfig(id="blind", key=KEY, may=("query",), lots=None),
        ),
    )


class Peer:
    """The other end of one link.

    got: messages received and not taken yet, with the ref of each; ended: the connection is closed; room:
    bytes that its socket still takes, None = endless.
    """

    def __init__(self, world: "World", link: Link) -> None:
        self.world = world
        self.link = link
        self.conn = WireConnection(Role.CLIENT)
        self.got: list[tuple[m.Message, int]] = []
        self.ended = False
        self.room: int | None = None
        self.refs = 0

    def frame(self, message: m.Message) -> bytes:
        """The frame of a message under a ref of its own."""
        self.refs += 1
        return self.conn.encode(message, self.refs if message.REQUEST else 0)

    def ask(self, *messages: m.Message) -> list[m.Message]:
        """Send them in one piece; what came back in that round."""
        self.world.round((self, b"".join(self.frame(message) for message in messages)))
        return self.take()

    def take(self) -> list[m.Message]:
        """What was received since the last call."""
        got, self.got = [message for message, _ in self.got], []
        return got

    def receive(self, data: bytes) -> None:
        """Understand what the engine sent: it must be legal, whole and within the frame size."""
        self.conn.feed(data)
        while (event := self.conn.next_event()) is not NEED_MORE and event is not PEER_CLOSED:
            assert isinstance(event, m.Message)
            self.got.append((event, self.conn.ref))

    def sign_on(
        self, id: str, role: int = m.READER, boot: int = 7, frame_bytes_max: int = 65_536
    ) -> m.Welcome:
        """HELLO to WELCOME; SET_LANE and others that follow it stay in `got`."""
        (challenge,) = self.ask(hello(id, role, boot, frame_bytes_max))
        assert isinstance(challenge, m.Challenge)
        self.ask_proof(KEY)
        welcome = self.got.pop(0)[0]
        assert isinstance(welcome, m.Welcome), welcome
        return welcome

    def ask_proof(self, key: bytes) -> None:
        """Send AUTH; what comes back stays in `got`."""
        mac = client_mac(key, self.conn.hello, self.conn.challenge)
        self.world.round((self, self.frame(m.Auth(mac))))

    def flush(self) -> None:
        """The socket takes everything again."""
        self.room = None
        self.world.flush(self)


def hello(id: str, role: int = m.READER, boot: int = 7, frame_bytes_max: int = 65_536) -> m.Hello:
    """A HELLO of protocol version 1."""
    return m.Hello(role, id, boot, (1,), bytes(16), "test", frame_bytes_max)


def scan(no: int, token: bytes = b"", lane: int = ENTRY, at_ms: int = START_MS) -> m.Scan:
    """A card at a lane; a card of its own for each number unless one is given."""
    return m.Scan(no, at_ms, lane, CARD, token or b"card-%d" % no)


class World:
    """One gateway, its engine on simulated storage, and its peers. Time moves by `wait`.

    jump_ms: how far the wall clock is from the one that never jumps.
    """

    def __init__(self, config: Config | None = None, storage: MemoryStorage | None = None) -> None:
        self.config = config or make_config()
        self.storage = storage or MemoryStorage()
        self.now_ms = START_MS
        self.jump_ms = 0
        self.peers: dict[Link, Peer] = {}
        self._draws = random.Random(1)
        self._start()

    def _start(self) -> None:
        self.engine, self.recovery = open_engine(self.storage, self.config.engine.segment_bytes)
        self.engine.begin(self.now_ms)
        configure(self.engine, self.config)
        self.engine.commit()
        self.gateway = Gateway(self.engine, self.config, lambda: self._draws.randbytes(16))

    def restart(self) -> None:
        """End the process as kill -9 does, and start it again."""
        for peer in self.peers.values():
            peer.ended = True
        self.peers.clear()
        self.storage.restart()
        self._start()

    @property
    def lot(self) -> Lot:
        return self.engine.lots["north"]

    def dump(self) -> bytes:
        """The lot's whole state."""
        return state.dump(self.lot)

    def connect(self) -> Peer:
        """A new connection, which must be taken."""
        link = self.gateway.connect("peer")
        assert link is not None
        link.handle = 1
        peer = self.peers[link] = Peer(self, link)
        return peer

    def reader(self, id: str = "r0", boot: int = 7) -> Peer:
        """A signed-on reader."""
        peer = self.connect()
        peer.sign_on(id, boot=boot)
        return peer

    def service(self, id: str = "api", frame_bytes_max: int = 65_536) -> Peer:
        """A signed-on service."""
        peer = self.connect()
        peer.sign_on(id, m.SERVICE, frame_bytes_max=frame_bytes_max)
        return peer

    def round(self, *sends: tuple[Peer, bytes]) -> None:
        """One round of the engine with these bytes in it."""
        self.gateway.begin(self.now_ms + self.jump_ms, self.now_ms)
        for peer, data in sends:
            peer.link.receive(data)
            if self.gateway.full():
                self.finish()
        while self.gateway.replays.work():
            if self.gateway.full():
                self.finish()
        self.finish()

    def finish(self) -> None:
        """Commit, hand out, drop who has ended."""
        self.gateway.commit()
        buf = self.gateway.out.buf
        reached = []
        for link, start, stop in self.gateway.runs():
            peer = self.peers.get(link)
            if peer is not None:
                self._send(peer, bytes(buf[start:stop]))
                reached.append(peer)
        for peer in reached:
            if peer.link.closed or (peer.link.closing and not peer.link.backlog):
                self.drop(peer)
        self.gateway.sent()

    def _send(self, peer: Peer, data: bytes) -> None:
        if peer.link.backlog:
            peer.link.keep(data)
            return
        room = len(data) if peer.room is None else min(peer.room, len(data))
        peer.receive(data[:room]) if room else None
        if peer.room is not None:
            peer.room -= room
        if room < len(data):
            peer.link.keep(data[room:])

    def flush(self, peer: Peer) -> None:
        """Give a peer what waited for it."""
        self.gateway.begin(self.now_ms + self.jump_ms, self.now_ms)
        data, peer.link.backlog = peer.link.backlog, b""
        if data:
            peer.receive(data)
        self.gateway.own(peer.link)
        self.finish()

    def drop(self, peer: Peer) -> None:
        """Close a connection."""
        link = peer.link
        link.handle = -1
        link.closed = True
        self.gateway.forget(link)
        self.peers.pop(link, None)
        peer.ended = True

    def hang_up(self, peer: Peer) -> None:
        """The peer closes without a word."""
        self.round((peer, b""))

    def wait(self, seconds: float, step_s: float = 1.0) -> None:
        """Let time pass, a second at a time."""
        until = self.now_ms + int(seconds * 1000)
        while self.now_ms < until:
            self.now_ms = min(until, self.now_ms + int(step_s * 1000))
            self.gateway.begin(self.now_ms + self.jump_ms, self.now_ms)
            self.gateway.tick()
            self.finish()


def codes(messages: list[m.Message]) -> list[int]:
    """The codes of the ERRORs among them."""
    return [message.code for message in messages if isinstance(message, m.Error)]
