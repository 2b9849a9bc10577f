"""A lot with every theme of rules switched on, as an operator would have them: its file and its orders."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import trio

from liftgate.bench.load import Shape
from liftgate.bench.servers import KEY_HEX, Server, ServerFailed
from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.sim.city.client import Client, connect

LOT = "bench"
SERVICE = "console"
CARD = 2
GROUPS = 8
RESERVED = 50
AT_ONCE = 32
"""Orders under way at once; an engine takes 64 of one connection."""

RULES = """
[lot.rules.entitlements]
outside = "casual"
holidays = [{ date = "2026-12-25" }, { date = "2026-12-31", times = [{ from = "08:00", to = "14:00" }] }]

[lot.rules.classes]
fallback = { charging = ["standard"], family = ["standard"] }
full_grace_s = 1800

[lot.rules.lanes]
tailgates_max = 5
backouts_max = 5
forced_max = 2
vends_max = 10

[[lot.rules.lanes.tides]]
reader = "tidal"
lane = 0
schedule = [{ at = "06:00", run = "in" }, { at = "15:00", run = "out" }]

[lot.rules.reservations]
overbooking_percent = 110

[lot.rules.ledger]
recount_every_s = 604800
drift_cars = 5

[lot.rules.limits]
longest_stay_s = 172800
closed = [{ from = "02:00", to = "02:01" }]
turn_round_s = 300

[lot.rules.reconciliation]

[lot.rules.passback]
doubt = ["held_open", "forced", "followed"]
areas = { bench = "timed" }
within_s = 600

[lot.rules.identity]
exit_without_entry = "stay"
mismatch = "finding"
close_after_s = 2592000
lanes = { "tidal/0" = "witness" }
"""
"""Every table of rules. Closed for a minute at night, the shortest there is: benchmarks enter at any time.

Each exit of a benchmark is within the grace of turning round, so each has a mark in its event: dearer than a
lot where cars stay for hours."""

MORE = f"""
[[reader]]
id = "tidal"
key = "{KEY_HEX}"
lot = "{LOT}"
[[reader.lane]]
number = 0
direction = "both"
area = "{LOT}"
gate = "main"

[[service]]
id = "{SERVICE}"
key = "{KEY_HEX}"
may = ["issue_pass", "set_group", "plan_event", "reserve", "query"]
"""

Order = tuple[str, dict[str, Any]]


def token(connection: int, slot: int) -> bytes:
    """The card of one place of one connection, as bench/requests.c has it."""
    return connection.to_bytes(4, "big") + slot.to_bytes(4, "big")


def holders(shape: Shape) -> Iterator[tuple[int, bytes]]:
    """(its number, token) of the cards that hold something: every other one of a shape."""
    for connection in range(shape.connections):
        for slot in range(shape.in_flight):
            if (connection + slot) % 2 == 0:
                yield connection * shape.in_flight + slot, token(connection, slot)


def orders(shapes: tuple[Shape, ...], now_ms: int) -> Iterator[Order]:
    """A pass for every other card, each other one of these in a group, reservations for later, and
    an event day under way."""
    held = list(dict.fromkeys(card for shape in shapes for _, card in holders(shape)))
    for number, card in enumerate(held):
        times = [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "00:00", "to": "24:00"}]
        times.append({"days": ["sat", "sun"], "from": "00:00", "to": "24:00"})
        spec = {"credentials": [{"kind": CARD, "token": card}], "weekly": times, "classes": ["standard"]}
        yield "issue_pass", {"name": f"pass-{number}", "actor": "bench", **spec}
    for group in range(GROUPS):
        members = [{"kind": CARD, "token": card} for card in held[group * 2 :: GROUPS * 2]]
        spec = {"limit": 1000, "over": "casual", "add": members[:1000]}
        yield "set_group", {"name": f"tenant-{group}", "actor": "bench", **spec}
    for number in range(RESERVED):
        times_ms = {"from_ms": now_ms + 43_200_000 + number * 60_000, "to_ms": now_ms + 86_400_000}
        yield "reserve", {"kind": CARD, "token": b"guest-%d" % number, "actor": "bench", **times_ms}
    hold = {"area": LOT, "places": 100}
    event = {"from_ms": now_ms, "to_ms": now_ms + 86_400_000, "holds": [hold]}
    yield "plan_event", {"name": "fair", "actor": "bench", **event}


def give(server: Server, wanted: Iterator[Order]) -> int:
    """Have the engine carry these orders out, in any order; how many. Raises ServerFailed on a refusal."""
    return trio.run(_give, server.port, wanted)


async def _give(port: int, wanted: Iterator[Order]) -> int:
    count = 0
    slots = trio.CapacityLimiter(AT_ONCE)
    async with trio.open_nursery() as nursery:
        identity = Identity(m.SERVICE, SERVICE, bytes.fromhex(KEY_HEX))
        client = await connect(nursery, lambda: trio.open_tcp_stream("127.0.0.1", port), identity)
        async with trio.open_nursery() as under_way:
            for name, args in wanted:
                count += 1
                await slots.acquire_on_behalf_of(count)
                under_way.start_soon(_order, client, name, args, _freeing(slots, count))
        await client.aclose()
        nursery.cancel_scope.cancel()
    return count


def _freeing(slots: trio.CapacityLimiter, number: int) -> Callable[[], None]:
    return lambda: slots.release_on_behalf_of(number)


async def _order(client: Client, name: str, args: dict[str, Any], done: Callable[[], None]) -> None:
    outcome = await client.ask(m.CommandMessage(secrets.token_bytes(16), LOT, name, args))
    done()
    if not isinstance(outcome, m.Outcome) or not outcome.ok:
        raise ServerFailed(f"the engine refused {name} {args}: {outcome}")
