"""A process's rounds on the simulated network: short sends, unread input, and time that passes in steps."""

import random

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity
from liftgate.sim.world.loop import Loop
from liftgate.sim.world.network import Network, Wire
from liftgate.sim.world.node import Node
from liftgate.sim.world.rounds import TICK_MS
from liftgate.sim.world.shape import Shape, draw_shape


class Judge:
    """In the auditor's place: counts what it is told."""

    def __init__(self) -> None:
        self.commits = 0
        self.recoveries = 0
        self.heard: set[str] = set()

    def spoke(self, device: str) -> None:
        self.heard.add(device)

    def durable(self, storage: object) -> None:
        self.commits += 1

    def connected(self, links: object, accepting: bool) -> None:
        """After every commit; what it holds against keys is the auditor's own."""

    def recovered(self, storage: object) -> None:
        self.recoveries += 1


class Caller:
    """A service that signs on and keeps what it is sent."""

    def __init__(self, shape: Shape) -> None:
        service = shape.services[0]
        self.client = ClientConnection(Identity(m.SERVICE, service.id, service.key), bytes(16))
        self.wire: Wire | None = None
        self.got: list[m.Message] = []

    def connected(self, wire: Wire) -> None:
        self.wire = wire
        self.flush()

    def received(self, data: bytes) -> None:
        self.got += [one.message for one in self.client.receive(data)]
        self.flush()

    def broken(self) -> None:
        self.wire = None

    def flush(self) -> None:
        """Send what is due."""
        if self.wire is not None:
            self.wire.send(self.client.outgoing())

    def ask(self, message: m.Message) -> None:
        """Send a request."""
        self.client.request(message)
        self.flush()


class Scene:
    """A node, and one service that has signed on."""

    def __init__(self, room_bytes: int = 0) -> None:
        self.loop = Loop()
        self.judge = Judge()
        self.shape = draw_shape(random.Random(1))
        self.troubles: list[str] = []
        self.node = Node(self.loop, self.shape, self.judge, random.Random(2), self.trouble)  # type: ignore[arg-type]
        self.node.network = self.network = Network(self.loop, self.node, random.Random(3))
        if room_bytes:
            self.network.room_bytes[self.shape.services[0].id] = room_bytes
        self.node.start()
        self.caller = Caller(self.shape)
        self.network.dial(self.shape.services[0].id, self.caller)
        self.wait(5)

    def trouble(self, kind: str, text: str, expected: str) -> None:
        self.troubles.append(f"{kind}: {text}")

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.loop.run(self.loop.now_ms + int(seconds * 1000))

    def question(self) -> m.Query:
        return m.Query(self.shape.lots[0].id, "occupancy", {})


def test_a_service_signs_on_and_is_answered() -> None:
    """The whole way: network, gateway, engine and back."""
    scene = Scene()
    scene.caller.ask(scene.question())
    scene.wait(2)
    assert [type(one) for one in scene.caller.got] == [m.Answer]


def test_answers_wait_for_a_small_socket_and_come_whole() -> None:
    """More than the socket holds, asked in one go: nothing is lost, and the order is kept."""
    scene = Scene(room_bytes=64)
    for _ in range(4):
        scene.caller.ask(scene.question())
    scene.wait(60)
    assert [type(one) for one in scene.caller.got] == [m.Answer] * 4


def test_each_commit_is_judged_before_its_answer_is_seen() -> None:
    """An order makes something durable; a question does not."""
    scene = Scene()
    commits = scene.judge.commits
    scene.caller.ask(scene.question())
    scene.wait(2)
    assert scene.judge.commits == commits
    args = {"area": "out", "to": 1, "actor": "desk", "reason": "counted"}
    scene.caller.ask(m.CommandMessage(bytes(16), scene.shape.lots[0].id, "correct_count", args))
    scene.wait(2)
    assert scene.judge.commits == commits + 1


def test_time_is_looked_at_when_something_is_due() -> None:
    """A silent peer is asked after a heartbeat, at a quarter second, and is left alone as it answers."""
    scene = Scene()
    rounds = scene.node.rounds
    scene.wait(4 * scene.shape.heartbeat_s)
    assert scene.caller.client.closed is False
    assert 3 <= scene.node.rounds - rounds <= 8
    assert TICK_MS == 250


def test_a_readers_pong_is_no_reason_to_look_at_the_time() -> None:
    """What was decided is followed by a look within a quarter second; a heartbeat brings one, its own."""
    scene = Scene()
    assert scene.caller.wire is not None
    scene.caller.wire.close()
    reader = scene.shape.readers[0]
    caller = Caller(scene.shape)
    caller.client = ClientConnection(Identity(m.READER, reader.id, reader.key), bytes(16))
    scene.network.dial(reader.id, caller)
    scene.wait(5)
    assert caller.client.welcome is not None
    looks: list[int] = []
    scene.node.gateway.tickers.append(lambda: looks.append(scene.loop.now_ms))
    rounds = scene.node.rounds
    scene.wait(8 * scene.shape.heartbeat_s)
    pongs = scene.node.rounds - rounds
    assert pongs >= 7 and len(looks) <= pongs + 2
    del looks[:]
    scanned_ms = scene.loop.now_ms
    caller.ask(m.Scan(1, scanned_ms, 0, 2, b"a card"))
    scene.wait(2)
    assert looks and looks[0] - scanned_ms <= 2 * TICK_MS


def test_a_killed_engine_comes_back_and_takes_the_next_dial() -> None:
    """The connection is reset; after the restart there is another."""
    scene = Scene()
    scene.node.kill()
    scene.wait(30)
    assert (scene.caller.wire, scene.node.up, scene.judge.recoveries) == (None, True, 2)
    scene.caller = Caller(scene.shape)
    scene.network.dial(scene.shape.services[0].id, scene.caller)
    scene.wait(5)
    assert scene.caller.client.welcome is not None
    assert not scene.troubles
