"""The client on trio: silence, lies and endings that no real engine gives, on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity, SignOnFailed
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, WireConnection
from liftgate.codecs.frame import PeerError
from liftgate.codecs.signon import engine_mac
from liftgate.sim.city import client as module
from liftgate.sim.city.client import Client, ConnectionLost, RequestRefused, connect

KEY = bytes(range(32))
IDENTITY = Identity(m.SERVICE, "api", KEY)
ASK = m.Query("north", "occupancy", {})


class EngineEnd:
    """An engine that signs on and then does as told. asked: requests that came, with their refs."""

    def __init__(self, stream: trio.abc.Stream, key: bytes = KEY) -> None:
        self.stream, self.key = stream, key
        self.conn = WireConnection(Role.ENGINE)
        self.send, self.asked = trio.open_memory_channel[tuple[int, m.Message]](100)

    async def run(self) -> None:
        """Answer sign-on; keep what is asked."""
        while True:
            self.conn.feed(bytes(await self.stream.receive_some(4096)))
            while (message := self.conn.next_event()) is not NEED_MORE:
                if message is PEER_CLOSED:
                    return
                assert isinstance(message, m.Message)
                await self._take(message)

    async def _take(self, message: m.Message) -> None:
        if isinstance(message, m.Hello):
            await self.say(m.Challenge(bytes(16), "engine", 1), self.conn.ref)
        elif isinstance(message, m.Auth):
            mac = engine_mac(self.key, self.conn.hello, self.conn.challenge)
            await self.say(m.Welcome(mac, 0, (), 64, 65_536, 15, 1), self.conn.ref)
        else:
            await self.send.send((self.conn.ref, message))

    async def say(self, message: m.Message, ref: int = 0) -> None:
        """Send a message."""
        await self.stream.send_all(self.conn.encode(message, ref))


@asynccontextmanager
async def pair(key: bytes = KEY) -> AsyncIterator[tuple[Client, EngineEnd]]:
    """A signed-on client, and the engine's end that it talks to."""
    ours, theirs = trio.testing.memory_stream_pair()
    engine = EngineEnd(theirs, key)

    async def dial() -> trio.abc.Stream:
        return ours

    async with trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        client = await connect(nursery, dial, IDENTITY)
        yield client, engine
        await client.aclose()


def leaf(group: pytest.ExceptionInfo[BaseExceptionGroup[BaseException]]) -> BaseException:
    """The one exception in a group of groups."""
    error: BaseException = group.value
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    return error


async def test_answers_find_their_requests() -> None:
    """Two requests at once, answered in the other order: each gets its own answer."""
    answers: dict[str, m.Message] = {}
    async with pair() as (client, engine):

        async def ask(lot: str) -> None:
            answers[lot] = await client.ask(m.Query(lot, "occupancy", {}))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask, "a")
            nursery.start_soon(ask, "b")
            for ref, query in reversed([await engine.asked.receive(), await engine.asked.receive()]):
                assert isinstance(query, m.Query)
                await engine.say(m.Answer(True, "", {"lot": query.lot}), ref)
    assert {lot: answer.body for lot, answer in answers.items() if isinstance(answer, m.Answer)} == {
        "a": {"lot": "a"},
        "b": {"lot": "b"},
    }


async def test_an_engine_without_the_key_is_refused() -> None:
    """It learns nothing from us, and connect() says why."""
    with pytest.raises(BaseExceptionGroup) as group:
        async with pair(key=bytes(32)):
            pass
    assert isinstance(leaf(group), SignOnFailed)


async def test_what_is_no_engine_is_refused() -> None:
    """Another protocol's bytes: connect() raises PeerError."""
    ours, theirs = trio.testing.memory_stream_pair()

    async def dial() -> trio.abc.Stream:
        return ours

    with pytest.raises(BaseExceptionGroup) as group:
        async with trio.open_nursery() as nursery:
            await theirs.send_all(b"220 smtp.example.org ESMTP\r\n")
            await connect(nursery, dial, IDENTITY)
    assert isinstance(leaf(group), PeerError)


async def test_silence_at_sign_on_ends_it(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing comes: lost after SIGN_ON_S_MAX."""
    ours, _theirs = trio.testing.memory_stream_pair()

    async def dial() -> trio.abc.Stream:
        return ours

    with pytest.raises(BaseExceptionGroup) as group:
        async with trio.open_nursery() as nursery:
            await connect(nursery, dial, IDENTITY)
    assert isinstance(leaf(group), ConnectionLost)
    assert trio.current_time() == pytest.approx(module.SIGN_ON_S_MAX)


async def test_silence_after_a_request_ends_it(autojump_clock: trio.testing.MockClock) -> None:
    """No answer within REPLY_S_MAX: lost, and the connection is given up, not left half alive."""
    async with pair() as (client, _engine):
        with pytest.raises(ConnectionLost, match="no answer within"):
            await client.ask(ASK)
        await trio.testing.wait_all_tasks_blocked()
        assert client.closed
    assert trio.current_time() == pytest.approx(module.REPLY_S_MAX)


async def answered(client: Client, engine: EngineEnd, message: m.Message, own_ref: bool) -> BaseException:
    """What ask() raises when the engine says `message` to it."""
    errors: list[BaseException] = []

    async def ask() -> None:
        try:
            await client.ask(ASK)
        except (ConnectionLost, RequestRefused) as error:
            errors.append(error)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(ask)
        ref, _ = await engine.asked.receive()
        await engine.say(message, ref if own_ref else 0)
    (error,) = errors
    return error


async def test_an_error_refuses_one_request() -> None:
    """ERROR to a request raises RequestRefused with its code; one that is not fatal leaves the rest."""
    async with pair() as (client, engine):
        error = await answered(client, engine, m.Error(12, "full", False), own_ref=True)
        assert isinstance(error, RequestRefused)
        assert (error.code, client.closed) == (12, False)


async def test_a_goodbye_is_the_reason() -> None:
    """Who waits when the engine says GOODBYE learns what it said."""
    async with pair() as (client, engine):
        error = await answered(client, engine, m.Goodbye("stopping"), own_ref=False)
        assert isinstance(error, ConnectionLost)
        assert str(error) == "the engine said goodbye: stopping"
