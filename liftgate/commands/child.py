"""An engine as a child process: started, waited for until it listens, stopped in order."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import trio

from liftgate.commands.common import Trouble, ready_path
from liftgate.configs.schema import Config

READY_S_MAX = 60
"""A journal of many gigabytes without a snapshot takes longer; such an engine is started on its own."""

STOP_S_MAX = 15
"""The engine gives slow peers 5 s; more than this is not an orderly stop any more."""

_LAST_LINES = 8


class EngineChild:
    """One engine process. It has a session of its own, so Ctrl-C reaches the parent only, which then stops
    the city first; and it stops by itself when its stdin closes, so it never outlives a killed parent.

    log: the file with what it says.
    """

    def __init__(self, process: trio.Process, config: Config, log: Path) -> None:
        self._process = process
        self._ready = ready_path(config.engine)
        self.log = log
        self.address = ("", 0)
        self.stopping = False

    @classmethod
    async def start(cls, path: Path, config: Config) -> EngineChild:
        """Start an engine on the configuration at path; return once it listens. Raises Trouble."""
        ready = ready_path(config.engine)
        ready.parent.mkdir(parents=True, exist_ok=True)
        log = ready.with_suffix(".log")
        command = [sys.executable, "-m", "liftgate.cli", "engine", "--config", str(path), "--stop-with-stdin"]
        with log.open("wb") as output:
            process = await trio.lowlevel.open_process(
                command, stdin=subprocess.PIPE, stdout=output, stderr=output, start_new_session=True
            )
        child = cls(process, config, log)
        try:
            await child._wait_ready()
        except BaseException:
            process.kill()
            raise
        return child

    async def _wait_ready(self) -> None:
        """A file is the only sign that an engine listens, so look for one that this very process wrote."""
        with trio.move_on_after(READY_S_MAX):
            while self._process.poll() is None:
                if self._read_ready():
                    return
                await trio.sleep(0.02)
        raise Trouble(f"the engine did not start. {self.last_words()}")

    def _read_ready(self) -> bool:
        if not self._ready.exists():
            return False
        said = json.loads(self._ready.read_text())
        self.address = (said["host"], said["port"])
        return bool(said["pid"] == self._process.pid)

    async def watch(self) -> None:
        """Wait for the process to end. Raises Trouble unless it was told to."""
        await self._process.wait()
        if not self.stopping:
            raise Trouble(f"the engine ended with {self._process.returncode}. {self.last_words()}")

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
            raise Trouble(f"the engine ended with {self._process.returncode}. {self.last_words()}")

    def last_words(self) -> str:
        """What it said last: from its own message on, if it had one."""
        lines = self.log.read_text(errors="replace").splitlines()
        messages = [at for at, line in enumerate(lines) if line.startswith("liftgate: ")]
        if messages:
            return "\n".join(lines[messages[-1] :]).removeprefix("liftgate: ")
        return "\n".join([f"It said last ({self.log}):", *lines[-_LAST_LINES:]])
