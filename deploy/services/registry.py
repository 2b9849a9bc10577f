"""The file that says which services run where: written by `make services`, read by programs and tests."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.services import processes
from deploy.services.service import Service, replace_json

TREE = Path(__file__).resolve().parents[2]
FILE = "services.json"


@dataclass(frozen=True)
class Record:
    """A service as programs need it. ports: all it has, by name; started: clock ticks since boot, which tells
    whether the pid is still this server; log: the file to read when it misbehaves."""

    host: str
    port: int
    pid: int
    started: int
    ports: dict[str, int]
    folder: str
    log: str

    @property
    def alive(self) -> bool:
        return processes.started_ticks(self.pid) == self.started


def root_folder() -> Path:
    """Where `make services` keeps its servers: LIFTGATE_SERVICES, else var/services in this tree."""
    chosen = os.environ.get("LIFTGATE_SERVICES")
    return Path(chosen).resolve() if chosen else TREE / "var" / "services"


def running(root: Path | None = None) -> dict[str, Record]:
    """The services that run, by name, as the file of that root says and their processes confirm."""
    try:
        text = ((root or root_folder()) / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    records = {name: Record(**fields) for name, fields in json.loads(text).items()}
    return {name: record for name, record in records.items() if record.alive}


def write(root: Path, services: Iterable[Service]) -> None:
    """Say what runs now; with nothing running, there is no file."""
    records = {service.name: _record(service) for service in services if service.pid}
    if records:
        replace_json(root / FILE, {name: asdict(record) for name, record in sorted(records.items())})
    else:
        (root / FILE).unlink(missing_ok=True)


def _record(service: Service) -> Record:
    pid = service.pid
    assert pid is not None, "only of a service that runs"
    return Record(
        host=service.host,
        port=service.port,
        pid=pid,
        started=service.started,
        ports=service.ports,
        folder=str(service.folder),
        log=str(service.log_file),
    )
