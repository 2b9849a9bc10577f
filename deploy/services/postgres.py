"""PostgreSQL from its Debian packages."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import struct
import subprocess
from pathlib import Path
from typing import ClassVar

from deploy.services.errors import StartFailed
from deploy.services.kind import Kind, Ports
from deploy.services.ports import HOST
from deploy.services.processes import started_ticks
from deploy.services.wire import Wire

INSTALLED = Path("/usr/lib/postgresql")
PACKAGE_USER = "postgres"
OWNER = "liftgate"
"""The superuser that initdb makes; no password is asked on HOST."""
INIT_S_MAX = 120
PROTOCOL_3 = 196_608


class Postgres(Kind):
    name: ClassVar[str] = "postgres"
    usual_port: ClassVar[int] = 5432
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # SIGTERM would wait for every client to leave

    def missing(self) -> list[str]:
        return [] if newest_programs() else ["postgresql"]

    def user(self) -> str | None:
        """It refuses to run as root, so root runs it as the user that its package made."""
        return PACKAGE_USER if os.geteuid() == 0 else None

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        programs, data = newest_programs(), folder / "data"
        assert programs is not None, "asked for without missing()"
        if user := self.user():
            _check_reachable(folder)
            owner = pwd.getpwnam(user)
            for place in (folder, data):
                os.chown(place, owner.pw_uid, owner.pw_gid)
        _drop_stale_lock(data / "postmaster.pid")
        if (data / "PG_VERSION").exists():
            # Data of an older version are readable by that version only.
            programs = INSTALLED / (data / "PG_VERSION").read_text().strip() / "bin"
        else:
            self._init(programs, data)
        settings = {
            "listen_addresses": HOST,
            "port": ports["client"],
            "unix_socket_directories": "",
            "log_destination": "stderr",
            "max_connections": 50,
            # A connection that never said who it is was seen to hold up an orderly stop for this long (its
            # makers' default: 60 s).
            "authentication_timeout": "5s",
            "shared_buffers": "64MB",
        }
        options = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        return [str(programs / "postgres"), "-D", str(data), *options]

    def is_serving(self, ports: Ports) -> bool:
        """A session begins and answers a query."""
        query = b"SELECT 1\0"
        with Wire(ports["client"]) as wire:
            if not sign_on(wire):
                return False
            wire.send(b"Q" + struct.pack(">i", len(query) + 4) + query)
            return b"D" in _messages(wire)

    def _init(self, programs: Path, data: Path) -> None:
        command = [str(programs / "initdb"), "-D", str(data), "--username", OWNER, "--auth", "trust"]
        command += ["--encoding", "UTF8", "--locale", "C.UTF-8"]
        done = subprocess.run(
            command,
            cwd=data.parent,
            user=self.user(),
            group=self.user(),
            extra_groups=[] if self.user() else None,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=INIT_S_MAX,
        )
        if done.returncode:
            raise StartFailed(f"postgres: initdb failed:\n{done.stdout}")


def sign_on(wire: Wire) -> bool:
    """Begin a session as OWNER; whether it may."""
    start = struct.pack(">i", PROTOCOL_3) + b"user\0" + OWNER.encode() + b"\0database\0postgres\0\0"
    wire.send(struct.pack(">i", len(start) + 4) + start)
    return b"Z" in _messages(wire)


def newest_programs() -> Path | None:
    """Folder of the newest installed version's programs; Debian keeps them off the path."""
    versions = [folder for folder in INSTALLED.glob("*/bin") if (folder / "initdb").exists()]
    if versions:
        return max(versions, key=lambda folder: float(folder.parent.name))
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _check_reachable(folder: Path) -> None:
    """Raise StartFailed if the package's user cannot enter the folder."""
    for parent in folder.parents:
        if not parent.stat().st_mode & 0o001:
            raise StartFailed(
                f"postgres does not run as root, and its user {PACKAGE_USER} may not enter {parent}: "
                "choose another folder with LIFTGATE_SERVICES"
            )


def _drop_stale_lock(lock: Path) -> None:
    """Remove the lock of a postmaster that was killed.

    PostgreSQL does so itself, but for one that is a zombie, whose pid still takes signals: where process 1 is
    not an init (a container), zombies stay for long, or for ever.
    """
    if lock.exists() and started_ticks(int(lock.read_text(encoding="utf-8").split()[0])) is None:
        lock.unlink()


def _messages(wire: Wire) -> list[bytes]:
    """Types of the messages up to ReadyForQuery (Z) or an error (E)."""
    types: list[bytes] = []
    while not types or types[-1] not in (b"Z", b"E"):
        header = wire.read(5)
        wire.read(struct.unpack(">i", header[1:])[0] - 4)
        types.append(header[:1])
    return types
