"""A subscriber that holds all of the journal's reserve: entries are refused, and nothing else."""

import time
from pathlib import Path

from tests.faults.engines import LOT, make_engine
from tests.independent.engine_process import ENTRY, EXIT
from tests.independent.frames import Type, encode
from tests.independent.reader import Client

WAIT_S = 20.0
TOKEN_BYTES = 500
CARS = 3000
"""Twice as many events of some 600 bytes fill three segments of the smallest size."""


def scan_until(reader: Client, lane: int, verdict: int, follower: Client | None = None) -> int:
    """Scan new cars until one gets that verdict; the reason.

    follower: a subscriber that goes along. Refusals are journalled, too: for who moved its cursor once only
    they may begin the next segment before the engine looks, and so fill the reserve again for good.
    """
    until = time.monotonic() + WAIT_S
    while (decision := reader.scan(lane, time.monotonic_ns().to_bytes(8, "big"))).verdict != verdict:
        if follower is not None:
            catch_up(follower)
        assert time.monotonic() < until, f"verdict {decision.verdict} for {WAIT_S} s"
    return decision.reason


def test_entries_are_refused_while_a_subscriber_holds_the_reserve(tmp_path: Path) -> None:
    """Who is in goes out, a restart changes nothing, and after the subscriber came on entries are open."""
    engine = make_engine(
        tmp_path, 1, 10_000, segment_bytes=1 << 20, backlog_max=2 << 20, backlog_full='"refuse_entries"'
    )
    with engine, engine.reader(f"{LOT}-r0") as reader:
        with engine.service() as slow:
            slow.send_bytes(encode(Type.SUBSCRIBE, slow.next_ref(), "slow", 0))
            slow.wait_events(1)
        assert reader.scan(ENTRY, b"anna").verdict == 1
        fill_until_refused(reader)
        assert reader.scan(EXIT, b"anna").verdict == 1
        engine.kill()
        engine.start()
        with engine.reader(f"{LOT}-r0") as again, engine.service() as slow:
            assert scan_until(again, ENTRY, 2) == 100
            slow.send_bytes(encode(Type.SUBSCRIBE, slow.next_ref(), "slow", None))
            assert scan_until(again, ENTRY, 1, slow) == 0


def catch_up(subscriber: Client) -> None:
    """Say that it has all that there is."""
    last = subscriber.query(LOT, "status", {}).body["durable_position"]
    subscriber.send_bytes(encode(Type.CURSOR, 0, last))


def fill_until_refused(reader: Client) -> None:
    """Cars that come and go until one is refused because its lane is closed."""
    for number in range(CARS):
        token = number.to_bytes(TOKEN_BYTES, "big")
        came = reader.scan(ENTRY, token)
        if came.verdict != 1:
            assert came.reason == 100
            return
        assert reader.scan(EXIT, token).verdict == 1
    raise AssertionError(f"{CARS} cars came in")
