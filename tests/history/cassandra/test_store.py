"""The store on a real node, beyond what the contract asks of every store."""

from __future__ import annotations

import asyncio
import os

import pytest

from deploy.services import Service
from deploy.services.processes import wait_until
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.cassandra.tables import Keeping
from liftgate.history.port import (
    DAY_MS,
    LEFT,
    Checkpoint,
    Progress,
    Rows,
    StoreMisfit,
    StoreRejected,
    StoreUnavailable,
)
from tests.history.cassandra.rows import (
    CREDENTIAL,
    DAY,
    NOON_MS,
    OTHER,
    cell,
    day,
    event,
    some,
    stay,
)
from tests.history.cassandra.stores import (
    FOR_EVER,
    all_events,
    assert_all_there,
    config_of,
    opened,
    without,
)
from tests.services.clients import cql

pytestmark = pytest.mark.long

SOON_MS = 8_000
"""Until what is to expire does: longer than writing and reading a few rows takes on a busy machine."""


def test_all_rows_of_many_batches_are_there(cassandra: Service, keyspace: str) -> None:
    """More than one batch in each partition, several pages and quarters; written twice, there once."""

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            for _ in range(2):
                await store.write(some(1, 30_000))
            await assert_all_there(store, 30_000)

    asyncio.run(run())


def test_an_older_write_never_overwrites_a_newer_one(cassandra: Service, keyspace: str) -> None:
    """Whoever sends it and however late: another relay with an older checkpoint does no harm."""
    old = Rows([], [stay(1, 5)], [cell(0, 5)], [day(0, 5)])
    new = Rows(
        [],
        [stay(1, 9)._replace(left_ms=NOON_MS + 1, how=LEFT)],
        [cell(0, 9)._replace(entered=30)],
        [day(0, 9)._replace(left=31)],
    )

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store, opened(cassandra.port, keyspace) as other:
            await store.write(new, Progress("a", 90, [Checkpoint("north", 9, b"new")]))
            await other.write(old, Progress("a", 50, [Checkpoint("north", 5, b"old")]))
            for each in (store, other):
                assert await each.stays("north", DAY) == list(new.stays)
                assert await each.stays_of(CREDENTIAL) == list(new.stays)
                assert await each.cells("north", "", 0, new.cells[0].cell + 1) == list(new.cells)
                assert await each.days("north", "", DAY, DAY + 1) == list(new.days)
                assert await each.progress("a") == Progress("a", 90, [Checkpoint("north", 9, b"new")])

    asyncio.run(run())


def test_a_swapped_credential_takes_its_stay_along(cassandra: Service, keyspace: str) -> None:
    """Also where the older row comes after the newer one."""
    under_old, under_new = stay(1, 5), stay(1, 9, OTHER)._replace(formerly=(CREDENTIAL,))

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            for rows in ([under_old], [under_new], [under_old]):
                await store.write(Rows(stays=rows))
            assert await store.stays_of(CREDENTIAL) == []
            assert await store.stays_of(OTHER) == [under_new._replace(formerly=())]

    asyncio.run(run())


def test_a_checkpoint_may_be_larger_than_a_mutation(cassandra: Service, keyspace: str) -> None:
    """20 MB come back byte for byte; what an older one took is let go of."""
    state = os.urandom(20_000_000)

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            await store.write(Rows(), Progress("a", 10, [Checkpoint("north", 1, state[::-1])]))
            await store.write(Rows(), Progress("a", 20, [Checkpoint("north", 2, state)]))
            await store.write(Rows(), Progress("a", 30, [Checkpoint("south", 7, b"")]))
            found = await store.progress("a")
            assert found is not None and found.position == 30
            assert sorted(found.folds) == [Checkpoint("north", 2, state), Checkpoint("south", 7, b"")]

    asyncio.run(run())
    assert cql(cassandra.port, (f"SELECT DISTINCT feed, lot FROM {keyspace}.checkpoint_chunks", []))
    kept = cql(cassandra.port, (f"SELECT seq FROM {keyspace}.checkpoint_chunks", []))
    assert set(kept) == {(2,), (7,)}


def test_a_checkpoint_that_is_not_whole_is_not_taken(cassandra: Service, keyspace: str) -> None:
    """A fold that began from half a state would lose cars without a word."""

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            await store.write(Rows(), Progress("a", 10, [Checkpoint("north", 1, bytes(2_000_000))]))
            chunks = f"{keyspace}.checkpoint_chunks WHERE feed = 'a' AND lot = 'north' AND seq = 1"
            await asyncio.to_thread(cql, cassandra.port, (f"DELETE FROM {chunks} AND chunk = 2", []))
            with pytest.raises(StoreUnavailable, match="checkpoint of lot north at seq 1 is not whole"):
                await store.progress("a")

    asyncio.run(run())


POISON = {
    3: ("no UTF-8", event(3, value=b"\xff\xfe"), "String didn't validate"),
    70: ("half a surrogate pair", event(70)._replace(type="\ud800"), "surrogates not allowed"),
    71: ("a number of 65 bits", event(71)._replace(position=1 << 64), "too large"),
    400: ("17 MB", event(400, value=b"x" * 17_000_000), "too big"),
}


def test_poison_is_named_and_the_rest_is_stored(cassandra: Service, keyspace: str) -> None:
    """Found in batches of hundreds; the progress is not taken with it, and is afterwards."""
    clean = some(1, 500)
    events = [POISON[row.seq][1] if row.seq in POISON else row for row in clean.events]
    progress = Progress("a", 600, [])

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            with pytest.raises(StoreRejected) as caught:
                await store.write(clean._replace(events=events), progress)
            assert set(caught.value.refused) == {("north", seq) for seq in POISON}
            for seq, (_, _, why) in POISON.items():
                assert why in caught.value.refused["north", seq]
            assert await all_events(store) == without(clean, *POISON)
            assert await store.stays("north", DAY) == list(clean.stays)
            assert await store.progress("a") is None
            await store.write(Rows(), progress)
            assert await store.progress("a") == progress

    asyncio.run(run())


def test_a_table_that_is_gone_is_no_fault_of_the_rows(cassandra: Service, keyspace: str) -> None:
    """Cassandra calls such writes invalid, too; giving up rows for that would empty the feed."""

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            await asyncio.to_thread(cql, cassandra.port, (f"DROP TABLE {keyspace}.events", []))
            with pytest.raises(StoreUnavailable):
                await store.write(some(1, 5))

    asyncio.run(run())


def test_a_write_waits_for_a_majority_of_the_copies(cassandra: Service, keyspace: str) -> None:
    """With three copies wanted and one node, nothing counts as stored, and the reason is the server's."""

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            copies = "{'class': 'NetworkTopologyStrategy', 'datacenter1': 3}"
            await asyncio.to_thread(
                cql, cassandra.port, (f"ALTER KEYSPACE {keyspace} WITH replication = {copies}", [])
            )
            with pytest.raises(StoreUnavailable, match="consistency level LOCAL_QUORUM"):
                await store.write(some(1, 5))
            with pytest.raises(StoreUnavailable):
                await store.events("north", DAY)

    asyncio.run(run())


def test_personal_data_goes_by_itself(cassandra: Service, keyspace: str) -> None:
    """Events and ended stays after their days, a raw token after its hours; what is inside remains."""
    now_ms = (DAY + 2) * DAY_MS - SOON_MS
    inside = stay(1)
    ended = stay(2)._replace(left_ms=NOON_MS, how=LEFT)
    left_ms = now_ms - 3_600_000 + SOON_MS
    fresh = stay(3)._replace(day=DAY + 1, token=b"\x01raw", left_ms=left_ms, how=LEFT)
    old, new = event(1, NOON_MS), event(2, NOON_MS + DAY_MS)

    async def run() -> None:
        keeping = Keeping(days=1, token_hours=1)
        async with opened(cassandra.port, keyspace, keeping, lambda: now_ms) as store:

            async def found() -> list[object]:
                days = (DAY, DAY + 1)
                kept = [row for day in days for row in (*await store.events("north", day), "and")]
                kept += [row for day in days for row in await store.stays("north", day)]
                return [*kept, "of", *sorted(await store.stays_of(CREDENTIAL))]

            await store.write(Rows([old, new], [inside, ended, fresh]))
            all_of_it = [old, "and", new, "and", inside, ended, fresh, "of", inside, ended, fresh]
            assert await found() == all_of_it
            nameless = fresh._replace(token=b"")
            async with asyncio.timeout(60):
                while await found() != ["and", new, "and", inside, nameless, "of", inside, nameless]:
                    await asyncio.sleep(0.2)

    asyncio.run(run())


def test_a_span_may_be_longer_than_what_the_tables_hold(cassandra: Service, keyspace: str) -> None:
    """ "Until ever" is not an error, and not nothing."""

    async def run() -> None:
        async with opened(cassandra.port, keyspace) as store:
            last = cell(0)._replace(cell=(1 << 31) - 8)
            await store.write(Rows([], [], [last], [day(0)]))
            assert await store.cells("north", "", last.cell - 5, 1 << 40) == [last]
            assert await store.days("north", "", -(1 << 40), 1 << 40) == [day(0)]

    asyncio.run(run())


def test_days_beyond_the_end_of_expiry_are_a_misfit(keyspace: str) -> None:
    """Told before anything is connected, as each write would be refused."""
    store = CassandraStore(config_of(1, keyspace), Keeping(5000, 0), now_ms=lambda: NOON_MS)
    with pytest.raises(StoreMisfit, match=r"keep_days = 5000 reaches beyond 2038-01-19, .* 4\d\d\d at most"):
        asyncio.run(store.open())


def test_requests_live_on_when_their_task_is_cancelled(own_cassandra: Service, keyspace: str) -> None:
    """They keep their place in the limit, so cancelling again and again piles nothing up; closing waits."""

    async def run() -> None:
        async with opened(own_cassandra.port, keyspace) as store:
            await asyncio.to_thread(own_cassandra.pause)
            for _ in range(3):
                task = asyncio.create_task(store.write(some(1, 20_000)))
                while not store.limiter.in_flight == store.limiter.limit:
                    await asyncio.sleep(0.01)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            assert 0 < store.limiter.in_flight <= store.limiter.limit
            await asyncio.to_thread(own_cassandra.resume)
        assert store.limiter.in_flight == 0

    asyncio.run(run())


def test_attempts_to_open_leave_nothing_behind(keyspace: str) -> None:
    """No file descriptor, as each of the driver's clusters would hold four until it is destroyed."""

    async def run() -> None:
        store = CassandraStore(config_of(1, keyspace), FOR_EVER)
        counts = []
        for _ in range(5):
            with pytest.raises(StoreUnavailable, match=r"Cassandra at 127\.0\.0\.1 port 1: .*refused"):
                await store.open()
            await store.aclose()
            counts.append(len(os.listdir("/proc/self/fd")))
        assert wait_until(lambda: len(os.listdir("/proc/self/fd")) <= counts[0], 5), counts

    asyncio.run(run())
