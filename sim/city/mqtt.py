"""Readers that speak MQTT: somebody else's client, aiomqtt, against the engine's own listener.

aiomqtt runs on asyncio and the city on trio, so all MQTT readers of a city share one thread with a loop of
its own. Rejected: a process, which would need a protocol of its own between the two for a handful of readers;
trio's guest mode, which puts the whole city on the other's loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import aiomqtt
import trio
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.codecs.mqtt import topics
from liftgate.configs.schema import ReaderConfig
from liftgate.sim.city.client import REPLY_S_MAX, RequestRefused
from liftgate.sim.city.lasting import AWAY_S_MAX, EngineGone, pauses
from liftgate.sim.city.reader import Told

SESSION_S = 60
T = TypeVar("T")
Where = Callable[[], tuple[str, int]]
"""Where the MQTT listener is now. Raises OSError."""


class MqttThread:
    """A thread with an asyncio loop. `call` is for trio's side."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="mqtt readers", daemon=True)
        self._thread.start()

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of a coroutine that runs there."""
        token, done = trio.lowlevel.current_trio_token(), trio.Event()
        future = asyncio.run_coroutine_threadsafe(work, self.loop)
        future.add_done_callback(lambda _: token.run_sync_soon(done.set))
        try:
            await done.wait()
        except trio.Cancelled:
            future.cancel()
            raise
        return future.result()

    def close(self) -> None:
        """End the loop and the thread."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()


class MqttWay:
    """Makes the ways of readers over MQTT, which share one thread."""

    def __init__(self, where: Where) -> None:
        self._thread, self._where = MqttThread(), where

    def __call__(self, config: ReaderConfig, boot: int, told: Told) -> MqttClient:
        """One reader's."""
        return MqttClient(self._thread, self._where, config, boot, told)

    def close(self) -> None:
        """End the thread, when all readers are closed."""
        self._thread.close()


class MqttClient:
    """One reader's way to the engine over MQTT: what is asked is published until it is answered.

    told: called with every order that comes down, on the thread; its DONE goes back. connections: so far.
    """

    def __init__(
        self,
        thread: MqttThread,
        where: Where,
        config: ReaderConfig,
        boot: int,
        told: Told,
    ) -> None:
        self.connections = 0
        self._thread, self._where, self._config, self._boot, self._told = thread, where, config, boot, told
        self._client: aiomqtt.Client | None = None
        self._there: asyncio.Event | None = None
        self._runs: asyncio.Task[None] | None = None
        self._waiting: dict[bytes, asyncio.Future[m.Message]] = {}
        self._ref = 0

    async def ask(self, message: m.Message) -> m.Message:
        """The answer, over as many connections as it takes. Raises EngineGone, RequestRefused."""
        return await self._thread.call(self._ask(message))

    async def aclose(self) -> None:
        """End the connection, if there is one."""
        await self._thread.call(self._close())

    async def _ask(self, message: m.Message) -> m.Message:
        if self._runs is None:
            self._there = asyncio.Event()
            self._runs = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(AWAY_S_MAX):
                while True:
                    answer = await self._ask_once(message)
                    if isinstance(answer, m.Error):
                        if answer.code != Fault.UNAVAILABLE:
                            raise RequestRefused(answer)
                        await asyncio.sleep(1)
                    elif answer is not None:
                        return answer
        except TimeoutError:
            raise EngineGone(f"{self._config.id}: the engine was away for {AWAY_S_MAX} s") from None

    async def _ask_once(self, message: m.Message) -> m.Message | None:
        """The answer; None where the connection was lost before it came."""
        assert self._there is not None
        await self._there.wait()
        client = self._client
        if client is None:
            return None
        self._ref = self._ref % 0xFFFFFFFF + 1
        correlation = topics.pack_ref(self._ref)
        answer = self._waiting[correlation] = asyncio.get_running_loop().create_future()
        try:
            await self._publish(client, message, correlation)
            async with asyncio.timeout(REPLY_S_MAX):
                reply: m.Message = await answer
                return reply
        except (aiomqtt.MqttError, ConnectionResetError, TimeoutError):
            return None
        finally:
            del self._waiting[correlation]

    async def _publish(self, client: aiomqtt.Client, message: m.Message, correlation: bytes | None) -> None:
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        topic = topics.up(self._config.id, message.TYPE)
        await client.publish(topic, m.encode(message), qos=1, properties=properties)

    async def _run(self) -> None:
        """Be connected until cancelled."""
        assert self._there is not None
        tries = pauses()
        while True:
            try:
                await self._serve()
                tries = pauses()
            except (aiomqtt.MqttError, OSError):
                await asyncio.sleep(next(tries))
            finally:
                self._client = None
                self._there.clear()
                for answer in self._waiting.values():
                    if not answer.done():
                        answer.set_exception(ConnectionResetError())

    async def _serve(self) -> None:
        assert self._there is not None
        host, port = self._where()
        connect = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        connect.UserProperty = (topics.BOOT, str(self._boot))
        connect.SessionExpiryInterval = SESSION_S
        client = aiomqtt.Client(
            host,
            port,
            identifier=self._config.id,
            username=self._config.id,
            password=bytes(self._config.key).hex(),
            protocol=aiomqtt.ProtocolVersion.V5,
            properties=connect,
            clean_start=False,
            timeout=REPLY_S_MAX,
        )
        async with client:
            await client.subscribe(topics.down_filter(self._config.id), qos=1)
            self.connections += 1
            self._client = client
            self._there.set()
            async for packet in client.messages:
                await self._hear(client, packet)

    async def _hear(self, client: aiomqtt.Client, packet: aiomqtt.Message) -> None:
        topic = topics.parse_down(str(packet.topic))
        if topic is None or not isinstance(packet.payload, bytes):
            return
        message = m.decode(topic.kind, packet.payload)
        correlation = getattr(packet.properties, "CorrelationData", None)
        if isinstance(message, m.Vend | m.SetLane | m.Display):
            await self._publish(client, self._told(message), correlation)
            return
        waiting = self._waiting.get(correlation) if correlation is not None else None
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def _close(self) -> None:
        if self._runs is not None:
            self._runs.cancel()
            await asyncio.gather(self._runs, return_exceptions=True)
