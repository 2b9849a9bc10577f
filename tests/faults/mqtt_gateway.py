"""`liftgate mqtt` as a process, to be killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.independent.engine_process import service_toml

LOG_S_MAX = 60
POLL_S = 0.1
SPEAKS = ["read_credential", "record_passage", "report_lane", "record_history"]


def broker_toml(port: int, *rights: str, services: tuple[str, ...] = ("mqtt",)) -> str:
    """`[mqtt.broker]` at that port, and the services of its gateways with rights beyond those they need."""
    may = [*SPEAKS, *rights]
    return "".join(service_toml(service, may) for service in services) + (
        f'[mqtt.broker]\nhost = "127.0.0.1"\nport = {json.dumps(port)}\n'
    )


class Gateway:
    """One gateway, not started."""

    def __init__(self, config: Path, service: str = "mqtt") -> None:
        self._config, self._service = config, service
        self.log = config.with_suffix(f".{service}.log")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "liftgate.cli", "mqtt", "--config", str(self._config)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([*command, "--service", self._service], stdout=log, stderr=log)

    def wait_logged(self, text: str, times: int = 1) -> None:
        """Return when it has said so, so many times in all."""
        until = time.monotonic() + LOG_S_MAX
        while self.log.read_text().count(text) < times:
            assert time.monotonic() < until, f"{text} x {times} is not in:\n{self.log.read_text()}"
            time.sleep(POLL_S)

    def kill(self) -> None:
        """End it as kill -9 does; one that has ended already stays so."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def end(self) -> int:
        """An orderly end; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(15)
