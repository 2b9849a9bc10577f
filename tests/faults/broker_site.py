"""An engine, gateways and a real broker, a standard client as a reader behind it, and an operator's desk."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.codecs.mqtt import topics
from liftgate.gateways.mqtt.broker.engine import Dialer, EngineCalls
from tests.faults.engines import LOT, make_engine
from tests.faults.mqtt_gateway import Gateway, broker_toml
from tests.independent.engine_process import ENTRY, KEY, Engine, service_toml

READER = f"{LOT}-r0"
WAIT_S = 30
POLL_S = 0.05
HEARTBEAT_S = 3
DESK = ["query", "open_lane", "set_lane", "display", "deny_credential", "register_credential"]


class Site:
    """engine and gateways run when `site` yields it; kill and start them as you like."""

    def __init__(self, folder: Path, broker_port: int, gateways: tuple[str, ...], rules: str) -> None:
        self.broker_port = broker_port
        self.engine: Engine = make_engine(folder, 2, 100, heartbeat_s=HEARTBEAT_S)
        with self.engine.config.open("a") as file:
            file.write(rules + service_toml("desk", DESK))
            file.write(broker_toml(broker_port, "carry_readers", services=gateways))
        self.gateways = [Gateway(self.engine.config, service) for service in gateways]


@asynccontextmanager
async def site(
    folder: Path, broker_port: int, gateways: tuple[str, ...] = ("mqtt",), rules: str = ""
) -> AsyncIterator[tuple[Site, Desk]]:
    """All of it, killed at the end, and a desk at its engine."""
    found = Site(folder, broker_port, gateways, rules)
    with found.engine:
        try:
            for gateway in found.gateways:
                gateway.start()
            async with desk_at(found.engine) as desk:
                yield found, desk
        finally:
            for gateway in found.gateways:
                gateway.kill()


class Desk:
    """An operator's connection to the engine, which outlives restarts of it."""

    def __init__(self, calls: EngineCalls) -> None:
        self._calls = calls

    async def order(self, name: str, **args: Any) -> str:
        """The code of an order's outcome, "" where it was done."""
        command = m.CommandMessage(secrets.token_bytes(16), LOT, name, {"actor": "eve", **args})
        outcome = await self._calls.ask(command)
        assert isinstance(outcome, m.Outcome), outcome
        return outcome.code

    async def vend(self, reader: str = READER) -> str:
        return await self.order("open_lane", reader=reader, lane=ENTRY, cause="lost ticket")

    async def wait_vended(self, reader: str = READER) -> None:
        """Have a barrier raised as soon as its reader can be reached."""
        async with asyncio.timeout(WAIT_S):
            while code := await self.vend(reader):
                assert code == "reader_away"
                await asyncio.sleep(POLL_S)  # who reaches a reader when is known by asking only

    async def wait_away(self, reader: str = READER) -> None:
        """Return when orders for the reader are refused."""
        async with asyncio.timeout(WAIT_S):
            while await self.vend(reader) != "reader_away":
                await asyncio.sleep(
                    10 * POLL_S
                )  # fewer than may wait for one reader, in the time of an order

    async def wait_policy(self, state: str, reader: str = READER) -> None:
        """Return when the engine knows that of the reader's POLICY."""
        async with asyncio.timeout(WAIT_S):
            while await self._policy(reader) != state:
                await asyncio.sleep(POLL_S)

    async def _policy(self, reader: str) -> str:
        await self._calls.wait_there()
        answer = await self._calls.query(m.Query(LOT, "policies", {"reader": reader}))
        assert isinstance(answer, m.Answer) and answer.ok, answer
        return str(answer.body["readers"][0]["state"])


@asynccontextmanager
async def desk_at(engine: Engine) -> AsyncIterator[Desk]:
    """A desk for as long as the block."""
    calls = EngineCalls(Dialer(lambda: engine.address), Identity(m.SERVICE, "desk", KEY))
    running = asyncio.create_task(calls.run())
    try:
        yield Desk(calls)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


class Heard(NamedTuple):
    """What came down to a reader."""

    message: Any
    correlation: bytes | None
    expiry_s: int | None
    user: dict[str, str]


class BrokerReader:
    """A reader, by aiomqtt. PING is answered, and orders are by DONE unless `holds` them; all else is for
    `next`.
    """

    def __init__(self, client: aiomqtt.Client, id: str) -> None:
        self._client, self.id = client, id
        self.holds = False
        self._all: list[m.Message] = []
        self._came: asyncio.Queue[Heard] = asyncio.Queue()

    async def say(self, message: m.Message, correlation: bytes | None = None, qos: int = 1) -> None:
        """Publish it."""
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = (topics.BOOT, "77")
        if correlation is not None:
            properties.CorrelationData = correlation
        await self._client.publish(
            topics.up(self.id, message.TYPE), m.encode(message), qos=qos, properties=properties
        )

    async def next(self, kind: type[m.Message]) -> Heard:
        """The next message of that kind; what came before it is passed over."""
        async with asyncio.timeout(WAIT_S):
            while not isinstance((heard := await self._came.get()).message, kind):
                pass
        return heard

    def count(self, kind: type[m.Message]) -> int:
        """How many of that kind came since the beginning."""
        return sum(isinstance(message, kind) for message in self._all)

    async def hear(self) -> None:
        """Take what comes, until cancelled."""
        async for packet in self._client.messages:
            topic = topics.parse_down(str(packet.topic))
            assert topic is not None and isinstance(packet.payload, bytes)
            message: Any = m.decode(topic.kind, packet.payload)
            properties: Any = packet.properties
            correlation = getattr(properties, "CorrelationData", None)
            self._all.append(message)
            if isinstance(message, m.Ping):
                await self.say(m.Pong(), qos=0)
                continue
            user = dict(getattr(properties, "UserProperty", []))
            expiry_s = getattr(properties, "MessageExpiryInterval", None)
            self._came.put_nowait(Heard(message, correlation, expiry_s, user))
            if not self.holds and isinstance(message, m.Vend | m.SetLane | m.Display | m.Policy):
                await self.say(m.Done(True, ""), correlation)


@asynccontextmanager
async def broker_reader(port: int, id: str = READER) -> AsyncIterator[BrokerReader]:
    """A reader that is subscribed, and gone at the end of the block with its session."""
    client = aiomqtt.Client("127.0.0.1", port, identifier=id, protocol=aiomqtt.ProtocolVersion.V5)
    async with client:
        await client.subscribe(topics.down_filter(id), qos=1)
        reader = BrokerReader(client, id)
        hearing = asyncio.create_task(reader.hear())
        try:
            yield reader
        finally:
            while not hearing.done():  # Python 3.11's wait_for, in a publish, may swallow a cancellation
                hearing.cancel()
                await asyncio.wait([hearing], timeout=1)
            (ended,) = await asyncio.gather(hearing, return_exceptions=True)
            assert isinstance(ended, asyncio.CancelledError | aiomqtt.MqttError), ended
