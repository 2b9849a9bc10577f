"""The engine's own MQTT listener: a door of the reactor's, and what outlives its connections."""

from typing import TYPE_CHECKING, Any

import structlog

from liftgate.codecs import messages as m
from liftgate.gateways import told
from liftgate.gateways.mqtt.link import MqttLink
from liftgate.gateways.mqtt.session import Sessions, Will

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway

log = structlog.get_logger()


class Listener:
    """sessions: of all its readers."""

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway = gateway
        self.sessions = Sessions()
        gateway.tickers.append(self.tick)

    def link(self, gateway: "Gateway", peer: str, steady_ms: int) -> MqttLink:
        """A link for a new connection."""
        return MqttLink(gateway, peer, steady_ms, self.sessions)

    def tick(self) -> None:
        """Let sessions expire, and record the wills of readers that went without a word.

        While the disk is full wills wait, as readers do.
        """
        if self.gateway.engine.accepting and not self.gateway.stopping:
            for reader, will in self.sessions.due(self.gateway.steady_ms):
                self._record(reader, will)

    def _record(self, id: str, will: Will) -> None:
        directory = self.gateway.directory
        if not directory.keys(id):
            return  # revoked meanwhile: nobody's word
        message: Any = m.decode(will.kind, will.body)
        engine = self.gateway.engine
        code, position = told.record(engine, engine.lots[directory.lot(id)], id, will.boot, message)
        log.info("mqtt.will", id=id, no=message.no, code=code, position=position)
