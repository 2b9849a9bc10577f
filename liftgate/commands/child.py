"""Liftgate's own processes as children: started, waited for until they run, watched, stopped in order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import trio

from liftgate.commands.common import Trouble, ready_path
from liftgate.configs.relay import RelayConfig
from liftgate.configs.schema import EngineConfig
from liftgate.relay.process import STATUS_NAME

READY_S_MAX = 60
"""A journal of many gigabytes without a snapshot takes longer; such an engine is started on its own."""

STOP_S_MAX = 15
"""The engine gives slow peers 5 s, the relay its sinks; more than this is not an orderly stop any more."""

RESTARTS_MAX = 5
"""A child that ends so often, each time within CALM_S, is not helped by being started once more."""

CALM_S = 60

_LAST_LINES = 8


class Kind(NamedTuple):
    """What to start. name: the command; ready: the file that it writes, with its pid; log: what it says."""

    name: str
    ready: Path
    log: Path


def engine_kind(engine: EngineConfig) -> Kind:
    """An engine: its ready file also says where it listens."""
    ready = ready_path(engine)
    return Kind("engine", ready, ready.with_suffix(".log"))


def relay_kind(relay: RelayConfig) -> Kind:
    """A relay: its status file is the sign that it runs."""
    return Kind("relay", relay.state / STATUS_NAME, relay.state / "relay.log")


def mqtt_kind(engine: EngineConfig) -> Kind:
    """An MQTT gateway."""
    ready = engine.journal.with_name(engine.journal.name + ".mqtt.json")
    return Kind("mqtt", ready, ready.with_suffix(".log"))


class Child:
    """One process. It has a session of its own, so Ctrl-C reaches the parent only, which then stops what
    must stop first; and it stops by itself when its stdin closes, so it never outlives a killed parent.

    log: the file with what it says; said: what its ready file has.
    """

    def __init__(self, process: trio.Process, kind: Kind) -> None:
        self._process = process
        self._kind = kind
        self.log = kind.log
        self.said: dict[str, Any] = {}
        self.stopping = False

    @classmethod
    async def start(cls, kind: Kind, path: Path) -> Child:
        """Start one on the configuration at path; return once it is ready. Raises Trouble."""
        kind.ready.parent.mkdir(parents=True, exist_ok=True)
        command = [
            sys.executable,
            "-m",
            "liftgate.cli",
            kind.name,
            "--config",
            str(path),
            "--stop-with-stdin",
        ]
        with kind.log.open("wb") as output:
            process = await trio.lowlevel.open_process(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        child = cls(process, kind)
        try:
            await child._wait_ready()
        except BaseException:
            process.kill()
            raise
        return child

    @property
    def address(self) -> tuple[str, int]:
        """Where an engine listens."""
        return self.said["host"], self.said["port"]

    async def _wait_ready(self) -> None:
        """A file is the only sign that it runs, so look for one that this very process wrote."""
        with trio.move_on_after(READY_S_MAX):
            while self._process.poll() is None:
                if self._read_ready():
                    return
                await trio.sleep(0.02)
        raise Trouble(f"the {self._kind.name} did not start. {self.last_words()}")

    def _read_ready(self) -> bool:
        if not self._kind.ready.exists():
            return False
        self.said = json.loads(self._kind.ready.read_text())
        return bool(self.said["pid"] == self._process.pid)

    async def watch(self) -> None:
        """Wait for the process to end. Raises Trouble unless it was told to."""
        await self._process.wait()
        if not self.stopping:
            raise Trouble(self._how_it_ended())

    async def stop(self) -> None:
        """Have it end in order; by force if it doesn't. Raises Trouble if it ends badly."""
        self.stopping = True
        with trio.CancelScope(shield=True):
            self._process.terminate()
            with trio.move_on_after(STOP_S_MAX):
                await self._process.wait()
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()
        if self._process.returncode:
            raise Trouble(self._how_it_ended())

    def _how_it_ended(self) -> str:
        return f"the {self._kind.name} ended with {self._process.returncode}. {self.last_words()}"

    def last_words(self) -> str:
        """What it said last: from its own message on, if it had one."""
        lines = self.log.read_text(errors="replace").splitlines()
        messages = [at for at, line in enumerate(lines) if line.startswith("liftgate: ")]
        if messages:
            return "\n".join(lines[messages[-1] :]).removeprefix("liftgate: ")
        return "\n".join([f"It said last ({self.log}):", *lines[-_LAST_LINES:]])


class Kept:
    """A child whose end is not the end of everything: it is started again, RESTARTS_MAX times in a row."""

    def __init__(self, kind: Kind, path: Path) -> None:
        self._kind, self._path = kind, path
        self._child: Child | None = None
        self.restarts = 0

    async def start(self) -> None:
        """Start it for the first time. Raises Trouble."""
        self._child = await Child.start(self._kind, self._path)

    async def keep(self) -> None:
        """Start it again whenever it ends. Raises Trouble once that does not help."""
        in_a_row = 0
        while self._child is not None:
            since_s = trio.current_time()
            try:
                await self._child.watch()
                return
            except Trouble:
                in_a_row = in_a_row + 1 if trio.current_time() - since_s < CALM_S else 1
                if in_a_row > RESTARTS_MAX:
                    raise
            await trio.sleep(in_a_row)
            self.restarts += 1
            self._child = await Child.start(self._kind, self._path)

    async def stop(self) -> None:
        """Have it end in order. Raises Trouble if it ends badly."""
        child, self._child = self._child, None
        if child is not None:
            await child.stop()
