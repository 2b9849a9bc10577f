"""The real engine as a process, and configurations for it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.independent.reader import SERVICE, Client, EventLog

START_S = 20.0  # a cold interpreter on a busy machine; the usual start is well under 2 s
STOP_S = 15.0
POLL_S = 0.02

KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
SPOTS = 3  # of every lot but north, so that full is four scans away

ENTRY_CONFIRM, ENTRY, EXIT, BOTH, ENTRY_255 = 0, 1, 2, 3, 255
_LANES = {
    ENTRY_CONFIRM: ("entry", "true"),
    ENTRY: ("entry", "false"),
    EXIT: ("exit", "false"),
    BOTH: ("both", "false"),
    ENTRY_255: ("entry", "false"),
}
_MAY = ["read_credential", "query", "subscribe", "open_lane", "correct_count"]


def lot_toml(lot: str, spots: int = SPOTS, readers: tuple[str, ...] = ("r1", "r2")) -> str:
    """Return one lot of one area and one gate, and its readers `lot-r1` and so on."""
    head = f"""
[[lot]]
id = "{lot}"
name = "{lot}"
timezone = "Europe/Berlin"
currency = "EUR"
assign = "spot"
[[lot.area]]
id = "{lot}"
[[lot.area.spots]]
level = "P1"
prefix = "A"
class = "standard"
count = {spots}
[[lot.gate]]
id = "{lot}-west"
nearest = ["P1-A"]
"""
    return head + "".join(_reader_toml(lot, f"{lot}-{reader}") for reader in readers)


def _reader_toml(lot: str, reader: str) -> str:
    lanes = "".join(
        f"""[[reader.lane]]
number = {number}
direction = "{direction}"
area = "{lot}"
gate = "{lot}-west"
confirm = {confirm}
cards = "open"
"""
        for number, (direction, confirm) in _LANES.items()
    )
    return f'\n[[reader]]\nid = "{reader}"\nkey = "{KEY.hex()}"\nlot = "{lot}"\n' + lanes


def service_toml(service: str, may: list[str]) -> str:
    """Return one service with KEY."""
    return f'\n[[service]]\nid = "{service}"\nkey = "{KEY.hex()}"\nmay = {json.dumps(may)}\n'


def write_config(folder: Path, *lots: str, engine: str = "") -> Path:
    """Write a configuration of these lots, services "api" (may all) and "blind" (may query)."""
    text = f"""[engine]
name = "engine-a"
listen = "127.0.0.1:0"
journal = "journal"
readers_max = 100
in_flight_max = 64
{engine}
"""
    text += "".join(lots) + service_toml("api", _MAY) + service_toml("blind", ["query"])
    path = folder / "engine.toml"
    path.write_text(text)
    return path


class Counts(NamedTuple):
    """The answer to QUERY occupancy."""

    capacity: int
    occupancy: int
    held: int
    available: int


class Engine:
    """One engine process on one configuration; start, stop and kill any number of times."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self._ready = config.with_suffix(".ready")
        self._log = config.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None
        self.address = ("", 0)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Run the engine and wait for its ready file."""
        self._ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "liftgate.cli", "engine"]
        command += ["--config", str(self.config), "--ready-file", str(self._ready)]
        with self._log.open("ab") as log:
            root = Path(__file__).resolve().parents[2]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=root, env=os.environ)
        ready = self._wait_ready(time.monotonic() + START_S)
        self.address = (ready["host"], ready["port"])
        assert ready["pid"] == self.process.pid

    def _wait_ready(self, deadline: float) -> dict[str, Any]:
        assert self.process is not None
        while time.monotonic() < deadline and self.process.poll() is None:
            text = self._ready.read_text() if self._ready.exists() else ""
            if text.endswith(("}", "}\n")):  # else it is still being written
                ready: dict[str, Any] = json.loads(text)
                return ready
            time.sleep(POLL_S)  # a file is the only signal there is
        self.kill()
        raise AssertionError(f"engine is not ready: {self.log_text()}")

    def log_text(self) -> str:
        """Return what the process wrote to stdout and stderr so far."""
        return self._log.read_text(errors="replace")

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)

    def wait_exit(self) -> int:
        """Return the exit code once the process has ended."""
        assert self.process is not None
        code = self.process.wait(STOP_S)
        self.process = None
        return code

    def kill(self) -> None:
        """End the process as kill -9 does."""
        assert self.process is not None
        self.process.kill()
        self.wait_exit()

    def reader(self, reader: str, log: EventLog | None = None) -> Client:
        """Return a signed-on reader."""
        return self._signed_on(Client(self.address, reader, KEY, log=log))

    def service(self, service: str = "api") -> Client:
        """Return a signed-on service."""
        return self._signed_on(Client(self.address, service, KEY, role=SERVICE))

    def _signed_on(self, client: Client) -> Client:
        try:
            client.sign_on()
        except BaseException:
            client.close()
            raise
        return client

    def counts(self, lot: str) -> Counts:
        """Ask for a lot's occupancy; capacity, occupancy and held must explain available."""
        with self.service("blind") as service:
            answer = service.query(lot, "occupancy")
        assert answer.ok, answer
        return Counts(*(answer.body[name] for name in Counts._fields))
