"""The listener on real sockets, with somebody else's client: aiomqtt on paho."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import paho.mqtt.client as paho
import pytest
import trio
from mqtt5 import PublishPacket, QoS
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from liftgate.gateways.mqtt.listener import Listener
from liftgate.gateways.reactor import Door
from liftgate.gateways.tcp import listen
from liftgate.gateways.tls import server_context
from tests.gateways.certificates import make_certificate
from tests.gateways.mqtt.clients import connect, subscribe
from tests.gateways.network import KEY, World, make_config, scan
from tests.gateways.test_reactor import Site, running

WAIT_S = 20


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[Site, int]]:
    """A reactor with both doors; the MQTT one's port."""
    world = World(make_config(spots=1000))
    async with running(world) as site:
        listener = listen("127.0.0.1", 0)
        site.reactor.open_door(Door(listener, context, Listener(world.gateway).link))
        yield site, listener.getsockname()[1]


def boot(number: int) -> Properties:
    """CONNECT's properties with the reader's boot."""
    properties = Properties(PacketTypes.CONNECT)
    properties.UserProperty = (topics.BOOT, str(number))
    return properties


def client(port: int, id: str = "r0", **more: Any) -> aiomqtt.Client:
    """A standard client that shows the reader's key."""
    more.setdefault("properties", boot(7))
    more.setdefault("password", KEY.hex())
    return aiomqtt.Client(
        "localhost",
        port,
        identifier=id,
        username=id,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=WAIT_S,
        **more,
    )


async def ask(reader: aiomqtt.Client, id: str, message: m.Message) -> m.Message:
    """Publish it, PUBACK waited for; the first thing that comes down."""
    await reader.publish(topics.up(id, message.TYPE), m.encode(message), qos=1)
    return await told(reader)


async def told(reader: aiomqtt.Client) -> m.Message:
    async with asyncio.timeout(WAIT_S):
        async for packet in reader.messages:
            topic = topics.parse_down(str(packet.topic))
            assert topic is not None and isinstance(packet.payload, bytes)
            return m.decode(topic.kind, packet.payload)
    raise AssertionError("the connection ended")


async def on_asyncio(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run what needs asyncio in a thread, beside the reactor."""
    return await trio.to_thread.run_sync(lambda: asyncio.run(work()))  # type: ignore[arg-type]


async def test_a_standard_client() -> None:
    """It signs on, publishes, is acknowledged, and reads its answers; the counts show it."""

    async def work() -> list[m.Message]:
        async with client(port) as reader:
            await reader.subscribe(topics.down_filter("r0"), qos=1)
            return [await ask(reader, "r0", scan(no)) for no in (1, 2, 3)]

    async with listening() as (site, port):
        answers = await on_asyncio(work)
        assert [answer.no for answer in answers] == [1, 2, 3]
        assert site.world.lot.counts()["occupancy"] == 3


async def test_over_tls(tmp_path: Path) -> None:
    """Behind TLS 1.3 it is the same."""
    cert, key = make_certificate(tmp_path)

    async def work() -> m.Message:
        async with client(port, tls_context=ssl.create_default_context(cafile=str(cert))) as reader:
            await reader.subscribe(topics.down_filter("r0"), qos=1)
            return await ask(reader, "r0", scan(1))

    async with listening(server_context(cert, key, None)) as (_, port):
        assert isinstance(await on_asyncio(work), m.Decision)


async def test_who_is_refused_is_told_why() -> None:
    """A wrong key, in the words of the client's library."""

    async def work() -> None:
        with pytest.raises(aiomqtt.MqttError, match="Bad user name or password"):
            async with client(port, password="00" * 32):
                raise AssertionError("it was let in")

    async with listening() as (_, port):
        await on_asyncio(work)


async def test_a_session_is_resumed_by_a_standard_client() -> None:
    """What it had not acknowledged when its socket broke comes again, with DUP, when it is back."""
    properties = boot(7)
    properties.SessionExpiryInterval = 60

    async def lose() -> None:
        lazy = paho.Client(paho.CallbackAPIVersion.VERSION2, "r0", protocol=paho.MQTTv5, manual_ack=True)
        lazy.username_pw_set("r0", KEY.hex())
        done = asyncio.Event()
        lazy.on_message = lambda *_: done.set()
        lazy.on_connect = lambda *_: lazy.subscribe(topics.down_filter("r0"), 1)
        lazy.on_subscribe = lambda *_: lazy.publish(topics.up("r0", 0x10), m.encode(scan(1)), 1)
        lazy.connect("localhost", port, properties=properties, clean_start=False)
        async with asyncio.timeout(WAIT_S):
            while not done.is_set():
                lazy.loop(0.1)
                await asyncio.sleep(0)
        sock = lazy.socket()
        assert sock is not None
        sock.close()

    async def find() -> m.Message:
        async with client(port, properties=properties, clean_start=False) as reader:
            return await told(reader)

    async with listening() as (_, port):
        await on_asyncio(lose)
        again = await on_asyncio(find)
        assert isinstance(again, m.Decision) and again.no == 1


async def test_the_transport_changes_between_send_and_resend() -> None:
    """A scan that was sent over MQTT and is sent again over TCP, and back, is one car, answered alike."""

    async def work() -> m.Message:
        async with client(port) as reader:
            await reader.subscribe(topics.down_filter("r0"), qos=1)
            return await ask(reader, "r0", scan(1, b"car"))

    async with listening() as (site, port):
        first = await on_asyncio(work)
        device = await site.reader("r0")
        assert await device.ask(scan(1, b"car")) == first
        assert await on_asyncio(work) == first
        assert site.world.lot.counts()["occupancy"] == 1


async def test_a_connection_cut_after_every_byte() -> None:
    """Wherever a conversation is cut, an event that was acknowledged stands, and one sent again is one."""
    said = connect("r0").write() + subscribe("r0").write()
    said += _publish(1) + _publish(2) + b"\x40\x02\x00\x01" + b"\xe0\x00"
    async with listening() as (site, port):
        for cut in range(len(said) + 1):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            await stream.send_all(said[:cut])
            await stream.aclose()
            while site.reactor.turn() or site.world.gateway.links:
                await trio.lowlevel.checkpoint()
        numbering = site.world.lot.readers["r0"].numbering(7)
        assert numbering.done_to == 2 and site.world.lot.counts()["occupancy"] == 2
        assert not site.world.gateway.readers and not site.world.gateway.strangers


def _publish(no: int) -> bytes:
    body = m.encode(scan(no))
    return PublishPacket(topics.up("r0", 0x10), body, qos=QoS.AT_LEAST_ONCE, packet_id=no).write()
