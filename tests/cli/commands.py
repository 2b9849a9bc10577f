"""The real command line as processes, on copies of the demo's configuration."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WAIT_S_MAX = 60  # a cold interpreter on a busy machine; each usually takes well under a second
CARD = "04DE5F1EACC040"
MINE = "north-entry-1"  # a reader that the demo's city leaves alone

Done = subprocess.CompletedProcess[str]
Process = subprocess.Popen[str]


def environment(**more: str) -> dict[str, str]:
    """What commands run with: nobody's own settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LIFTGATE_LOG")}
    return {**kept, "COLUMNS": "100", **more}


def liftgate(*arguments: object, **more: str) -> Done:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "liftgate.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(**more),
        timeout=WAIT_S_MAX,
    )


@contextmanager
def started(*arguments: object) -> Iterator[Process]:
    """A command under way; ended at the end, in order if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "liftgate.cli", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=WAIT_S_MAX)
            finally:
                process.kill()


def demo(folder: Path) -> Path:
    """A copy of the demo's configuration, its journal beside it, in small segments: 64 MiB take a while."""
    path = folder / "configs" / "demo.toml"
    path.parent.mkdir()
    text = (ROOT / "configs" / "demo.toml").read_text()
    path.write_text(text.replace("\nname = ", "\nsegment_bytes = 1_048_576\nname = ", 1))
    return path


def ready_file(config: Path) -> Path:
    """Where an engine of such a configuration says how to reach it."""
    return config.parents[1] / "var" / "demo" / "journal.engine.json"


def journal(config: Path) -> Path:
    """Its journal's folder."""
    return config.parents[1] / "var" / "demo" / "journal"


def wait_ready(config: Path, process: Process) -> dict[str, Any]:
    """Wait until an engine listens; what it wrote. A file is the only sign there is."""
    until = time.monotonic() + WAIT_S_MAX
    while not ready_file(config).exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.02)
    said: dict[str, Any] = json.loads(ready_file(config).read_text())
    return said


@contextmanager
def engine(config: Path) -> Iterator[Process]:
    """A running engine on the configuration."""
    with started("engine", "--config", config, "--stop-with-stdin") as process:
        wait_ready(config, process)
        yield process


def scan(config: Path, *more: object, reader: str = MINE, card: str = CARD) -> Done:
    """Scan a card."""
    return liftgate("scan", "--config", config, "--reader", reader, "--card", card, *more)


def facts(done: Done) -> dict[str, str]:
    """The lines `name   text` of an output as a dict; of a name that is there twice, the first."""
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line.strip()]
    return {words[0]: words[1] for words in reversed(lines) if len(words) == 2}


def events(done: Done) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in done.stdout.splitlines()]


def with_relay(config: Path) -> Path:
    """The configuration with a relay to the null sink added; the relay's folder."""
    key = "ab" * 32
    config.write_text(
        config.read_text()
        + f'\n[[service]]\nid = "relay-null"\nkey = "{key}"\nmay = ["subscribe", "query"]\n'
        + '\n[relay]\nsinks = ["null"]\n'
    )
    return journal(config).with_name("journal.relay")
