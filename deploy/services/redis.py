"""Redis from its Debian package."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import ClassVar

from deploy.services.kind import Kind, Ports
from deploy.services.ports import HOST
from deploy.services.wire import Wire

PONG = b"+PONG\r\n"


class Redis(Kind):
    """Data are in its append-only file, synced once a second."""

    name: ClassVar[str] = "redis"
    usual_port: ClassVar[int] = 6379

    def missing(self) -> list[str]:
        return [] if shutil.which("redis-server") else ["redis-server"]

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        settings = {
            "bind": HOST,
            "port": str(ports["client"]),
            "dir": str(folder / "data"),
            "appendonly": "yes",
            "save": "",
            "daemonize": "no",
        }
        options = [part for key, value in settings.items() for part in (f"--{key}", value)]
        return [shutil.which("redis-server") or "redis-server", *options]

    def is_serving(self, ports: Ports) -> bool:
        """PING is answered by PONG; while it reads its file it would answer LOADING."""
        with Wire(ports["client"]) as wire:
            wire.send(b"PING\r\n")
            return wire.read(len(PONG)) == PONG
