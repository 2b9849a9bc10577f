"""What all services have in common, on those that start in no time; and that these keep what they took."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.services import Service, ServiceError, StartFailed, kind_named, running
from deploy.services.ports import HOST, free_ports
from deploy.services.postgres import sign_on
from deploy.services.processes import started_ticks, wait_until
from deploy.services.redis import Redis
from deploy.services.registry import TREE
from deploy.services.throwaway import throwaway_root
from deploy.services.wire import Wire

pytestmark = pytest.mark.long

SECONDS_MAX = 30


@pytest.fixture
def root() -> Iterator[Path]:
    with throwaway_root() as root:
        yield root


def redis_does(port: int, command: bytes, answer: bytes) -> None:
    with Wire(port) as wire:
        wire.send(command + b"\r\n")
        assert wire.read(len(answer)) == answer


def psql(port: int, statement: str) -> str:
    command = ["psql", "-h", HOST, "-p", str(port), "-U", "liftgate", "-d", "postgres", "-tAc", statement]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def mqtt(port: int, client: bytes) -> Wire:
    """A connection that signed on."""
    wire = Wire(port)
    wire.send(
        bytes([0x10, 12 + len(client)]) + b"\x00\x04MQTT\x04\x02\x00\x3c\x00" + bytes([len(client)]) + client
    )
    assert wire.read(4) == b"\x20\x02\x00\x00"
    return wire


def test_redis_keeps_what_it_took(own_redis: Service) -> None:
    """Through an orderly stop, on the same port."""
    redis_does(own_redis.port, b"SET lot north", b"+OK\r\n")
    port = own_redis.port
    own_redis.restart()
    redis_does(port, b"GET lot", b"$5\r\nnorth\r\n")


def test_postgres_keeps_what_it_took(own_postgres: Service) -> None:
    """A committed row survives kill -9 of all its processes, and a stop while a client is connected."""
    port = own_postgres.port
    psql(port, "CREATE TABLE IF NOT EXISTS paid (no int); INSERT INTO paid VALUES (7)")
    own_postgres.kill()
    own_postgres.start()
    assert psql(port, "SELECT no FROM paid") == "7"
    with Wire(port) as wire:
        assert sign_on(wire)
        own_postgres.restart()
    assert psql(port, "SELECT no FROM paid") == "7"


def test_mosquitto_keeps_what_it_took(own_mosquitto: Service) -> None:
    """A retained message is there for who subscribes after an orderly restart."""
    port = own_mosquitto.port
    with mqtt(port, b"one") as wire:
        wire.send(b"\x33\x0c\x00\x03lot\x00\x01north")  # PUBLISH, QoS 1, retained
        assert wire.read(4) == b"\x40\x02\x00\x01"
    own_mosquitto.restart()
    with mqtt(port, b"two") as wire:
        wire.send(b"\x82\x08\x00\x01\x00\x03lot\x00")  # SUBSCRIBE
        assert wire.read(5) == b"\x90\x03\x00\x01\x00"
        assert wire.read(12) == b"\x31\x0a\x00\x03lotnorth"


def test_a_kill_leaves_no_process_behind(own_postgres: Service) -> None:
    """PostgreSQL's backends lead sessions of their own; they are gone too when `kill` returns."""
    with Wire(own_postgres.port) as wire:
        assert sign_on(wire)
        own_postgres.kill()
    assert own_postgres.pid is None
    assert own_postgres.rss_mib() == 0
    with pytest.raises(ConnectionRefusedError):
        Wire(own_postgres.port)


def test_a_paused_server_can_be_stopped_and_killed(root: Path) -> None:
    """SIGSTOP does not make it immortal."""
    service = Service(kind_named("redis"), root / "redis")
    for end in (service.stop, service.kill):
        service.start()
        service.pause()
        end()
        assert service.pid is None


class OfThisRun(Redis):
    """A Redis whose usual port is one that nobody has."""

    usual_port = free_ports(1)[0]


def test_the_usual_port_is_taken_where_it_is_free_and_ports_are_kept(root: Path) -> None:
    """The first of two has it, the second gets another, and keeps that when the usual one is free again."""
    first, second = (Service(OfThisRun(), root / name, usual=True) for name in ("one", "two"))
    first.start()
    assert first.port == OfThisRun.usual_port
    second.start()
    another = second.port
    assert another != OfThisRun.usual_port
    first.kill()
    second.restart()
    assert second.port == another
    second.kill()


def run(root: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the command line, in a process of its own: servers outlive it."""
    command = [sys.executable, "-m", "deploy.services", *arguments, "--dir", str(root)]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=SECONDS_MAX)
    return done.returncode, done.stdout + done.stderr


def test_up_is_idempotent_and_down_waits(root: Path) -> None:
    """What runs is left alone and said so; `down` returns when all is gone."""
    assert run(root, "up", "redis", "mosquitto")[0] == 0
    first = running(root)
    assert set(first) == {"redis", "mosquitto"}
    code, told = run(root, "up", "redis", "mosquitto")
    assert (code, told.count("already running")) == (0, 2)
    assert running(root) == first
    assert run(root, "down")[0] == 0
    assert running(root) == {}
    assert all(started_ticks(record.pid) is None for record in first.values())


def test_up_mends_what_was_killed(root: Path) -> None:
    """Nobody is told that it runs while it does not; then it is where it was, and others were left alone."""
    run(root, "up", "redis", "mosquitto")
    first = running(root)
    assert run(root, "kill", "redis")[0] == 0
    assert set(running(root)) == {"mosquitto"}
    assert run(root, "status")[0] == 1
    assert run(root, "up", "redis")[0] == 0
    assert run(root, "status")[0] == 0
    assert running(root)["redis"].ports == first["redis"].ports
    assert running(root)["mosquitto"] == first["mosquitto"]


def test_two_at_once_start_one_server(root: Path) -> None:
    """Whoever comes second waits, and finds it running."""
    command = [sys.executable, "-m", "deploy.services", "up", "redis", "--dir", str(root)]
    both = [subprocess.Popen(command, cwd=TREE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [process.communicate(timeout=SECONDS_MAX)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sum("already running" in text for text in told) == 1


def test_a_port_that_somebody_took_is_named(root: Path) -> None:
    """A restart does not move to another port behind the back of who was told the first."""
    service = Service(kind_named("redis"), root / "redis")
    service.start()
    service.stop()
    other = Service(kind_named("redis"), root / "other")
    (root / "other").mkdir()
    (root / "other" / "service.json").write_text((root / "redis" / "service.json").read_text())
    other.read_note()
    other.start()
    with pytest.raises(StartFailed, match=f"port {service.port} .* is in use"):
        service.start()
    other.stop()


def test_a_server_that_ends_at_once_tells_why(root: Path) -> None:
    """The error has what the server said, so nobody need look for the log."""
    service = Service(kind_named("redis"), root / "redis")
    service.start()
    service.stop()
    for file in (service.folder / "data" / "appendonlydir").iterdir():
        file.write_bytes(b"no append-only file")
    with pytest.raises(StartFailed, match="(?s)redis ended while it started.*AOF"):
        service.start()


def test_servers_go_with_who_started_them() -> None:
    """kill -9 of a test run leaves neither a server nor a folder behind."""
    script = (
        "import sys\n"
        "from deploy.services import Service, kind_named\n"
        "from deploy.services.throwaway import throwaway_root\n"
        "with throwaway_root() as root:\n"
        "    service = Service(kind_named('redis'), root / 'redis')\n"
        "    service.start()\n"
        "    print(root, service.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=TREE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        folder, pid = process.stdout.readline().split()
        assert started_ticks(int(pid)) is not None
        os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: started_ticks(int(pid)) is None, SECONDS_MAX)
    assert wait_until(lambda: not Path(folder).exists(), SECONDS_MAX)


def test_a_server_that_will_not_end_is_reported(root: Path) -> None:
    """`stop` has a bound, and says so rather than hang; the server is still there to be killed."""
    service = Service(kind_named("redis"), root / "redis")
    service.start()
    with pytest.raises(ServiceError, match="still runs"):
        service.stop(within_s=-1)
    service.kill()
