"""The version of the schema, and the migrations that bring it up: the CQL files in history/migrations."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from string import Template

from liftgate.configs.cassandra import CassandraConfig
from liftgate.history.cassandra.node import Session, query
from liftgate.history.clock import now_ms
from liftgate.history.migrations import migrations as numbered
from liftgate.history.port import StoreMisfit, StoreMissing, StoreUnavailable

NAME, LOCK = "history", "lock"
LOCK_S = 120
"""A migration takes seconds; one that died leaves its lock for so long."""
AGREE_S_MAX, AGREE_EVERY_S = 30.0, 0.2
"""Nodes gossip once a second and agree within a few. One that is down holds a migration up, as it should."""

VERSIONS = """
CREATE TABLE IF NOT EXISTS $keyspace.schema_versions (
    what text, version int, applied_at_ms bigint, PRIMARY KEY (what, version)
)
"""


def migrations() -> Sequence[tuple[int, str]]:
    """(number, CQL) of all, from 1 without a gap."""
    return numbered("cassandra")


def statements(text: str, keyspace: str) -> list[str]:
    """The statements of a CQL file, without comments. No `;` and no `--` stands inside of one."""
    lines = (line.partition("--")[0] for line in text.splitlines())
    filled = Template("\n".join(lines)).substitute(keyspace=keyspace)
    return [statement.strip() for statement in filled.split(";") if statement.strip()]


async def version_of(session: Session, keyspace: str) -> int:
    """0: nothing of ours is there. Raises the driver's errors."""
    tables = await query(
        session,
        "SELECT table_name FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
        keyspace,
        "schema_versions",
    )
    if not tables:
        return 0
    ((version,),) = await query(
        session, f"SELECT max(version) FROM {keyspace}.schema_versions WHERE what = ?", NAME
    )
    return int(version or 0)


def check_version(found: int, known: int, where: str) -> None:
    """Raise StoreMisfit unless they are the same: StoreMissing where there is none yet."""
    if found > known:
        raise StoreMisfit(
            f"{where} has schema {found}, this program knows {known}: use the newer program that made it"
        )
    if not found:
        raise StoreMissing(f"{where} has no schema yet: run `liftgate history migrate`")
    if found < known:
        raise StoreMisfit(
            f"{where} has schema {found}, this program needs {known}: run `liftgate history migrate`"
        )


async def migrate(
    session: Session, config: CassandraConfig, known: Sequence[tuple[int, str]]
) -> tuple[int, int]:
    """Make the keyspace where there is none, apply what is missing: (version before, version now).

    Every step can be run again, so whatever cuts it short, the next run goes on. Raises StoreMisfit where the
    schema is newer, StoreUnavailable where another migration is under way, and the driver's errors.
    """
    before, newest = await version_of(session, config.keyspace), known[-1][0]
    if before >= newest:
        check_version(before, newest, f'keyspace "{config.keyspace}"')
        return before, before
    await _make_keyspace(session, config)
    await _apply(session, VERSIONS, config.keyspace)
    await _lock(session, config.keyspace)
    try:
        for number, text in known:
            if number > before:
                await _apply(session, text, config.keyspace)
                await _note(session, config.keyspace, number)
    finally:
        await query(
            session,
            f"DELETE FROM {config.keyspace}.schema_versions WHERE what = ? AND version = 0 IF EXISTS",
            LOCK,
        )
    return before, newest


async def _make_keyspace(session: Session, config: CassandraConfig) -> None:
    copies = f"{{'class': 'NetworkTopologyStrategy', '{config.datacenter}': {config.replication}}}"
    await query(session, f"CREATE KEYSPACE IF NOT EXISTS {config.keyspace} WITH replication = {copies}")
    await wait_agreement(session)


async def _apply(session: Session, text: str, keyspace: str) -> None:
    """Each statement after the cluster has agreed on the one before: two at once may make two schemas."""
    for statement in statements(text, keyspace):
        await query(session, statement)
        await wait_agreement(session)


async def _note(session: Session, keyspace: str, number: int) -> None:
    into = f"INSERT INTO {keyspace}.schema_versions (what, version, applied_at_ms) VALUES (?, {number}, {{}})"
    await query(session, into.format(now_ms()), NAME)


async def _lock(session: Session, keyspace: str) -> None:
    """By a transaction of Cassandra's own, so that only one of two gets it. Raises StoreUnavailable."""
    ((applied, *_),) = await query(
        session,
        f"INSERT INTO {keyspace}.schema_versions (what, version) VALUES (?, 0) IF NOT EXISTS"
        f" USING TTL {LOCK_S}",
        LOCK,
    )
    if not applied:
        raise StoreUnavailable(
            f"another migration is under way, or died less than {LOCK_S} s ago: try again then"
        )


async def wait_agreement(session: Session) -> None:
    """Return when all nodes have the same schema. Raises StoreUnavailable if they do not in time."""
    until = time.monotonic() + AGREE_S_MAX
    while len(versions := await _schema_versions(session)) > 1:
        if time.monotonic() > until:
            raise StoreUnavailable(f"the nodes do not agree on a schema: {sorted(versions)}")
        await asyncio.sleep(AGREE_EVERY_S)


async def _schema_versions(session: Session) -> set[str]:
    own = await query(session, "SELECT schema_version FROM system.local")
    others = await query(session, "SELECT schema_version FROM system.peers")
    return {str(version) for (version,) in own + others if version is not None}
