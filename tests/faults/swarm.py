"""Many readers over real sockets that never stop asking, keep what is unanswered, and resend it.

What they were answered is kept apart from anything the engine says of itself: `Swarm.judge` counts cars and
spots from the answers alone, in the order of their positions.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.signon import client_mac
from tests.faults.engines import scans_in
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

    events: what was numbered, (lane, token, kind) by number; answers: the DECISION of each, as first
    received; asked, first: of this connection, what is in flight, in order, and what goes before new events.
    """

    WINDOW = WINDOW

    def __init__(self, swarm: "Swarm", id: str, seed: int) -> None:
        self.swarm = swarm
        self.id = id
        self.boot = seed + 1
        self.draws = random.Random(seed)
        self.events: list[tuple[int, bytes, int]] = []
        self.answers: dict[int, m.Decision] = {}
        self.inside: list[bytes] = []
        self.cars = 0
        self.asked: list[int] = []
        self.first: list[int] = []

    def next_event(self) -> int:
        """Number a new event: a car of this reader's comes, or one that came before goes."""
        if self.inside and self.draws.random() < len(self.inside) / 40:
            token = self.inside.pop(self.draws.randrange(len(self.inside)))
            self.events.append((EXIT, token, CARD))
        else:
            self.cars += 1
            token = f"{self.id}/{self.cars}".encode()
            self.inside.append(token)
            self.events.append((ENTRY, token, CARD))
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
            self._check_welcome(await self._sign_on(conn, stream, writer))
            self._begin()
            await self._work(conn, stream, writer)
        finally:
            writer.close()

    def _begin(self) -> None:
        """A new connection: some of what was answered is asked again, and all that was not."""
        self.asked = []
        self.first = [*sorted(self.answers)[-ASKED_AGAIN:], *self.unanswered()]

    async def _next(self, conn: WireConnection, stream: asyncio.StreamReader) -> m.Message:
        while (message := conn.next_event()) is NEED_MORE:
            conn.feed(await stream.read(65_536))
        if message is PEER_CLOSED or isinstance(message, m.Goodbye):
            raise ConnectionError("the engine closed the connection")
        assert isinstance(message, m.Message)
        return message

    async def _sign_on(
        self, conn: WireConnection, stream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> m.Welcome:
        writer.write(conn.encode(m.Hello(1, self.id, self.boot, (1,), bytes(16), "swarm", 65_536), 1))
        assert isinstance(await self._next(conn, stream), m.Challenge)
        writer.write(conn.encode(m.Auth(client_mac(KEY, conn.hello, conn.challenge)), 2))
        welcome = await self._next(conn, stream)
        assert isinstance(welcome, m.Welcome), welcome
        return welcome

    def _check_welcome(self, welcome: m.Welcome) -> None:
        """It names nothing that was never sent, and all that was answered."""
        durable = welcome.done_to if not welcome.gaps else welcome.gaps[-1][1]
        assert durable <= len(self.events) and not [no for no in self.answers if no > durable]

    async def _work(
        self, conn: WireConnection, stream: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Keep WINDOW events in flight: those of `first`, then new ones until the swarm drains."""
        while True:
            out = self._ask_more(conn)
            if writer.is_closing():
                raise ConnectionError("the engine closed the connection")
            writer.writelines(out)
            if not self.asked:
                return
            message = await self._next(conn, stream)
            if isinstance(message, m.Ping):
                writer.write(conn.encode(m.Pong()))
            else:
                self._take(conn, message)

    def _goes_on(self) -> bool:
        """Whether there are to be new events."""
        return not self.swarm.draining

    def _ask_more(self, conn: WireConnection) -> list[bytes]:
        """Frames of what can be asked now."""
        out = []
        while len(self.asked) < self.WINDOW and (self.first or self._goes_on()):
            no = self.first.pop(0) if self.first else self.next_event()
            lane, token, kind = self.events[no - 1]
            self.asked.append(no)
            out.append(conn.encode(m.Scan(no, now_ms(), lane, kind, token), no))
        return out

    def _take(self, conn: WireConnection, message: m.Message) -> None:
        """Answers come in the order in which was asked."""
        assert isinstance(message, m.Decision), message
        assert message.no == self.asked.pop(0)
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
            lane, token, _ = reader.events[answer.no - 1]
            if lane == ENTRY:
                assert answer.spot is not None and answer.spot not in spots and token not in cars, answer
                spots[answer.spot], cars[token] = token, answer.spot
            else:
                del spots[cars.pop(token)]
        return len(cars)

    def judge_journal(self, folder: Path) -> None:
        """Every answer is in the journal at its position, and nothing else was decided."""
        scans = scans_in(folder)
        for reader, answer in self.decisions():
            event = scans.pop(answer.position)
            assert (event.reader, event.boot, event.no) == (reader.id, reader.boot, answer.no)
            assert (event.verdict, event.reason, event.spot) == (answer.verdict, answer.reason, answer.spot)
        assert not scans, "decided, and neither answered nor asked for again"
