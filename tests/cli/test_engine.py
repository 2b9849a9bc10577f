"""`liftgate engine`: where it says it listens, how it logs, and why it does not start."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

from tests.cli.commands import engine, liftgate, ready_file, scan, started, wait_ready


def test_it_writes_where_it_listens(config: Path, tmp_path: Path) -> None:
    """Both files name host, port and this process; after an orderly stop the default one is gone, exit 0."""
    other = tmp_path / "ready.json"
    with started("engine", "--config", config, "--ready-file", other) as process:
        said = wait_ready(config, process)
        assert json.loads(other.read_text()) == said
        assert said["pid"] == process.pid
        socket.create_connection((said["host"], said["port"])).close()
        process.send_signal(signal.SIGTERM)
        _, logs = process.communicate()
    assert process.returncode == 0
    assert not ready_file(config).exists()
    assert [json.loads(line)["event"] for line in logs.splitlines()][-1] == "engine.stopped"


def test_a_folder_in_use(running: Path) -> None:
    """A second engine on the journal: exit 1, who has it; the first one is still found."""
    done = liftgate("engine", "--config", running)
    assert done.returncode == 1
    assert "in use by another engine (process " in done.stderr
    assert "Traceback" not in done.stderr
    assert scan(running).returncode == 0


def test_a_port_in_use(config: Path) -> None:
    """A taken port: exit 1 with address and cause."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config.write_text(config.read_text().replace('"127.0.0.1:0"', f'"127.0.0.1:{port}"'))
        done = liftgate("engine", "--config", config)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last == f"liftgate: cannot listen at 127.0.0.1:{port}: Address already in use"
    assert "Traceback" not in done.stderr


def test_the_log_level(config: Path) -> None:
    """LIFTGATE_LOG=error: an engine that runs and stops well says nothing. An unknown level is said."""
    with started("engine", "--config", config) as process:
        wait_ready(config, process)
        process.send_signal(signal.SIGTERM)
        _, logs = process.communicate()
    assert "engine.listening" in logs
    quiet = liftgate("engine", "--config", config, "--stop-with-stdin", LIFTGATE_LOG="error")
    assert (quiet.returncode, quiet.stderr) == (0, "")
    odd = liftgate("engine", "--config", config, "--stop-with-stdin", LIFTGATE_LOG="loud")
    assert "log.unknown_level" in odd.stderr


def test_it_goes_on_with_its_journal(config: Path) -> None:
    """Stopped and started again, a car that is in is still in."""
    with engine(config):
        assert scan(config).returncode == 0
    with engine(config):
        assert scan(config).returncode == 3


def test_told_to_stop_twice(config: Path) -> None:
    """A second SIGTERM and the end of stdin during a stop change nothing: exit 0, no leftover."""
    for _ in range(5):
        with started("engine", "--config", config, "--stop-with-stdin") as process:
            wait_ready(config, process)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            process.communicate()
        assert process.returncode == 0
        assert not ready_file(config).exists()
