"""Between a broker and the engine: what readers publish becomes COMMANDs, OUTCOMEs go down to them.

A PUBLISH is acknowledged when its OUTCOME is there, so when it is durable. While the engine is away it is
held, up to in_flight_max; then nothing more is read, and the broker keeps the rest. While the broker is away
readers keep their events. What the engine orders goes down beside the answers (`orders.py`). Nothing here
outlives the process: it may be killed at any time.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

import mqtt5
import structlog
from mqtt5 import PubAckReasonCode

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, PeerError
from liftgate.codecs.mqtt import topics
from liftgate.configs.broker import BrokerConfig
from liftgate.gateways.mqtt.broker.engine import EngineCalls
from liftgate.gateways.mqtt.broker.link import BrokerLink, BrokerLost, Down
from liftgate.gateways.mqtt.broker.orders import Orders
from liftgate.gateways.mqtt.broker.tries import tries

log = structlog.get_logger()

_COMMANDS = {
    m.Scan.TYPE: "read_credential",
    m.Passage.TYPE: "record_passage",
    m.LaneStatus.TYPE: "report_lane",
    m.Replay.TYPE: "record_history",
}
_FAULTS = {
    "no_such_lane": Fault.NO_SUCH_LANE,
    "no_such_lot": Fault.NOT_ALLOWED,
    "not_allowed": Fault.NOT_ALLOWED,
    "too_many_gaps": Fault.TOO_MANY_GAPS,
    "bad_args": Fault.BAD_FIELD,
}


_HEARD = frozenset({m.Done.TYPE, m.TimeAsk.TYPE, m.Ping.TYPE, m.Pong.TYPE, m.Goodbye.TYPE})

OWN_LOT = "*"
"""The lot of these COMMANDs: the engine knows where the reader is (gateways/spoken.py)."""


class Refused(Exception):
    """The event will never be taken so: the reader is told with ERROR, and the broker need not keep it."""

    def __init__(self, code: Fault, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class BrokerGateway:
    """answered: events whose OUTCOME came."""

    def __init__(self, config: BrokerConfig, engine: EngineCalls, client_id: str) -> None:
        self._config, self._engine, self._client_id = config, engine, client_id
        self._orders = Orders(engine, f"{config.host}:{config.port}/{config.group}")
        self.answered = 0

    async def run(self) -> None:
        """Carry until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._orders.run())
            tasks.create_task(self._stay_connected())

    async def _stay_connected(self) -> None:
        async for attempt in tries(BrokerLost):
            with attempt:
                try:
                    link = await BrokerLink.dial(self._config, self._client_id)
                except BrokerLost as error:
                    log.warning("mqtt.broker_away", error=str(error))
                    raise
                while True:  # a connection that stood is followed by a try without a pause
                    log.info("mqtt.broker_there", host=self._config.host, port=self._config.port)
                    await self._carry(link)
                    link = await BrokerLink.dial(self._config, self._client_id)

    async def _carry(self, link: BrokerLink) -> None:
        """One connection to its end. What is in hand when it ends is dropped: it comes again."""
        slots = asyncio.Semaphore(self._config.in_flight_max)
        tasks: set[asyncio.Task[None]] = set()

        def over(task: asyncio.Task[None]) -> None:
            tasks.discard(task)
            slots.release()

        self._orders.broker_there(link)
        try:
            while True:
                await slots.acquire()
                task = asyncio.create_task(self._take(link, await link.receive()))
                tasks.add(task)
                task.add_done_callback(over)
        except BrokerLost as error:
            log.warning("mqtt.broker_lost", error=str(error))
        finally:
            self._orders.broker_gone()
            for task in list(tasks):
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await link.aclose()

    async def _take(self, link: BrokerLink, packet: mqtt5.PublishPacket) -> None:
        """One PUBLISH of a reader's."""
        topic = topics.parse_up(packet.topic)
        if topic is None:
            link.acknowledge(packet, PubAckReasonCode.TOPIC_NAME_INVALID)
            return
        reason = PubAckReasonCode.SUCCESS
        try:
            answer = await self._do(topic, packet)
        except Refused as refused:
            log.info("mqtt.event_refused", reader=topic.reader, code=int(refused.code), text=refused.text)
            answer = m.Error(int(refused.code), refused.text[:200], False)
            reason = PubAckReasonCode.IMPLEMENTATION_SPECIFIC_ERROR
        link.acknowledge(packet, reason)
        self.answered += 1
        if answer is not None:
            fresh_s = topics.FRESH_MS // 1000 if answer.TYPE in topics.FRESH else None
            down = Down(answer.TYPE, m.encode(answer), packet.correlation_data, fresh_s)
            await link.publish(topic.reader, down)

    async def _do(self, topic: topics.Up, packet: mqtt5.PublishPacket) -> m.Message | None:
        """The reader's answer. Raises Refused."""
        if topic.kind in _HEARD:
            return await self._hear(topic, packet)
        name = _COMMANDS.get(topic.kind)
        if name is None:
            raise Refused(Fault.UNKNOWN_TYPE, f"0x{topic.kind:02x} does not go through a broker")
        try:
            boot = topics.parse_boot(packet.user_properties)
            message: Any = m.decode(topic.kind, packet.payload)
        except (ValueError, PeerError) as error:
            raise Refused(Fault.BAD_FIELD, str(error)) from error
        if not boot:
            raise Refused(Fault.BAD_FIELD, "user property boot is missing")
        args = {"reader": topic.reader, "boot": boot, **_args(message, packet.payload)}
        outcome = await self._engine.ask(m.CommandMessage(secrets.token_bytes(16), OWN_LOT, name, args))
        if isinstance(outcome, m.Error):
            raise Refused(Fault(outcome.code), outcome.text)
        if not outcome.ok:
            raise Refused(_FAULTS.get(outcome.code, Fault.NOT_ALLOWED), outcome.code)
        return _answer(message, outcome)

    async def _hear(self, topic: topics.Up, packet: mqtt5.PublishPacket) -> m.Message | None:
        """What a reader says beside its events; its answer. While the engine is away only DONE is kept for
        it: what the others say and ask is of this moment. Raises Refused.
        """
        kind = topic.kind
        if kind != m.Done.TYPE and not self._engine.is_there():
            return None
        try:
            message = m.decode(kind, packet.payload)
        except PeerError as error:
            raise Refused(Fault.BAD_FIELD, str(error)) from error
        ref = topics.parse_ref(packet.correlation_data)
        args = {"reader": topic.reader, "type": kind, "message": packet.payload, "ref": ref}
        outcome = await self._engine.ask(
            m.CommandMessage(secrets.token_bytes(16), OWN_LOT, "hear_reader", args)
        )
        if not isinstance(outcome, m.Outcome) or not outcome.ok:
            return None  # without the right nobody hears it, and the reader can do nothing about that
        if isinstance(message, m.TimeAsk):
            return m.Time(*outcome.body["time"])
        return m.Pong() if isinstance(message, m.Ping) else None


def _args(message: Any, body: bytes) -> dict[str, Any]:
    """A scan's fields by name; other messages as they came."""
    if isinstance(message, m.Scan):
        return {name: getattr(message, name) for name in message.__struct_fields__}
    return {"message": body}


def _answer(message: Any, outcome: m.Outcome) -> m.Message:
    """What the reader's own connection would have answered."""
    body = outcome.body
    if isinstance(message, m.Scan):
        return m.Decision(
            message.no,
            body["verdict"],
            body["reason"],
            body.get("session"),
            body.get("spot"),
            body.get("text", ""),
            body.get("price"),
            body.get("durable", 1),
            outcome.position,
        )
    if isinstance(message, m.Replay):
        gaps = tuple((low, high) for low, high in body["gaps"])
        findings = tuple((no, reason) for no, reason in body["findings"])
        return m.Replayed(body["done_to"], gaps, findings, outcome.position, body["pause_ms"])
    return m.Ack(message.no, outcome.position)
