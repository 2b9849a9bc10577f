"""Many readers over real sockets that never stop asking, keep what is unanswered, and resend it.

What they were answered is kept apart from anything the engine says of itself: `Swarm.judge` counts cars and
spots from the answers alone, in the order of their positions.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.signon import client_mac
from tests.independent.engine_process import ENTRY, EXIT, KEY

CARD = 2
WINDOW = 32
"""In flight per reader: half of what the engine allows."""

ASKED_AGAIN = 24
"""Answered events that are asked again after every reconnect: their answers must not change."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class SwarmReader:
    """One reader with a lasting event log.

    events: what was numbered, (lane, token) by number; answers: the DECISION of each, as first received.
    """

    def __init__(self, swarm: "Swarm", id: str, seed: int) -> None:
        self.swarm = swarm
        self.id = id
        self.boot = seed + 1
        self.draws = random.Random(seed)
        self.events: list[tuple[int, bytes]] = []
        self.answers: dict[int, m.Decision] = {}
        self.inside: list[bytes] = []
        self.cars = 0

    def next_event(self) -> int:
        """Number a new event: a car of this reader's comes, or one that came before goes."""
        if self.inside and self.draws.random() < len(self.inside) / 40:
            token = self.inside.pop(self.draws.randrange(len(self.inside)))
            self.events.append((EXIT, token))
        else:
            self.cars += 1
            token = f"{self.id}/{self.cars}".encode()
            self.inside.append(token)
            self.events.append((ENTRY, token))
        return len(self.events)

    def unanswered(self) -> list[int]:
        return [no for no in range(1, len(self.events) + 1) if no not in self.answers]

    async def live(self) -> None:
        """Connect and work, again and again, until the swarm drains and everything is answered."""
        while not self.swarm.draining or self.unanswered():
            try:
                await self._session()
            except (ConnectionError, asyncio.IncompleteReadError):
                await asyncio.sleep(0)  # the engine is being killed or started; nothing else to wait for

    async def _session(self) -> None:
        stream, writer = await asyncio.open_connection(*self.swarm.address())
        try:
            conn = WireConnection(Role.CLIENT)
            await self._sign_on(conn, stream, writer)
            again = sorted(self.answers)[-ASKED_AGAIN:]
            await self._work(conn, stream, writer, [*again, *self.unanswered()])
        finally:
            writer.close()

    async def _next(self, conn: WireConnection, stream: asyncio.StreamReader) -> m.Message:
        while (message := conn.next_event()) is NEED_MORE:
            conn.feed(await stream.read(65_536))
        if message is PEER_CLOSED or isinstance(message, m.Goodbye):
            raise ConnectionError("the engine closed the connection")
        assert isinstance(message, m.Message)
        return message

    async def _sign_on(
        self, conn: WireConnection, stream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(conn.encode(m.Hello(1, self.id, self.boot, (1,), bytes(16), "swarm", 65_536), 1))
        assert isinstance(await self._next(conn, stream), m.Challenge)
        writer.write(conn.encode(m.Auth(client_mac(KEY, conn.hello, conn.challenge)), 2))
        welcome = await self._next(conn, stream)
        assert isinstance(welcome, m.Welcome), welcome
        durable = welcome.done_to if not welcome.gaps else welcome.gaps[-1][1]
        assert durable <= len(self.events) and not [no for no in self.answers if no > durable]

    async def _work(
        self,
        conn: WireConnection,
        stream: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        first: list[int],
    ) -> None:
        """Keep WINDOW events in flight: those of `first`, then new ones until the swarm drains."""
        asked: list[int] = []
        while True:
            out = []
            while len(asked) < WINDOW and (first or not self.swarm.draining):
                no = first.pop(0) if first else self.next_event()
                lane, token = self.events[no - 1]
                asked.append(no)
                out.append(conn.encode(m.Scan(no, now_ms(), lane, CARD, token), no))
            if writer.is_closing():
                raise ConnectionError("the engine closed the connection")
            writer.writelines(out)
            if not asked:
                return
            message = await self._next(conn, stream)
            if isinstance(message, m.Ping):
                writer.write(conn.encode(m.Pong()))
                continue
            assert isinstance(message, m.Decision), message
            assert message.no == asked.pop(0)
            self._keep(message)

    def _keep(self, decision: m.Decision) -> None:
        before = self.answers.setdefault(decision.no, decision)
        assert before == decision, f"{self.id}: {before} became {decision}"
        if before is decision:
            self.swarm.count()


class Swarm:
    """All readers. on_answers: called whenever so many more first answers were received."""

    def __init__(self, ids: list[str], address: Callable[[], tuple[str, int]], seed: int = 1) -> None:
        self.address = address
        self.readers = [SwarmReader(self, id, seed * 1000 + n) for n, id in enumerate(ids)]
        self.draining = False
        self.answered = 0
        self._goal = 0
        self._reached = asyncio.Event()

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Readers ask without a pause for the time of the block; then all that they asked is answered."""
        async with asyncio.TaskGroup() as tasks:
            for reader in self.readers:
                tasks.create_task(reader.live())
            yield
            self.draining = True

    def count(self) -> None:
        self.answered += 1
        if self.answered >= self._goal:
            self._reached.set()

    async def wait_answers(self, more: int) -> None:
        """Return when so many more events were answered; the readers do not wait for it."""
        self._goal = self.answered + more
        self._reached.clear()
        await asyncio.wait_for(self._reached.wait(), 60)

    def decisions(self) -> list[tuple[SwarmReader, m.Decision]]:
        """Every first answer, in the order of the journal."""
        found = [(reader, answer) for reader in self.readers for answer in reader.answers.values()]
        return sorted(found, key=lambda pair: pair[1].position)

    def judge(self) -> int:
        """How many cars are inside, counted from the answers alone. No spot is held by two cars at any
        position, no car is in twice, and no two answers share a position."""
        spots: dict[str, bytes] = {}
        cars: dict[bytes, str] = {}
        positions = set()
        for reader, answer in self.decisions():
            assert answer.position not in positions
            positions.add(answer.position)
            if answer.verdict != m.OPEN:
                continue
            lane, token = reader.events[answer.no - 1]
            if lane == ENTRY:
                assert answer.spot is not None and answer.spot not in spots and token not in cars, answer
                spots[answer.spot], cars[token] = token, answer.spot
            else:
                del spots[cars.pop(token)]
        return len(cars)
