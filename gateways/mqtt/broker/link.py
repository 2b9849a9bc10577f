"""One connection to the broker, on the `mqtt5` codec.

PUBACK belongs to the connection that its PUBLISH came by. Rejected: gmqtt, whose PUBACK, held until a handler
returns, goes out on whatever connection is there by then. After a reconnect that packet id may stand for
another message, which the broker would forget before it is durable.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from typing import NamedTuple

import mqtt5
from mqtt5 import PubAckReasonCode, QoS

from liftgate.codecs.mqtt import topics
from liftgate.codecs.mqtt.packets import PacketError, PacketReader
from liftgate.configs.broker import BrokerConfig

RECEIVE_BYTES = 65_536
CONNECT_S_MAX = 10
KEEP_ALIVE_S = 20
SESSION_S = 3600
"""What came while a gateway was away waits so long at the broker; readers that hear nothing send it again."""
PACKET_BYTES_MAX = 65_536 + 1024


class BrokerLost(Exception):
    """The connection is over or could not be had; another try may do."""


class Down(NamedTuple):
    """A message to a reader. expiry_s: after so long the broker need not bring it any more."""

    kind: int
    body: bytes
    correlation: bytes | None
    expiry_s: int | None = None
    properties: tuple[tuple[str, str], ...] = ()


class BrokerLink:
    """Signed on and subscribed. `receive` is for one task; the others may be called from any."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._packets = PacketReader()
        self._packets.packet_bytes_max = PACKET_BYTES_MAX
        self._slots = asyncio.Semaphore(1)
        self._unacknowledged: dict[int, asyncio.Future[int | None]] = {}
        self._last_id = 0
        self._early: list[mqtt5.Packet] = []
        self.ended = False

    @classmethod
    async def dial(cls, config: BrokerConfig, client_id: str) -> BrokerLink:
        """Raises BrokerLost."""
        tls = None if config.ca is None else ssl.create_default_context(cafile=str(config.ca))
        try:
            async with asyncio.timeout(CONNECT_S_MAX):
                link = cls(*await asyncio.open_connection(config.host, config.port, ssl=tls))
                try:
                    await link._sign_on(config, client_id)
                except BaseException:
                    await link.aclose()
                    raise
        except (TimeoutError, OSError) as error:
            raise BrokerLost(str(error) or f"no answer within {CONNECT_S_MAX} s") from error
        return link

    async def _sign_on(self, config: BrokerConfig, client_id: str) -> None:
        connect = mqtt5.ConnectPacket(
            client_id,
            username=config.user,
            password=config.password.encode() if config.password is not None else None,
            clean_start=False,
            keep_alive=KEEP_ALIVE_S,
            session_expiry_interval=SESSION_S,
            receive_max=config.in_flight_max,
        )
        self._write(connect.write())
        connack = await self._next()
        if not isinstance(connack, mqtt5.ConnAckPacket) or connack.reason_code != 0:
            raise BrokerLost(f"the broker refused: {connack}")
        self._slots = asyncio.Semaphore(min(connack.receive_max, config.in_flight_max))
        pattern = f"$share/{config.group}/liftgate/v1/+/up/#"
        wanted = mqtt5.TopicFilter(pattern, max_qos=QoS.AT_LEAST_ONCE)
        self._write(mqtt5.SubscribePacket(65_535, [wanted]).write())
        while not isinstance(suback := await self._next(), mqtt5.SubAckPacket):
            self._early.append(suback)  # what waited in the session may come before SUBACK
        if int(suback.reason_codes[0]) != 1:
            raise BrokerLost(f"the broker does not let us have {pattern}: {suback.reason_codes}")

    async def receive(self) -> mqtt5.PublishPacket:
        """The next PUBLISH. Raises BrokerLost."""
        try:
            while True:
                packet = self._early.pop(0) if self._early else await self._heard()
                if isinstance(packet, mqtt5.PublishPacket):
                    return packet
                if isinstance(packet, mqtt5.PubAckPacket) and packet.packet_id in self._unacknowledged:
                    self._settle(packet.packet_id, int(packet.reason_code))
                elif isinstance(packet, mqtt5.DisconnectPacket):
                    raise BrokerLost(f"the broker disconnects: {packet.reason_code}")
        except OSError as error:
            raise BrokerLost(str(error)) from error

    async def _heard(self) -> mqtt5.Packet:
        """The next packet; in silence the broker is asked, once, whether it is there."""
        for _ in range(2):
            try:
                async with asyncio.timeout(KEEP_ALIVE_S / 2):
                    return await self._next()
            except TimeoutError:
                self._write(mqtt5.PingReqPacket().write())
        raise BrokerLost(f"silent for {KEEP_ALIVE_S} s")

    async def _next(self) -> mqtt5.Packet:
        try:
            while (packet := self._packets.take()) is None:
                data = await self._reader.read(RECEIVE_BYTES)
                if not data:
                    raise BrokerLost("the broker closed the connection")
                self._packets.feed(data)
        except PacketError as error:
            raise BrokerLost(str(error)) from error
        return packet

    def acknowledge(self, packet: mqtt5.PublishPacket, reason: PubAckReasonCode) -> None:
        """PUBACK, on this connection or not at all: on the next one that packet comes again."""
        if packet.packet_id is not None and not self.ended:
            self._write(mqtt5.PubAckPacket(packet.packet_id, reason_code=reason).write())

    async def publish(self, reader: str, message: Down) -> asyncio.Future[int | None]:
        """Have a message brought to a reader; waits while the broker has as many of ours as it takes.

        What comes back tells the reason code of its PUBACK, or None where the connection ended before that.
        Answers are forgotten then: the reader sends again and is answered again.
        """
        acknowledged: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        await self._slots.acquire()
        if self.ended:
            self._slots.release()
            acknowledged.set_result(None)
            return acknowledged
        packet_id = self._last_id % 65_534 + 1
        while packet_id in self._unacknowledged:
            packet_id = packet_id % 65_534 + 1
        self._last_id = packet_id
        self._unacknowledged[packet_id] = acknowledged
        self._write(
            mqtt5.PublishPacket(
                topics.down(reader, message.kind),
                message.body,
                qos=QoS.AT_LEAST_ONCE,
                packet_id=packet_id,
                correlation_data=message.correlation,
                message_expiry_interval=message.expiry_s,
                user_properties=list(message.properties),
            ).write()
        )
        return acknowledged

    def _settle(self, packet_id: int, reason: int | None) -> None:
        acknowledged = self._unacknowledged.pop(packet_id)
        self._slots.release()
        if not acknowledged.done():
            acknowledged.set_result(reason)

    def _write(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    async def aclose(self) -> None:
        """End it; the session stays at the broker."""
        self.ended = True
        for packet_id in list(self._unacknowledged):
            self._settle(packet_id, None)
        self._slots.release()  # who waits for one finds that it has ended, and lets the next one find it
        self._writer.close()
        with contextlib.suppress(OSError, TimeoutError):  # it is gone: nothing is left to say to it
            async with asyncio.timeout(1):
                await self._writer.wait_closed()
