"""The firmware's host programs, built once and run as a person or a script would run them."""

import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from select import select
from typing import Any, Self

from tests.independent.engine_process import KEY, Engine

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
LINE_S = 20.0  # far above any answer's time, on a busy machine too
COMMAND_S = 900


def why_not() -> str:
    """Return why nothing can be built here, or "" where it can: a C compiler is optional (README)."""
    if not FIRMWARE.exists():
        return "the firmware is not part of this tree"
    compiler = shutil.which("cc")
    if compiler is None or shutil.which("make") is None:
        return "no C compiler here"
    headers = "#include <mbedtls/version.h>\n#include <sodium.h>\n"
    command = [compiler, "-E", "-x", "c", "-", "-o", os.devnull]
    found = subprocess.run(command, input=headers, text=True, capture_output=True, check=False)
    return "" if found.returncode == 0 else "no headers of mbed TLS 2.28 and libsodium here"


def make(*arguments: str) -> str:
    """Run make in firmware/ and return what it printed; fails the test where make does."""
    command = ["make", "--no-print-directory", "-C", str(FIRMWARE), *arguments]
    run = subprocess.run(command, text=True, capture_output=True, timeout=COMMAND_S, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-4000:]
    return run.stdout + run.stderr  # cmocka sums up on the second


class Reader:
    """One liftgate-reader process; started again on its flash it is a reader whose power came back."""

    def __init__(self, folder: Path, engine: Engine, reader: str, **options: str) -> None:
        self.command = [str(FIRMWARE / "build" / "liftgate-reader")]
        host, port = engine.address
        named = {"reader": reader, "key": KEY.hex(), "connect": f"{host}:{port}", "lane": "1"}
        named |= {"flash": str(folder / f"{reader}.flash"), "backoff-ms": "50"}
        named |= {"backoff-ms-max": "200"} | options
        for name, value in named.items():
            self.command += [f"--{name}", value]
        self.process: subprocess.Popen[bytes] | None = None
        self.seen: list[str] = []
        self._rest = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        if self.process is not None:
            self.kill()

    def start(self) -> None:
        """Switch it on."""
        self._rest = b""
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def kill(self) -> None:
        """Take its power away: kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate()
        self.process = None

    def quit(self) -> int:
        """Let it take leave; returns the exit code."""
        self.tell("quit")
        assert self.process is not None
        self.process.communicate(timeout=LINE_S)
        code = self.process.returncode
        self.process = None
        return code

    def tell(self, command: str) -> None:
        """Give it one line."""
        assert self.process is not None and self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, pattern: str) -> re.Match[str]:
        """Return the match of the next line that the whole pattern fits; lines before it are passed over."""
        deadline = time.monotonic() + LINE_S
        while (line := self._line(deadline)) is not None:
            self.seen.append(line)
            if match := re.fullmatch(pattern, line):
                return match
        raise AssertionError(f"no line {pattern!r} came after {self.seen[-20:]}")

    def ask(self, command: str, pattern: str) -> re.Match[str]:
        """Give it a line and wait for the answer."""
        self.tell(command)
        return self.wait(pattern)

    def status(self) -> dict[str, str]:
        """Return what it says of itself: names and values of `status`, with "state" and "alone"."""
        words = self.ask("status", r"status (.*)")[1].split()
        named = {"state": words.pop(0), "alone-now": "no"}
        if words[0] == "alone":
            named["alone-now"] = words.pop(0)
        return named | dict(zip(words[::2], words[1::2], strict=True))

    def wait_drained(self) -> dict[str, str]:
        """Wait until nothing is unacknowledged; returns its status then."""
        deadline = time.monotonic() + LINE_S
        while (status := self.status())["unacknowledged"] != "0":
            assert time.monotonic() < deadline, status
            time.sleep(0.05)  # it says so only when asked
        return status

    def _line(self, deadline: float) -> str | None:
        assert self.process is not None and self.process.stdout is not None
        while b"\n" not in self._rest:
            left_s = max(0.0, deadline - time.monotonic())
            ready, _, _ = select([self.process.stdout], [], [], left_s)
            chunk = os.read(self.process.stdout.fileno(), 65_536) if ready else b""
            if not chunk:
                return None
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()


def load(engine: Engine, lot: str, **options: int) -> dict[str, Any]:
    """Run liftgate-reader-load with readers `{lot}-0` and so on; returns what it printed."""
    host, port = engine.address
    command = [str(FIRMWARE / "build" / "liftgate-reader-load"), "--connect", f"{host}:{port}"]
    command += ["--id", f"{lot}-%u", "--key", KEY.hex(), "--lane", "3"]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    run = subprocess.run(command, text=True, capture_output=True, timeout=COMMAND_S, check=False)
    assert run.returncode == 0, run.stderr
    told: dict[str, Any] = json.loads(run.stdout)
    return told
