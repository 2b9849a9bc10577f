"""One server in a folder of its own: start, stop, kill, pause, resume, restart, and whether it is ready."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from deploy.services import processes
from deploy.services.errors import NotInstalled, ServiceError, StartFailed
from deploy.services.kind import Kind
from deploy.services.ports import HOST, can_bind, free_ports

START_S_MAX = 180.0
"""Cassandra takes about 10 s on two cores that others use too; a busier machine may need many times that."""
STOP_S_MAX = 60.0
"""Cassandra flushes its tables before it ends."""
KILL_S_MAX = 10.0
"""The kernel frees a gigabyte within a second; a process in an unfinished disk write takes longer."""
LOG_TAIL = 3000
"""Characters of its output that a failed start tells."""


class Service:
    """A server and its folder, which keeps ports and data: a start goes on where the last one ended.

    Not for two threads at once. `mine` False means that others use the server too: what would disturb them
    (stop, kill, pause, resume, restart) raises ServiceError. `usual` True: its first start takes the port
    where everybody looks for such a server, if nobody else listens there.
    """

    def __init__(self, kind: Kind, folder: Path, mine: bool = True, usual: bool = False) -> None:
        self.kind = kind
        self.folder = folder.resolve()
        self.mine = mine
        self.usual = usual
        self._child: subprocess.Popen[bytes] | None = None
        self._note: dict[str, Any] = {}
        self.read_note()

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def host(self) -> str:
        return HOST

    @property
    def ports(self) -> dict[str, int]:
        """Its ports by name (`Kind.port_names`); empty before the first start."""
        return dict(self._note.get("ports", {}))

    @property
    def port(self) -> int:
        """Where it is used. Raises KeyError before the first start."""
        return self.ports["client"]

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process, None if it does not run; a paused one runs."""
        pid = self._note.get("pid")
        if pid and processes.started_ticks(pid) == self._note["started"]:
            return int(pid)
        if self._child is not None:
            self._child.wait()  # it is over, and waits to be reaped by us
            self._child = None
        return None

    @property
    def started(self) -> int:
        """When its process started, in clock ticks since boot: with the pid it names one process."""
        return int(self._note["started"])

    @property
    def log_file(self) -> Path:
        return self.folder / "log" / self.kind.log_name

    def rss_mib(self) -> int:
        """Resident memory of all its processes; shared pages count in each. 0 if it does not run."""
        pid = self.pid
        return sum(map(processes.rss_mib, processes.members(self.folder, pid))) if pid else 0

    def is_ready(self) -> bool:
        """Whether it answers a real request. A paused server costs the request's timeout of 5 s."""
        if self.pid is None:
            return False
        try:
            return self.kind.is_serving(self.ports)
        except OSError:
            return False

    def start(self, within_s: float = START_S_MAX) -> float:
        """Return when it is ready, with the seconds that took; at once if it is.

        Raises NotInstalled, StartFailed, ServiceError (jars cannot be had).
        """
        begin = time.monotonic()
        if self.pid is None:
            if packages := self.kind.missing():
                raise NotInstalled(packages)
            self.kind.fetch()
            self._spawn()
        self.wait_ready(within_s)
        return time.monotonic() - begin

    def wait_ready(self, within_s: float = START_S_MAX) -> None:
        """Return when it is ready. Raises StartFailed if it ends or is not ready in time; it then runs on."""
        if not processes.wait_until(lambda: self.pid is None or self.is_ready(), within_s):
            raise StartFailed(f"{self.name} was not ready within {within_s:.0f} s; {self._tail()}")
        if self.pid is None:
            raise StartFailed(f"{self.name} ended while it started; {self._tail()}")

    def stop(self, within_s: float = STOP_S_MAX) -> None:
        """End it in its orderly way; return when it is gone. Raises ServiceError if it is not in time."""
        self._demand_mine()
        self._end(self.kind.stop_signal, within_s)

    def kill(self) -> None:
        """kill -9, and return when it is gone with all its processes."""
        self._demand_mine()
        self._end(signal.SIGKILL, KILL_S_MAX)

    def pause(self) -> None:
        """SIGSTOP: connections stay open and the kernel takes new ones, but nobody answers."""
        self._demand_mine()
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT. Nothing happens if it was not paused."""
        self._demand_mine()
        self._signal(signal.SIGCONT)

    def restart(self, within_s: float = START_S_MAX) -> float:
        """Stop it if it runs, start it on the same ports with the same data; seconds from start to ready."""
        self.stop()
        return self.start(within_s)

    def read_note(self) -> None:
        """Take in what the folder says, for a server that another process started or stopped."""
        with suppress(FileNotFoundError):
            self._note = json.loads(self._note_file.read_text(encoding="utf-8"))
            if self._note["kind"] != self.name:
                raise ServiceError(f"{self.folder} is the folder of a {self._note['kind']}")

    @property
    def _note_file(self) -> Path:
        return self.folder / "service.json"

    def _spawn(self) -> None:
        for name in ("conf", "log", "data"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)
        (self.folder / "tmp").mkdir()
        ports = self._choose_ports()
        command = self.kind.prepare(self.folder, ports)
        user = self.kind.user()
        with (self.folder / "log" / "stdout.log").open("ab") as output:
            self._child = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # a Ctrl-C in the terminal is not meant for it
                user=user,
                group=user,
                extra_groups=[] if user else None,
            )
        pid = self._child.pid
        self._note = {
            "kind": self.name,
            "ports": ports,
            "pid": pid,
            "started": processes.started_ticks(pid),
        }
        replace_json(self._note_file, self._note)

    def _choose_ports(self) -> dict[str, int]:
        """Those of the last start, else free ones. Raises StartFailed if somebody took one meanwhile."""
        ports = self.ports
        if not ports:
            names = self.kind.port_names
            ports = dict(zip(names, free_ports(len(names)), strict=True))
            if self.usual and can_bind(self.kind.usual_port):
                ports["client"] = self.kind.usual_port
        # Where a proxy may stand the server does not listen, and the proxy may stand there already.
        taken = [port for name, port in ports.items() if name != "proxy" and not can_bind(port)]
        if taken:
            raise StartFailed(f"{self.name}: port {taken[0]} of its folder {self.folder} is in use")
        return ports

    def _signal(self, number: signal.Signals) -> list[int]:
        """Send to all its processes, the first one first: a stopped parent starts no more of them."""
        pid = self.pid
        if pid is None:
            return []
        os.kill(pid, number)
        found = processes.members(self.folder, pid)
        for other in found[1:]:
            with suppress(ProcessLookupError):
                os.kill(other, number)
        return found

    def _end(self, number: signal.Signals, within_s: float) -> None:
        pid = self.pid
        if pid is None:
            return
        if number == signal.SIGKILL:
            self._signal(number)
        else:
            os.kill(pid, number)
            self._signal(signal.SIGCONT)  # a paused one would not take the signal before
        if not processes.wait_until(self._is_gone, within_s):
            raise ServiceError(f"{self.name} (pid {pid}) still runs {within_s:.0f} s after {number.name}")

    def _is_gone(self) -> bool:
        return self.pid is None and not processes.others_in(self.folder)

    def _demand_mine(self) -> None:
        if not self.mine:
            raise ServiceError(f"{self.name} in {self.folder} is used by others too: start one of your own")

    def _tail(self) -> str:
        text = (self.folder / "log" / "stdout.log").read_text(encoding="utf-8", errors="replace")
        return f"its logs are in {self.folder / 'log'}; it said last:\n{text[-LOG_TAIL:]}"


def replace_json(path: Path, value: object) -> None:
    """Write the file in one step, so that nobody reads half of it."""
    aside = path.with_name(f"{path.name}.new")
    aside.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)
