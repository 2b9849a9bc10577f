"""Readers on MQTT that work while something is killed: standard clients with a log of their own each.

A reader keeps an event until it is acknowledged, and sends it again on the next connection. Every PUBLISH
names the boot, so it is all one whether the engine itself listens or a broker does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from tests.faults.engines import scans_in
from tests.independent.engine_process import ENTRY, KEY

BOOT = 77
AGAIN_S = 0.05
ANSWERS_S_MAX = 120
DECIDED_S_MAX = 3
"""How long a reader waits for a DECISION before it publishes its scan again: a driver waits, too."""


class Fleet:
    """acknowledged: (reader, no) of every event that was; published: how many were begun; lost: how many
    connections ended, or were not had.

    through_broker: PUBACK is only the broker's word, so an event is acknowledged when its DECISION is there.
    """

    def __init__(self, ids: list[str], port: Callable[[], int], through_broker: bool = False) -> None:
        self.ids = ids
        self.port = port
        self.through_broker = through_broker
        self.acknowledged: set[tuple[str, int]] = set()
        self.decided: set[tuple[str, int]] = set()
        self.published = 0
        self.connections = 0
        self.lost = 0
        self._changed = asyncio.Condition()
        self._stopping = False

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """All readers at work; at the end each has what it began acknowledged."""
        async with asyncio.TaskGroup() as group:
            for id in self.ids:
                group.create_task(self._work(id))
            yield
            self._stopping = True

    async def wait_more(self, count: int) -> None:
        """Return when so many more events are acknowledged."""
        wanted = len(self.acknowledged) + count
        await self._wait(lambda: len(self.acknowledged) >= wanted)

    async def wait_all_lost(self) -> None:
        """Return when as many connections more are lost as there are readers."""
        wanted = self.lost + len(self.ids)
        await self._wait(lambda: self.lost >= wanted)

    async def _wait(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(ANSWERS_S_MAX), self._changed:
            await self._changed.wait_for(is_so)

    async def _tell_change(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _work(self, id: str) -> None:
        no, sent = 1, False
        while not (self._stopping and not sent):
            try:
                async with self._client(id) as reader:
                    self.connections += 1
                    await reader.subscribe(topics.down_filter(id), qos=1)
                    hearing = asyncio.create_task(self._hear(id, reader))
                    try:
                        while not (self._stopping and not sent):
                            sent = True
                            self.published += 1
                            await self._publish(reader, id, no)
                            await self._wait_decided(reader, id, no)
                            self.acknowledged.add((id, no))
                            no, sent = no + 1, False
                            await self._tell_change()
                    finally:
                        hearing.cancel()
                        await asyncio.gather(hearing, return_exceptions=True)
            except aiomqtt.MqttError:
                self.lost += 1
                await self._tell_change()
                await asyncio.sleep(AGAIN_S)

    async def _wait_decided(self, reader: aiomqtt.Client, id: str, no: int) -> None:
        """Wait for the DECISION; where it does not come, publish again, as a reader does."""
        while self.through_broker and (id, no) not in self.decided:
            try:
                async with asyncio.timeout(DECIDED_S_MAX), self._changed:
                    await self._changed.wait_for(lambda: (id, no) in self.decided)
            except TimeoutError:
                await self._publish(reader, id, no)

    def _client(self, id: str) -> aiomqtt.Client:
        return aiomqtt.Client(
            "127.0.0.1",
            self.port(),
            identifier=id,
            username=id,
            password=KEY.hex(),
            protocol=aiomqtt.ProtocolVersion.V5,
            timeout=5,
        )

    async def _publish(self, reader: aiomqtt.Client, id: str, no: int) -> None:
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = (topics.BOOT, str(BOOT))
        properties.CorrelationData = topics.pack_ref(no)
        scan = m.Scan(no, 1_800_000_000_000, ENTRY, 2, f"{id}-{no}".encode())
        await reader.publish(topics.up(id, m.Scan.TYPE), m.encode(scan), qos=1, properties=properties)

    async def _hear(self, id: str, reader: aiomqtt.Client) -> None:
        async for packet in reader.messages:
            topic = topics.parse_down(str(packet.topic))
            assert topic is not None and isinstance(packet.payload, bytes)
            message: Any = m.decode(topic.kind, packet.payload)
            if isinstance(message, m.Decision):
                self.decided.add((id, message.no))
                await self._tell_change()

    def judge(self, folder: Path) -> int:
        """Every acknowledged event is in the journal, and none is there twice; how many there were."""
        there = {(scan.reader, scan.no) for scan in scans_in(folder).values() if scan.boot == BOOT}
        assert self.acknowledged <= there, sorted(self.acknowledged - there)[:5]
        assert self.decided <= there
        return len(self.acknowledged)
