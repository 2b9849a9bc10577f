"""The bare-metal image under QEMU: its link is TCP to an engine, its flash a file, a power cut kill -9."""

import importlib.util
import re
import subprocess
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Self

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
IMAGE = FIRMWARE / "build/image/liftgate-an385.elf"

WAIT_S = 30.0  # of a busy machine; what is waited for usually takes well under one second


def _provision() -> ModuleType:
    spec = importlib.util.spec_from_file_location("provision", FIRMWARE / "targets/mps2-an385/provision.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def new_flash(path: Path, reader: str, key: bytes, lanes: list[tuple[int, str]]) -> None:
    """Write the flash of a reader that was never on."""
    _provision().write(path, reader, key, lanes)


class Board:
    """One board; on and off any number of times with the same flash."""

    def __init__(self, flash: Path, address: tuple[str, int]) -> None:
        self.flash = flash
        self.address = address
        self.lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None
        self._reading: threading.Thread | None = None
        self._came = threading.Condition()

    def __enter__(self) -> Self:
        self.power_on()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.power_off()

    def power_on(self) -> None:
        """Return once the image says that it found its log."""
        host, port = self.address
        memory = f"memory-backend-file,id=flash,mem-path={self.flash},share=on,size=16M"
        command = ["qemu-system-arm", "-M", "mps2-an385", "-nographic", "-monitor", "none"]
        command += ["-semihosting-config", "enable=on,target=native", "-kernel", str(IMAGE)]
        command += ["-object", memory, "-machine", "memory-backend=flash"]
        command += [
            "-chardev",
            f"socket,id=link,host={host},port={port},reconnect=1",
            "-serial",
            "chardev:link",
        ]
        command += ["-serial", "stdio"]
        self.lines = []
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._reading = threading.Thread(target=self._read, args=(self._process,))
        self._reading.start()
        self.wait("ready .*")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with self._came:
                self.lines.append(line.rstrip("\n"))
                self._came.notify_all()

    def power_off(self) -> list[str]:
        """Cut the power. Return the whole lines that it had said since it came."""
        if self._process is None or self._reading is None:
            return self.lines
        self._process.kill()
        self._process.wait()
        self._reading.join()
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process = None
        return self.lines

    def do(self, *commands: str) -> None:
        """Give commands, without waiting for what comes of them."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write("".join(f"{command}\n" for command in commands))
        self._process.stdin.flush()

    def ask(self, command: str, answer: str) -> re.Match[str]:
        """Give a command and wait for a line after it that matches."""
        seen = len(self.lines)
        self.do(command)
        return self.wait(answer, seen)

    def wait(self, pattern: str, seen: int = 0) -> re.Match[str]:
        """Return the first line from `seen` on that matches, when it comes."""
        wanted = re.compile(pattern)
        deadline = time.monotonic() + WAIT_S
        with self._came:
            while True:
                for line in self.lines[seen:]:
                    if found := wanted.fullmatch(line):
                        return found
                left = deadline - time.monotonic()
                assert left > 0, f"no {pattern!r} in {self.lines[seen:]}"
                self._came.wait(left)

    def status(self) -> dict[str, str]:
        """What it says of itself: state, boot, next, kept, alone and more."""
        line = self.ask("status", "status (.*)")[1]
        return dict(field.split("=") for field in line.split())

    def wait_status(self, **wanted: str) -> dict[str, str]:
        """Ask until these fields are so."""
        deadline = time.monotonic() + WAIT_S
        while not wanted.items() <= (status := self.status()).items():
            assert time.monotonic() < deadline, f"{wanted} does not come: {status}"
            time.sleep(0.05)
        return status
