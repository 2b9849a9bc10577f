"""The MQTT broker mosquitto from its Debian package."""

from __future__ import annotations

import getpass
import shutil
from pathlib import Path
from typing import ClassVar

from deploy.services.kind import Kind, Ports
from deploy.services.ports import HOST
from deploy.services.wire import Wire

# CONNECT of MQTT 3.1.1, clean session, keep-alive 60 s, with the client id "ready"; CONNACK that accepts it.
CONNECT = b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05ready"
CONNACK = b"\x20\x02\x00\x00"
DISCONNECT = b"\xe0\x00"

CONFIG = """\
listener {port} {host}
allow_anonymous true
# Started by root it would become another user, who may not enter the folder.
user {user}
persistence true
persistence_location {folder}/data/
# kill -9 loses what is younger; an orderly stop loses nothing.
autosave_interval 1
log_dest stdout
connection_messages true
"""


class Mosquitto(Kind):
    """Retained messages and queues of lasting sessions are kept; kill -9 loses the last second of them."""

    name: ClassVar[str] = "mosquitto"
    usual_port: ClassVar[int] = 1883

    def missing(self) -> list[str]:
        return [] if program() else ["mosquitto"]

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        config = folder / "conf" / "mosquitto.conf"
        text = CONFIG.format(port=ports["client"], host=HOST, folder=folder, user=getpass.getuser())
        config.write_text(text, encoding="utf-8")
        return [program() or "mosquitto", "-c", str(config)]

    def is_serving(self, ports: Ports) -> bool:
        """CONNECT is answered by a CONNACK that accepts."""
        with Wire(ports["client"]) as wire:
            wire.send(CONNECT)
            accepted = wire.read(len(CONNACK)) == CONNACK
            wire.send(DISCONNECT)
            return accepted


def program() -> str | None:
    """Path of the broker: Debian puts it where only root's path leads."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
