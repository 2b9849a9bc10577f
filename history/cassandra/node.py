"""Connections to the cluster, and whether it is one that we can use."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from typing import Any

import acsylla
from acsylla import errors

from liftgate.configs.cassandra import CassandraConfig, CassandraTls
from liftgate.history.cassandra.errors import DriverError, text_of
from liftgate.history.port import StoreMisfit, StoreMissing, StoreUnavailable

Session = Any  # acsylla has no types
Row = tuple[Any, ...]

OLDEST = (4, 1)
"""Older ones lack `read_repair` as we use it and, by now, anybody who mends them."""
CONNECT_S_MAX = 5.0
REQUEST_S_MAX = 10.0
"""A node itself gives up on a write after 2 s and on a read after 5 s, so after this nobody works on it."""
HEARTBEAT_S, SILENT_S_MAX = 5, 20
"""A connection that stays silent for longer is dropped: the driver would wait for a minute."""
RECONNECT_MS, RECONNECT_MS_MAX = 250, 4_000
"""The driver would let up to a minute pass between two attempts, and the relay's backlog grow for nothing."""
PAGE_ROWS = 2_000
"""Of one answer: rows of cells are some 50 bytes, events at most 64 KiB, and those come 1,000 at a time."""

_CONSISTENCY = {
    "local_quorum": acsylla.Consistency.LOCAL_QUORUM,
    "quorum": acsylla.Consistency.QUORUM,
}

_UNTRUSTED = (errors.CassErrorSslInvalidPeerCert, errors.CassErrorSslIdentityMismatch)


class _Verify(Enum):
    """What the driver checks, in its own bits (CASS_SSL_VERIFY_…).

    Not acsylla's SSLVerifyFlags: its PEER_IDENTITY has the value of PEER_CERT, and so checks no address.
    """

    CERTIFICATE = 1
    ADDRESS = 1 | 2


class Cluster:
    """The driver's settings, once to look at any node and once to work with those of our datacenter.

    Each of the driver's clusters holds four file descriptors until `destroy`, which its documentation leaves
    out, so they are made once for a store and not once for each attempt to connect.
    """

    def __init__(self, config: CassandraConfig) -> None:
        self.config = config
        self._looking: Any = None
        self._working: Any = None

    @asynccontextmanager
    async def look(self) -> AsyncIterator[Session]:
        """A session with any node that answers, for a moment. Raises StoreUnavailable, StoreMisfit."""
        if self._looking is None:
            self._looking = self._make(load_balance_round_robin=True)
        session = await self._connect(self._looking)
        try:
            yield session
        finally:
            await session.close()

    async def work(self) -> Session:
        """A session with our datacenter's nodes; look first. Raises StoreUnavailable, StoreMisfit."""
        if self._working is None:
            self._working = self._make(load_balance_dc_aware=self.config.datacenter)
        return await self._connect(self._working)

    def destroy(self) -> None:
        """Let go of all; sessions must be closed before."""
        for cluster in (self._looking, self._working):
            if cluster is not None:
                cluster.destroy()
        self._looking = self._working = None

    async def _connect(self, cluster: Any) -> Session:
        where = f"Cassandra at {', '.join(self.config.contact_points)} port {self.config.port}"
        try:
            return await cluster.create_session()
        except errors.CassErrorServerBadCredentials as error:
            raise StoreMisfit(
                f"{where} refuses user {self.config.user or '(none given)'} or the password: {text_of(error)}"
            ) from error
        except _UNTRUSTED as error:
            raise StoreMisfit(f"{where} is not to be trusted: {text_of(error)}") from error
        except DriverError as error:
            raise StoreUnavailable(f"{where}: {text_of(error)}") from error

    def _make(self, **routing: Any) -> Any:
        config = self.config
        return acsylla.create_cluster(
            list(config.contact_points),
            port=config.port,
            username=config.user,
            password=config.password and str(config.password),
            connect_timeout=CONNECT_S_MAX,
            request_timeout=REQUEST_S_MAX,
            # All that it would log reaches us as an exception; without ScyllaDB each connect logs an error.
            log_level="critical",
            consistency=_CONSISTENCY[config.consistency],
            serial_consistency=acsylla.Consistency.LOCAL_SERIAL,
            heartbeat_interval_sec=HEARTBEAT_S,
            idle_timeout_sec=SILENT_S_MAX,
            exponential_reconnect_base_delay_ms=RECONNECT_MS,
            exponential_reconnect_max_delay_ms=RECONNECT_MS_MAX,
            application_name="liftgate",
            **_tls_options(config.tls),
            **routing,
        )


def _tls_options(tls: CassandraTls | None) -> dict[str, Any]:
    """Raises StoreMisfit where a file cannot be used; the driver would say of none which it is, or why."""
    if tls is None:
        return {}
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert is not None:
            context.load_cert_chain(tls.cert, tls.key)
        return {
            "ssl_enabled": True,
            "ssl_trusted_cert": tls.ca.read_text(),
            "ssl_cert": tls.cert and tls.cert.read_text(),
            "ssl_private_key": tls.key and tls.key.read_text(),
            "ssl_verify_flags": _Verify.ADDRESS if tls.check_address else _Verify.CERTIFICATE,
        }
    except (OSError, ValueError) as error:
        raise StoreMisfit(f"the files of [history.cassandra.tls] cannot be used: {error}") from error


async def query(session: Session, text: str, *values: object) -> list[Row]:
    """Rows of a statement that is not worth preparing. Raises the driver's errors."""
    statement = acsylla.create_statement(text, len(values))
    statement.bind_list(list(values))
    return taken(await session.execute(statement))


def taken(result: Any) -> list[Row]:
    """The rows' values, taken one by one: the driver's rows are only good until the next one."""
    return [row.as_tuple() for row in result]


async def check_node(session: Session, config: CassandraConfig) -> None:
    """Raise StoreMisfit unless all nodes are new enough and the datacenter is one of theirs."""
    nodes = await query(session, "SELECT release_version, data_center FROM system.local")
    nodes += await query(session, "SELECT release_version, data_center FROM system.peers")
    for release, _ in nodes:
        if release_of(str(release)) < OLDEST:
            wanted = ".".join(map(str, OLDEST))
            raise StoreMisfit(f"a node runs Cassandra {release}: {wanted} or later is needed")
    centers = sorted({str(center) for _, center in nodes})
    if config.datacenter not in centers:
        raise StoreMisfit(f'no datacenter "{config.datacenter}" in this cluster, only {_listed(centers)}')


def release_of(text: str) -> tuple[int, int]:
    """(5, 0) of "5.0.9" and "5.0-rc1"; (0, 0) where it says nothing of the kind."""
    match = re.match(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0, 0)


async def check_keyspace(session: Session, config: CassandraConfig) -> None:
    """Raise StoreMisfit unless the keyspace is there and has copies in our datacenter."""
    found = await query(
        session,
        "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?",
        config.keyspace,
    )
    if not found:
        names = await query(session, "SELECT keyspace_name FROM system_schema.keyspaces")
        others = sorted(str(name) for (name,) in names if not str(name).startswith("system"))
        raise StoreMissing(
            f'no keyspace "{config.keyspace}" in this cluster'
            + (f" (there are {_listed(others)})" if others else "")
            + ": `liftgate history migrate` makes it"
        )
    ((replication,),) = found
    check_copies(replication, config)


def check_copies(replication: Mapping[str, str], config: CassandraConfig) -> None:
    """Raise StoreMisfit for a keyspace that only other datacenters have: no majority could be asked here."""
    by_center = replication["class"].endswith("NetworkTopologyStrategy")
    if by_center and config.datacenter not in replication:
        centers = sorted(set(replication) - {"class"})
        raise StoreMisfit(
            f'keyspace "{config.keyspace}" has no copies in datacenter "{config.datacenter}",'
            f" only in {_listed(centers)}"
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
