"""The parts of deploy/services that need no server: ports, templates, answers, records, imports."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import struct
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from deploy.services import KINDS, Service, ServiceError, jars, kind_named, running
from deploy.services.__main__ import main
from deploy.services.example import differences
from deploy.services.java import version_of
from deploy.services.kafka import _names_a_leader
from deploy.services.kind import RECIPES, fill
from deploy.services.ports import HOST, RANGE_FILE, can_bind, free_ports
from deploy.services.processes import others_in, rss_mib, started_ticks
from deploy.services.registry import FILE, Record
from deploy.services.stack import service_in

FOLDER = Path(jars.__file__).parent
LINES_MAX = 400


def test_only_the_standard_library_is_used() -> None:
    """`make services` runs before anything is installed. And its modules are as small as all others."""
    modules = sorted(FOLDER.glob("*.py"))
    assert len(modules) > 10
    for path in modules:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= LINES_MAX, path
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert name.split(".")[0] in {"deploy", *sys.stdlib_module_names}, f"{path}: {name}"


def test_ports_are_free_different_and_out_of_the_way() -> None:
    """They differ, nobody listens on them, and outgoing connections never get them."""
    ports = free_ports(50)
    assert len(set(ports)) == 50
    assert all(map(can_bind, ports))
    first_ephemeral = int(RANGE_FILE.read_text().split()[0])
    assert all(port < first_ephemeral for port in ports) or first_ephemeral < 21_000


def test_a_port_in_use_is_not_free() -> None:
    with socket.create_server((HOST, 0)) as server:
        assert not can_bind(server.getsockname()[1])


def test_a_template_is_filled_or_refused(tmp_path: Path) -> None:
    """Each name is replaced wherever it stands; a value for a name that is not there is a mistake."""
    template, out = tmp_path / "in", tmp_path / "out"
    template.write_text("port=@PORT@ again=@PORT@ host=@HOST@")
    fill(template, out, PORT=1, HOST="h")
    assert out.read_text() == "port=1 again=1 host=h"
    with pytest.raises(KeyError, match="OTHER"):
        fill(template, out, OTHER=2)


@pytest.mark.parametrize("name", ["cassandra", "kafka"])
def test_compose_and_pom_name_the_same_version(name: str) -> None:
    """Who has a container engine tests against the same servers as who has not."""
    pom = (RECIPES / name / "pom.xml").read_text()
    (version,) = re.findall(rf"<{name}\.version>(.*)</", pom)
    compose = (FOLDER.parent / "compose.yaml").read_text()
    assert re.search(rf"image: .*{name}:{re.escape(version)}$", compose, re.MULTILINE)


def metadata(brokers: list[tuple[bytes, bytes | None]], controller: int) -> bytes:
    """A Metadata answer, version 1, with these brokers (host, rack) and no topics."""
    answer = struct.pack(">ii", 0, len(brokers))
    for number, (host, rack) in enumerate(brokers):
        answer += struct.pack(">ih", number, len(host)) + host + struct.pack(">i", 9092)
        answer += struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack
    return answer + struct.pack(">ii", controller, 0)


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (metadata([(b"127.0.0.1", None)], 0), True),
        (metadata([(b"localhost", b"rack-1"), (b"h", None)], 1), True),
        (metadata([], -1), False),
        (metadata([], 1), False),
        (metadata([(b"127.0.0.1", None)], -1), False),
    ],
)
def test_kafka_is_ready_when_a_broker_leads(answer: bytes, ready: bool) -> None:
    """Without a broker that is let in, or without a controller, it is not."""
    assert _names_a_leader(answer) is ready


def test_a_process_is_named_by_pid_and_start() -> None:
    """This process has a start and memory; a pid that nobody has, has neither."""
    assert started_ticks(os.getpid()) == started_ticks(os.getpid()) is not None
    assert rss_mib(os.getpid()) > 1
    highest = int(Path("/proc/sys/kernel/pid_max").read_text())
    assert started_ticks(highest) is None
    assert rss_mib(highest) == 0


def test_a_shell_in_a_folder_is_no_server(tmp_path: Path) -> None:
    """What is ended with a service is only what runs a server's program, not who looks into its folder."""
    with subprocess.Popen(["sh", "-c", "echo; read _"], cwd=tmp_path, stdin=PIPE, stdout=PIPE) as shell:
        assert shell.stdin is not None and shell.stdout is not None
        shell.stdout.readline()  # now it is the shell, and waits
        assert others_in(tmp_path) == []
        shell.stdin.close()


def test_no_java_is_no_version() -> None:
    assert version_of("/nowhere/java") == 0
    assert version_of("/bin/true") == 0


def test_the_file_names_only_what_runs(tmp_path: Path) -> None:
    """A record whose process is gone, or whose pid is another's by now, is left out; no file is nothing."""
    assert running(tmp_path) == {}
    alive = {"pid": os.getpid(), "started": started_ticks(os.getpid())}
    common = {"host": HOST, "port": 1, "ports": {"client": 1}, "folder": "f", "log": "l"}
    reused = {"pid": os.getpid(), "started": 1}
    records = {"redis": common | alive, "kafka": common | reused}
    (tmp_path / FILE).write_text(json.dumps(records))
    assert list(running(tmp_path)) == ["redis"]
    assert running(tmp_path)["redis"].port == 1


@pytest.mark.parametrize("harm", ["stop", "kill", "pause", "resume", "restart"])
def test_what_others_use_is_not_disturbed(tmp_path: Path, harm: str) -> None:
    """A test cannot hurt the server of `make services`, whatever it calls."""
    service = Service(kind_named("redis"), tmp_path, mine=False)
    with pytest.raises(ServiceError, match="used by others"):
        getattr(service, harm)()


def test_a_folder_belongs_to_one_kind(tmp_path: Path) -> None:
    """Kafka is not started on what Redis left."""
    (tmp_path / "service.json").write_text('{"kind": "redis"}')
    with pytest.raises(ServiceError, match="folder of a redis"):
        Service(kind_named("kafka"), tmp_path)


def test_only_the_shared_folder_takes_usual_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers of tests come and go: they leave 9042 to whoever types `make services`."""
    monkeypatch.setenv("LIFTGATE_SERVICES", str(tmp_path / "shared"))
    assert service_in(tmp_path / "shared", "cassandra").usual
    assert not service_in(tmp_path / "own", "cassandra").usual


def record(port: int) -> Record:
    return Record(HOST, port, os.getpid(), 1, {"client": port}, "f", "l")


@pytest.mark.parametrize(
    ("ports", "written"),
    [
        ({"cassandra": 9042, "kafka": 9092, "redis": 1}, []),
        ({}, []),
        ({"cassandra": 20001}, ["[history.cassandra] port = 20001"]),
        (
            {"cassandra": 20001, "kafka": 20002},
            ['[history.cassandra] port = 20001 and [stream] brokers = ["127.0.0.1:20002"]'],
        ),
    ],
)
def test_what_the_example_has_otherwise_is_said_in_a_line(ports: dict[str, int], written: list[str]) -> None:
    """The line has what to write into configs/services.toml; nothing is said where it fits."""
    told = list(differences({name: record(port) for name, port in ports.items()}))
    assert told == [f"configs/services.toml names other ports; write there: {what}" for what in written]


def test_before_its_first_start_a_service_is_down(tmp_path: Path) -> None:
    """It has no process, is not ready, and to end it is nothing."""
    service = Service(kind_named("redis"), tmp_path / "redis")
    service.stop()
    service.kill()
    assert (service.pid, service.is_ready(), service.rss_mib(), service.ports) == (None, False, 0, {})


def test_what_is_missing_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and one command that installs all of it."""
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["up", "redis", "--dir", str(tmp_path / "root")]) == 2
    assert "apt-get install --no-install-recommends redis-server" in capsys.readouterr().err
    assert not (tmp_path / "root").exists()
    assert main(["missing", "redis"]) == 0
    assert capsys.readouterr().out == "redis-server\n"


def test_an_unknown_service_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With the names that there are."""
    with pytest.raises(SystemExit):
        main(["up", "oracle"])
    assert "mosquitto" in capsys.readouterr().err
    with pytest.raises(ServiceError, match=", ".join(KINDS)):
        kind_named("oracle")


def test_status_and_down_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was ever started, both succeed and say nothing."""
    assert main(["status", "--dir", str(tmp_path)]) == 0
    assert main(["down", "--dir", str(tmp_path / "none")]) == 0
    assert capsys.readouterr().out == ""
