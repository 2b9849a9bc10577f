"""QoS 1 acknowledgements a second: the engine's MQTT listener against mosquitto, by one client in one run.

What a PUBACK is worth differs, and the comparison is kind to the broker. The engine's leaves when the
event's fdatasync is done. mosquitto 2.0 cannot wait for a disk before PUBACK: the nearest is
`autosave_interval 1` with `autosave_on_changes true`, by which its main loop writes and syncs its whole
database after each turn that changed something. So what is synced is synced after its PUBACK, many by one
sync. It has something to keep only where a session wants the messages, so a consumer with a lasting session
takes them, as a gateway would.
"""

from __future__ import annotations

import getpass
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from liftgate.bench import servers
from liftgate.bench.build import program
from liftgate.bench.compare import Sample
from liftgate.bench.load import LoadFailed, Result, Shape
from liftgate.bench.servers import Server, ServerFailed, bench_folder, cpu_s, engine_server, raise_open_files

SHAPE = Shape(100, 1)
MORE = '[mqtt]\nlisten = "127.0.0.1:0"\n'
BROKER = """\
listener {port} 127.0.0.1
allow_anonymous true
user {user}
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 0
max_inflight_messages 0
log_dest stdout
log_type error
"""
"""max_…_messages 0 is no limit: none is dropped, and the consumer is not what is measured."""


class Acknowledged(msgspec.Struct, frozen=True):
    """Medians over the rounds. Rates are PUBACKs a second, times milliseconds; ratio: ours to mosquitto's.

    kept_nothing_rate: mosquitto's without a consumer, so without a session to keep anything for: no message
    is ever written to its disk. cpu_us: the server's processor time for each PUBACK, in microseconds, which
    says most on a busy machine.
    """

    ratio: float
    rate: float
    mosquitto_rate: float
    kept_nothing_rate: float
    p50_ms: float
    p99_ms: float
    mosquitto_p50_ms: float
    mosquitto_p99_ms: float
    cpu_us: float
    mosquitto_cpu_us: float
    kept_nothing_cpu_us: float
    connections: int
    in_flight: int
    rounds: int
    seconds: float


def mqtt(rounds: int = 3, seconds: float = 3.0, shape: Shape = SHAPE) -> Acknowledged:
    """Measure each in turn, `rounds` times, each time on empty disks. Raises LoadFailed, ServerFailed."""
    raise_open_files()
    ours, theirs, idle = [], [], []
    for _ in range(rounds):
        ours.append(_ours(shape, seconds))
        with bench_folder() as folder, broker(folder) as server:
            theirs.append(_run(server, server.port, shape, seconds, "--consume"))
        with bench_folder() as folder, broker(folder) as server:
            idle.append(_run(server, server.port, shape, seconds))
    rate, mosquitto_rate = _median(ours, "rate"), _median(theirs, "rate")
    return Acknowledged(
        ratio=round(rate / mosquitto_rate, 2),
        rate=rate,
        mosquitto_rate=mosquitto_rate,
        kept_nothing_rate=_median(idle, "rate"),
        p50_ms=_median(ours, "p50_ms"),
        p99_ms=_median(ours, "p99_ms"),
        mosquitto_p50_ms=_median(theirs, "p50_ms"),
        mosquitto_p99_ms=_median(theirs, "p99_ms"),
        cpu_us=_median_cpu(ours),
        mosquitto_cpu_us=_median_cpu(theirs),
        kept_nothing_cpu_us=_median_cpu(idle),
        connections=shape.connections,
        in_flight=shape.in_flight,
        rounds=rounds,
        seconds=seconds,
    )


def _ours(shape: Shape, seconds: float) -> Sample:
    with bench_folder() as folder, engine_server(folder, shape.connections, more=MORE) as server:
        said = servers.wait_said(server.process, folder / "ready.json", folder / "engine.log")
        return _run(server, said["mqtt"]["port"], shape, seconds, "--key", servers.KEY_HEX)


@contextmanager
def broker(folder: Path) -> Iterator[Server]:
    """mosquitto, told to sync as much as it can."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if path is None:
        raise ServerFailed("mosquitto is not installed: apt-get install mosquitto")
    port, config, log = servers.free_port(), folder / "mosquitto.conf", folder / "mosquitto.log"
    config.write_text(BROKER.format(port=port, user=getpass.getuser(), folder=folder), encoding="utf-8")
    with servers.running([path, "-c", str(config)], log, talks=False) as process:
        servers.wait_port(process, port, log)
        yield Server("mosquitto", port, process, folder, (), 0.0)


def _run(server: Server, port: int, shape: Shape, seconds: float, *flags: str) -> Sample:
    command = [str(program("mqttgen")), "--port", str(port), "--connections", str(shape.connections)]
    command += ["--in-flight", str(shape.in_flight), "--seconds", str(seconds), "--warm-up"]
    before_s = cpu_s(server)
    done = subprocess.run([*command, str(min(1.0, seconds)), *flags], capture_output=True, text=True)
    if done.returncode:
        raise LoadFailed(f"mqttgen ended with {done.returncode}: {done.stderr.strip()}")
    result = msgspec.json.decode(done.stdout, type=Result)
    return Sample(result, round((cpu_s(server) - before_s) * 1e6 / result.answers, 2))


def _median(samples: list[Sample], name: str) -> float:
    return float(statistics.median(getattr(sample.result, name) for sample in samples))


def _median_cpu(samples: list[Sample]) -> float:
    return statistics.median(sample.cpu_us for sample in samples)
