"""The device registry on a real process: under load, killed in the midst of orders, with readers away."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.keywrap import wrap
from liftgate.codecs.signon import client_mac
from tests.faults.engines import LOT, make_engine, reader_ids, scans_in
from tests.faults.swarm import Swarm, SwarmReader
from tests.independent.engine_process import ENTRY, EXIT, KEY, Engine, service_toml

READERS, SPOTS = 10, 700
WRAPPING = bytes(range(64, 96))
OTHER = bytes(range(96, 128))
GATE = "gate"
LANES = [
    {"number": number, "direction": direction, "area": LOT, "confirm": False}
    for number, direction in ((ENTRY, "entry"), (EXIT, "exit"))
]
MAY = ["query", "add_reader", "rotate_reader_key", "revoke_reader", "restore_reader"]


def registry_engine(folder: Path) -> Engine:
    """An engine, not started, with a registry_key and a desk that may use it."""
    engine = make_engine(folder, READERS, SPOTS, registry_key=f'"{WRAPPING.hex()}"')
    engine.config.write_text(engine.config.read_text() + service_toml("desk", MAY))
    return engine


class Caller:
    """A connection to the engine, signed on. refused: the engine would not have it."""

    def __init__(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._stream, self._writer = stream, writer
        self._conn = WireConnection(Role.CLIENT)

    async def sign_on(self, role: int, id: str, key: bytes) -> bool:
        """Whether the engine lets it in."""
        await self.ask(m.Hello(role, id, 1, (1,), bytes(16), "caller", 65_536))
        answer = await self.ask(m.Auth(client_mac(key, self._conn.hello, self._conn.challenge)))
        return isinstance(answer, m.Welcome)

    async def ask(self, message: m.Message) -> m.Message:
        """Send, and return what comes next. Raises ConnectionError when the engine is gone."""
        self.tell(message)
        while (answer := self._conn.next_event()) is NEED_MORE:
            data = await self._stream.read(65_536)
            self._conn.feed(data)
        if answer is PEER_CLOSED:
            raise ConnectionError("the engine is gone")
        assert isinstance(answer, m.Message)
        return answer

    def tell(self, message: m.Message) -> None:
        self._writer.write(self._conn.encode(message, 1))


@asynccontextmanager
async def calling(engine: Engine, role: int, id: str, key: bytes = KEY) -> AsyncIterator[Caller | None]:
    """A connection for the time of the block; None where the engine refused it."""
    stream, writer = await asyncio.open_connection(*engine.address)
    try:
        caller = Caller(stream, writer)
        yield caller if await caller.sign_on(role, id, key) else None
    finally:
        writer.close()


async def let_in(engine: Engine, key: bytes = KEY) -> bool:
    """Whether the gate's reader may sign on with that key."""
    async with calling(engine, m.READER, GATE, key) as caller:
        return caller is not None


async def order(engine: Engine, id: int, name: str, **args: Any) -> m.Outcome:
    """Give an order from the desk."""
    async with calling(engine, m.SERVICE, "desk") as desk:
        assert desk is not None
        outcome = await desk.ask(command(id, name, **args))
        assert isinstance(outcome, m.Outcome)
        return outcome


def command(id: int, name: str, **args: Any) -> m.CommandMessage:
    return m.CommandMessage(id.to_bytes(16, "big"), LOT, name, {"reader": GATE, "actor": "jo", **args})


async def gate_row(engine: Engine) -> dict[str, Any]:
    """What QUERY readers says of the gate's reader; empty where it does not know it."""
    async with calling(engine, m.SERVICE, "desk") as desk:
        assert desk is not None
        answer = await desk.ask(m.Query(LOT, "readers", {"reader": GATE}))
        assert isinstance(answer, m.Answer)
        rows: list[dict[str, Any]] = answer.body["readers"]
        return rows[0] if rows else {}


class Gate(SwarmReader):
    """A registered reader that works whenever it is let in. welcome: whether it is."""

    def __init__(self, swarm: Swarm) -> None:
        super().__init__(swarm, GATE, 77)
        self.welcome = asyncio.Event()
        self.welcome.set()

    async def _session(self) -> None:
        await self.welcome.wait()
        await super()._session()

    async def _next(self, conn: WireConnection, stream: asyncio.StreamReader) -> m.Message:
        """Restored, it is told how its lanes work: nothing that a swarm's reader minds."""
        while isinstance(message := await super()._next(conn, stream), m.SetLane):
            pass
        return message


def sign_ons(engine: Engine) -> list[str]:
    """Who signed on since the engine's first start, by its log."""
    lines = [json.loads(line) for line in engine.log_text().splitlines() if line.startswith("{")]
    return [line["id"] for line in lines if line["event"] == "gateway.signed_on"]


def test_revoked_under_load(tmp_path: Path) -> None:
    """Nothing of the reader is decided after its revocation, and nobody else loses a connection. Restored, it
    has every answer that it was owed, once.
    """

    async def run() -> None:
        engine = registry_engine(tmp_path)
        with engine:
            assert (await order(engine, 1, "add_reader", key=wrap(WRAPPING, KEY), lanes=LANES)).ok
            swarm = Swarm(reader_ids(READERS), lambda: engine.address)
            gate = Gate(swarm)
            swarm.readers.append(gate)
            async with swarm.working():
                await swarm.wait_answers(2000)
                assert gate.answers
                gate.welcome.clear()
                revoked = await order(engine, 2, "revoke_reader", reason="stolen")
                assert revoked.ok
                await swarm.wait_answers(2000)
                assert not await let_in(engine)
                assert max(answer.position for answer in gate.answers.values()) < revoked.position
                restored = await order(engine, 3, "restore_reader", key=wrap(WRAPPING, KEY))
                gate.welcome.set()
                await swarm.wait_answers(2000)
            inside = swarm.judge()
            assert engine.counts(LOT).occupancy == inside
            assert all(sign_ons(engine).count(id) == 1 for id in reader_ids(READERS))
            engine.terminate()
            assert engine.wait_exit() == 0, engine.log_text()
        scans = scans_in(tmp_path)
        assert len(scans) == len(swarm.decisions())
        between = range(revoked.position - 2, restored.position - 2)
        assert not [place for place, scan in scans.items() if scan.reader == GATE and place in between]

    asyncio.run(run())


def killed_in_orders(folder: Path, kills: int) -> None:
    """Kill the engine right behind an order, again and again; asked again, each was done once."""
    draws = random.Random(kills)
    key, good = KEY, False

    async def one(engine: Engine, id: int, name: str, args: dict[str, Any]) -> None:
        async with calling(engine, m.SERVICE, "desk") as desk:
            assert desk is not None
            desk.tell(command(id, name, **args))
            await asyncio.sleep(draws.choice((0, 0.0005, 0.002, 0.01)))  # not to wait for: to be random
            engine.kill()
        engine.start()
        outcome = await order(engine, id, name, **args)
        assert outcome.ok, outcome
        assert await order(engine, id, name, **args) == outcome

    async def run() -> None:
        nonlocal key, good
        engine = registry_engine(folder)
        with engine:
            for id in range(1, kills + 1):
                name, new, args = next_order(draws, id, good, key)
                await one(engine, id, name, args)
                key, good = new, name != "revoke_reader"
                assert await let_in(engine, key) == good
                row = await gate_row(engine)
                assert (row["revoked"], len(row["checks"])) == (not good, int(good))

    asyncio.run(run())


def next_order(draws: random.Random, id: int, good: bool, key: bytes) -> tuple[str, bytes, dict[str, Any]]:
    """An order that can be done, with the key that is good after it."""
    new = draws.randbytes(32)
    if id == 1:
        return "add_reader", new, {"key": wrap(WRAPPING, new), "lanes": LANES}
    if not good:
        return "restore_reader", new, {"key": wrap(WRAPPING, new)}
    if draws.random() < 0.5:
        return "revoke_reader", key, {}
    return "rotate_reader_key", new, {"key": wrap(WRAPPING, new), "overlap_s": draws.choice((0, 3600))}


def test_killed_between_order_and_outcome(tmp_path: Path) -> None:
    """Three times, quickly."""
    killed_in_orders(tmp_path, 3)


@pytest.mark.long
def test_killed_between_order_and_outcome_often(tmp_path: Path) -> None:
    """Thirty times, over every order."""
    killed_in_orders(tmp_path, 30)


def test_away_for_the_whole_overlap(tmp_path: Path) -> None:
    """The old key is dead when the reader comes back, through a kill of the engine; the new one works."""

    async def run() -> None:
        engine = registry_engine(tmp_path)
        with engine:
            await order(engine, 1, "add_reader", key=wrap(WRAPPING, KEY), lanes=LANES)
            assert await let_in(engine, KEY)
            await order(engine, 2, "rotate_reader_key", key=wrap(WRAPPING, OTHER), overlap_s=1)
            engine.kill()
            engine.start()
            async with asyncio.timeout(30):
                while len((await gate_row(engine))["checks"]) > 1:
                    await asyncio.sleep(0.05)  # the engine tells nobody; it is asked
            assert not await let_in(engine, KEY)
            assert await let_in(engine, OTHER)

    asyncio.run(run())
