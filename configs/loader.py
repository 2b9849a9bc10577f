"""Loads a configuration file, or says everything that is wrong with it at once."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

from liftgate.configs.broker import read_broker
from liftgate.configs.clients import KeyPlaces, read_reader, read_service
from liftgate.configs.history import read_history
from liftgate.configs.lines import key_lines, line_of
from liftgate.configs.lots import read_lot
from liftgate.configs.paths import existing, maybe_existing, resolve
from liftgate.configs.problems import ConfigErrors, Problem
from liftgate.configs.relay import read_relay
from liftgate.configs.rules import mistakes
from liftgate.configs.schema import Config, EngineConfig, LotConfig, MqttConfig, ReaderConfig, TlsConfig
from liftgate.configs.stream import read_stream
from liftgate.configs.table import ID, Notes, Table, note_repeats

_LISTEN = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_BACKLOG_FULL = (
    re.compile(r"keep|refuse_entries|forget:[A-Za-z0-9._-]{1,64}"),
    '"keep", "refuse_entries" or "forget:" and a subscriber',
)
_NO_ENGINE = EngineConfig(name="", host="", port=0, journal=Path())
_TOML_PLACE = re.compile(r" \(at line (\d+), column \d+\)$")


def load(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Config:
    """The configuration in the TOML file at path; paths in it are relative to the file's own folder.

    Keys named by `key_env` come from environ. Raises ConfigErrors with every problem, each with file, line
    and key. Opens the files it names, to see that they are there; makes nothing.
    """
    text = _read(path)
    folder = Path(os.path.realpath(path)).parent
    notes = Notes()
    root = Table(_parse(path, text), "", notes)
    config = _read_config(root, folder, environ)
    root.note_unknown()
    if notes.noted:
        raise ConfigErrors(_placed(str(path), text, notes))
    return config


def check(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> list[Problem]:
    """Every problem of the file at path, in the order of the file; none where `load` would succeed."""
    try:
        load(path, environ)
    except ConfigErrors as errors:
        return list(errors.problems)
    return []


def _read(path: str | os.PathLike[str]) -> str:
    try:
        return Path(path).read_bytes().decode("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigErrors([Problem(str(path), "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigErrors([Problem(str(path), "", "is not UTF-8 text", line)]) from error


def _parse(path: str | os.PathLike[str], text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ConfigErrors([Problem(str(path), "", "nests tables or arrays too deeply")]) from error
    except ValueError as error:  # also what int() says to a number of thousands of digits
        message = str(error)
        place = _TOML_PLACE.search(message)
        line = int(place[1]) if place else None
        what = f"is not TOML: {_TOML_PLACE.sub('', message)}"
        raise ConfigErrors([Problem(str(path), "", what, line)]) from error


def _placed(file: str, text: str, notes: Notes) -> list[Problem]:
    lines = key_lines(text)
    problems = [Problem(file, key, message, line_of(key, lines)) for key, message in notes.noted]
    return sorted(problems, key=lambda problem: problem.line or 0)


def _read_config(root: Table, folder: Path, environ: Mapping[str, str]) -> Config:
    keys = KeyPlaces(folder, environ)
    lot_tables = root.tables("lot", needed_by="an engine")
    reader_tables, service_tables = root.tables("reader"), root.tables("service")
    lots = tuple(read_lot(table, keys) for table in lot_tables)
    by_id = {lot.id: lot for lot in lots}
    readers = tuple(read_reader(table, by_id, keys) for table in reader_tables)
    services = tuple(read_service(table, by_id, keys) for table in service_tables)
    _check_tides(lot_tables, lots, readers)
    note_repeats(lot_tables, [lot.id for lot in lots], "id")
    note_repeats(reader_tables, [reader.id for reader in readers], "id")
    note_repeats(service_tables, [service.id for service in services], "id")
    engine = _read_engine(root, folder, keys)
    mqtt = root.table("mqtt")
    history = read_history(root, folder, engine.journal, engine.name, keys)
    return Config(
        engine=engine,
        lots=lots,
        readers=readers,
        services=services,
        history=history,
        relay=read_relay(root, folder, engine.journal, services),
        stream=read_stream(root, folder, environ, keys, history),
        mqtt=_read_mqtt(mqtt, folder),
        broker=read_broker(mqtt, folder, environ, services),
    )


def _check_tides(tables: list[Table], lots: tuple[LotConfig, ...], readers: tuple[ReaderConfig, ...]) -> None:
    """A tide runs in a lane for both ways of a reader of its lot."""
    lanes = {(r.lot, r.id, lane.number): lane.direction for r in readers for lane in r.lanes}
    for table, lot in zip(tables, lots, strict=True):
        tides = lot.rules.get("lanes", {}).get("tides", []) if not mistakes(lot.rules) else []
        for place, tide in enumerate(tides):
            if lanes.get((lot.id, tide["reader"], tide["lane"])) != "both":
                name = f"lane {tide['lane']} of reader {tide['reader']}"
                table.note(f"rules.lanes.tides[{place}]", f'{name} is no lane of this lot for "both" ways')


def _read_engine(root: Table, folder: Path, keys: KeyPlaces) -> EngineConfig:
    table = root.table("engine")
    if table is None:
        if not root.has("engine"):
            root.note("engine", "is missing")
        return _NO_ENGINE
    host, port = _read_listen(table)
    tls = _read_tls(table, folder)
    allow_plain = _read_allow_plain(table, host, "engine")
    return EngineConfig(
        name=table.text("name", shape=ID),
        host=host,
        port=port,
        journal=resolve(folder, table.text("journal")),
        readers_max=table.number("readers_max", 1, 1_000_000, default=10_000),
        in_flight_max=table.number("in_flight_max", 1, 4096, default=64),
        allow_plain=allow_plain,
        tls=tls,
        frame_bytes_max=table.number("frame_bytes_max", 4096, 65_536, default=65_536),
        heartbeat_s=table.number("heartbeat_s", 1, 3600, default=15),
        output_bytes_max=table.number("output_bytes_max", 131_072, 64 << 20, default=262_144),
        segment_bytes=table.number("segment_bytes", 1 << 20, 4 << 30, default=64 << 20),
        snapshot_every_s=table.number("snapshot_every_s", 1, 86_400, default=300),
        backlog_max=table.number("backlog_max", 0, 1 << 50, default=0),
        backlog_full=table.text("backlog_full", default="keep", shape=_BACKLOG_FULL),
        registry_key=keys.maybe(table, "registry_key"),
    )


def _read_mqtt(table: Table | None, folder: Path) -> MqttConfig | None:
    if table is None or (table.has("broker") and not table.has("listen")):
        return None
    host, port = _read_listen(table)
    tls = _read_tls(table, folder)
    _read_allow_plain(table, host, "mqtt")
    return MqttConfig(host=host, port=port, tls=tls)


def _read_allow_plain(table: Table, host: str, name: str) -> bool:
    """Whether it may go without TLS beyond this machine; where it would and may not, that is noted."""
    allowed = table.flag("allow_plain", default=False)
    if not (_is_loopback(host) or table.has("tls") or allowed):
        table.note("listen", f"reaches beyond this machine: add [{name}.tls] or set allow_plain = true")
    return allowed


def _read_listen(table: Table) -> tuple[str, int]:
    text = table.text("listen")
    match = _LISTEN.fullmatch(text)
    if match and int(match[2]) <= 65_535:
        return match[1].strip("[]"), int(match[2])
    if text:
        table.note("listen", 'must be host:port with a port of 0..65535, such as "127.0.0.1:7400"')
    return "127.0.0.1", 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_tls(engine: Table, folder: Path) -> TlsConfig | None:
    table = engine.table("tls")
    if table is None:
        return None
    return TlsConfig(
        cert=existing(table, "cert", folder, table.text("cert")),
        key=existing(table, "key", folder, table.text("key")),
        client_ca=maybe_existing(table, "client_ca", folder),
    )
