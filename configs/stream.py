"""Reads `[stream]`: the Kafka that the events go to, and in which form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from liftgate.configs.paths import maybe_existing, note_half_pair
from liftgate.configs.secrets import Password, file_bytes, variable
from liftgate.configs.table import Shape, Table

if TYPE_CHECKING:
    from liftgate.configs.clients import KeyPlaces
    from liftgate.configs.history import HistoryConfig
    from liftgate.configs.schema import Key

Format = Literal["json", "msgpack"]
Compression = Literal["none", "gzip"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]

FORMATS: tuple[Format, ...] = ("json", "msgpack")
COMPRESSIONS: tuple[Compression, ...] = ("none", "gzip")
MECHANISMS: tuple[Mechanism, ...] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

TOPIC: Shape = (
    re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,249}"),
    "a topic of Kafka: 1 to 249 letters, digits, '.', '_' or '-'",
)
_BROKER = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")
_PASSWORD_PLACES = ("password", "password_file", "password_env")


class StreamTls(Struct, frozen=True, kw_only=True):
    """ca: PEM file of who signed the brokers' certificates, None: the system's; cert, key: the client's own.

    check_hostname: a broker must be named in its certificate.
    """

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    check_hostname: bool = True


class StreamSasl(Struct, frozen=True, kw_only=True):
    """Who the relay is to the brokers. Kerberos and OAuth are not offered: each needs a program beside us."""

    mechanism: Mechanism
    user: str
    password: Password


class StreamConfig(Struct, frozen=True, kw_only=True):
    """Where the events go.

    brokers: host:port of at least one; the others are learned. topic: of the events; cursors: the compacted
    topic in which each relay keeps how far it came.
    partitions: of `topic`, for ever: another number would move lots to other partitions, out of order.
    replicas: of both topics when they are made; 0: three, or as many as there are brokers.
    key: of the hashes that stand for credentials; the history's, unless it has one of its own.
    timeout_s: one batch is stored within it, or counts as failed and is tried again.
    transaction_timeout_s: a relay that stands still in the middle of a batch holds up the topic's readers no
    longer; the next relay ends it at once.
    """

    brokers: tuple[str, ...]
    key: Key
    topic: str = "liftgate.events"
    cursors: str = "liftgate.cursors"
    partitions: int = 12
    replicas: int = 0
    format: Format = "json"
    compression: Compression = "none"
    timeout_s: int = 30
    transaction_timeout_s: int = 60
    tls: StreamTls | None = None
    sasl: StreamSasl | None = None


def read_stream(
    root: Table, folder: Path, environ: Mapping[str, str], keys: KeyPlaces, history: HistoryConfig | None
) -> StreamConfig | None:
    """`[stream]` of the file, None where it is left out; paths in it are relative to folder."""
    table = root.table("stream")
    if table is None:
        return None
    config = StreamConfig(
        brokers=_read_brokers(table),
        key=keys.read(table, default=None if history is None else history.key),
        topic=table.text("topic", "liftgate.events", TOPIC),
        cursors=table.text("cursors", "liftgate.cursors", TOPIC),
        partitions=table.number("partitions", 1, 10_000, default=12),
        replicas=table.number("replicas", 0, 100, default=0),
        format=table.word("format", FORMATS, default="json"),
        compression=table.word("compression", COMPRESSIONS, default="none"),
        timeout_s=table.number("timeout_s", 1, 600, default=30),
        transaction_timeout_s=table.number("transaction_timeout_s", 1, 900, default=60),
        tls=_read_tls(table, folder),
        sasl=_read_sasl(table, folder, environ),
    )
    if config.topic == config.cursors:
        table.note("cursors", "is the events' topic: cursors are compacted, so they need one of their own")
    if config.transaction_timeout_s < config.timeout_s:
        table.note("transaction_timeout_s", f"is less than timeout_s ({config.timeout_s})")
    return config


def _read_brokers(table: Table) -> tuple[str, ...]:
    brokers = table.strings("brokers")
    for index, broker in enumerate(brokers):
        match = _BROKER.fullmatch(broker)
        if not match or not 0 < int(match[2]) <= 65_535:
            table.note(f"brokers[{index}]", 'must be host:port, such as "127.0.0.1:9092"')
    if table.has("brokers") and not brokers:
        table.note("brokers", "names no broker")
    return brokers


def _read_tls(stream: Table, folder: Path) -> StreamTls | None:
    table = stream.table("tls")
    if table is None:
        return None
    note_half_pair(table)
    return StreamTls(
        ca=maybe_existing(table, "ca", folder),
        cert=maybe_existing(table, "cert", folder),
        key=maybe_existing(table, "key", folder),
        check_hostname=table.flag("check_hostname", default=True),
    )


def _read_sasl(stream: Table, folder: Path, environ: Mapping[str, str]) -> StreamSasl | None:
    table = stream.table("sasl")
    if table is None:
        return None
    mechanism = table.word("mechanism", MECHANISMS)
    if mechanism == "PLAIN" and not stream.has("tls"):
        table.note("mechanism", "PLAIN sends the password as it stands: add [stream.tls], or use SCRAM")
    return StreamSasl(
        mechanism=mechanism, user=table.text("user"), password=_read_password(table, folder, environ)
    )


def _read_password(table: Table, folder: Path, environ: Mapping[str, str]) -> Password:
    given = [place for place in _PASSWORD_PLACES if table.has(place)]
    texts = {place: table.maybe_text(place) for place in _PASSWORD_PLACES}
    if len(given) != 1:
        found = " and ".join(given) or "none"
        table.note("password", f"needs one of {', '.join(_PASSWORD_PLACES)}, has {found}")
        return Password()
    place, text = given[0], texts[given[0]] or ""
    if place == "password" or not text:
        return Password(text)
    if place == "password_env":
        return Password(variable(table, place, text, environ) or "")
    try:
        return Password(file_bytes(folder / text).decode().rstrip("\r\n"))
    except (OSError, ValueError) as error:
        table.note(place, f'cannot read "{text}": {getattr(error, "strerror", None) or error}')
        return Password()
