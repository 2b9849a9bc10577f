"""Reads `[history.cassandra]`: where the cluster is, who we are there, and how many copies it keeps."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from liftgate.configs.paths import existing, maybe_existing, note_half_pair
from liftgate.configs.secrets import Password, file_bytes, variable
from liftgate.configs.table import Table

if TYPE_CHECKING:
    from liftgate.configs.clients import KeyPlaces

Consistency = Literal["local_quorum", "quorum"]
CONSISTENCIES: tuple[Consistency, ...] = ("local_quorum", "quorum")
"""Both mean that a majority of the copies has a row before it counts as stored, and is asked when it is read.
Less would call rows stored that one dead disk takes along."""

_HOST = (re.compile(r"[A-Za-z0-9._:-]{1,253}"), "a host name or address, without a port")
_KEYSPACE = (re.compile(r"[a-z][a-z0-9_]{0,47}"), "1 to 48 small letters, digits or '_', a letter first")
_CENTER = (re.compile(r"[A-Za-z0-9._-]{1,64}"), "the name of a datacenter")
_PASSWORD_PLACES = ("password_env", "password_file")


class CassandraTls(Struct, frozen=True, kw_only=True):
    """ca: PEM file of who signed the nodes' certificates, or those themselves; cert, key: the client's own.

    check_address: a node's address must stand in its certificate. The driver learns nodes by address, so a
    certificate that has names only needs this off, and then anyone whom the CA signed may be a node.
    """

    ca: Path
    cert: Path | None = None
    key: Path | None = None
    check_address: bool = True


class CassandraConfig(Struct, frozen=True, kw_only=True):
    """A cluster and our keyspace there.

    contact_points: hosts of the datacenter that are asked first; the driver learns of the others. datacenter:
    whose nodes are talked to; replication: copies of each row there, used when `liftgate history migrate`
    makes the keyspace. user None: the cluster lets anybody in. tls None: the connection is not encrypted.
    """

    contact_points: tuple[str, ...]
    port: int = 9042
    keyspace: str = "liftgate"
    datacenter: str = "datacenter1"
    replication: int = 3
    user: str | None = None
    password: Password | None = None
    consistency: Consistency = "local_quorum"
    tls: CassandraTls | None = None


def read_cassandra(table: Table, keys: KeyPlaces) -> CassandraConfig:
    """The table; keys says where passwords are found, too."""
    points = table.texts("contact_points", shape=_HOST)
    user = table.maybe_text("user")
    password = _read_password(table, keys)
    if (user is not None) != any(table.has(place) for place in _PASSWORD_PLACES):
        table.note("user", "needs password_env or password_file beside it, and they need user")
    return CassandraConfig(
        contact_points=points,
        port=table.number("port", 1, 65_535, default=9042),
        keyspace=table.text("keyspace", default="liftgate", shape=_KEYSPACE),
        datacenter=table.text("datacenter", default="datacenter1", shape=_CENTER),
        replication=table.number("replication", 1, 9, default=3),
        user=user,
        password=password,
        consistency=table.word("consistency", CONSISTENCIES, default="local_quorum"),
        tls=_read_tls(table, keys.folder),
    )


def _read_tls(cassandra: Table, folder: Path) -> CassandraTls | None:
    table = cassandra.table("tls")
    if table is None:
        return None
    note_half_pair(table)
    return CassandraTls(
        # Not the system's own where none is named, as in [stream.tls]: the driver does not know them.
        ca=existing(table, "ca", folder, table.text("ca")),
        cert=maybe_existing(table, "cert", folder),
        key=maybe_existing(table, "key", folder),
        check_address=table.flag("check_address", default=True),
    )


def _read_password(table: Table, keys: KeyPlaces) -> Password | None:
    """None where none is named, or it cannot be had, which is noted; what was found is never shown."""
    given = {place: name for place in _PASSWORD_PLACES if (name := table.maybe_text(place))}
    if len(given) > 1:
        table.note("password_env", "and password_file are both there: one of them is enough")
    for place, name in given.items():
        if place == "password_env":
            found = variable(table, place, name, keys.environ)
        else:
            found = _read_file(table, keys.folder / name)
        if found is not None and found.strip("\r\n"):
            return Password(found.strip("\r\n"))
        if found is not None:
            table.note(place, "what it names is empty")
    return None


def _read_file(table: Table, path: Path) -> str | None:
    try:
        return file_bytes(path).decode("utf-8")
    except (OSError, ValueError) as error:
        table.note("password_file", f"cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}")
        return None
