"""Random lives of a lot with anti-passback, doubt and identity: what must hold whatever happens."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from tests.engine.core.lots import CARD, PLATE, Yard, area, block, lane_spec, lot_spec

NAMES = [bytes((65 + number,)) for number in range(7)]
WAYS = (("entry", "north"), ("exit", "north"), ("entry", "vip"), ("exit", "vip"), ("both", "north"))
MODES = ("hard", "soft", "timed")


def yard_of(rng: Random) -> Yard:
    spec = lot_spec(area("north", None, block("P1", "A", 6)), area("vip", "north", block("P0", "V", 3)))
    passback = {
        "mode": rng.choice(MODES),
        "areas": {"vip": rng.choice(MODES)},
        "doubt": [cause for cause in ("held_open", "forced", "followed") if rng.random() < 0.7],
        "doubt_s": rng.choice((60, 3600)),
        "within_s": 60,
    }
    identity = {
        "plates": rng.choice(("witness", "credential")),
        "mismatch": rng.choice(("finding", "refuse")),
        "close_after_s": rng.choice((0, 3600)),
    }
    if rng.random() < 0.6:
        identity["exit_without_entry"] = rng.choice(("refuse", "open", "stay"))
    spec["rules"] = {"passback": passback, "identity": identity, "ledger": {}}
    lanes = [lane_spec(n, way, at, confirm=rng.random() < 0.5) for n, (way, at) in enumerate(WAYS)]
    yard = Yard(spec, r=tuple(lanes))
    yard.careful = rng.random() < 0.2
    return yard


def card(rng: Random) -> dict[str, Any]:
    return {"kind": CARD, "token": rng.choice(NAMES)}


def step(yard: Yard, rng: Random) -> None:
    lane, name, lot = rng.randrange(5), rng.choice(NAMES), yard.lot
    kind = rng.randrange(12)
    if kind < 5:
        if rng.random() < 0.3:
            yard.scan(lane, rng.choice((b"AB1", b"A81", b"XYZ9")), kind=PLATE)
        yard.scan(lane, name)
    elif kind < 7:
        session = next(iter(lot.moving), None) if rng.random() < 0.7 else None
        yard.passage(lane, rng.choice((1, 1, 2, 3, 4)), session)
    elif kind == 7:
        yard.history(lane, 0x10, CARD, name, verdict=rng.choice((1, 2)), at_ms=yard.now_ms - 5_000)
    elif kind == 8:
        yard.order("set_lane", reader="r", lane=lane, mode=rng.choice((1, 2)), actor="jo")
    elif kind == 9:
        yard.tick(rng.choice((250, 30_000, 130_000, 2_000_000)))
    else:
        order(yard, rng)


def order(yard: Yard, rng: Random) -> None:
    who: dict[str, Any] = {"actor": "jo"}
    kind = rng.randrange(7)
    if kind == 0:
        yard.order("swap_credential", before=card(rng), after=card(rng), **who)
    elif kind == 1:
        more = {"replacement": card(rng)} if rng.random() < 0.7 else {}
        yard.order("lost_ticket", credential=card(rng), cause="lost", **more, **who)
    elif kind == 2:
        past = {"entered_at_ms": yard.now_ms - 5_000_000, "create": True}
        yard.order("lost_ticket", **past, replacement=card(rng), cause="lost", **who)
    elif kind == 3:
        yard.order("close_stay", **card(rng), **who)
    elif kind == 4:
        yard.order("reset_passbacks", **rng.choice(({"whole": True}, {"credentials": [card(rng)]})), **who)
    elif kind == 5:
        yard.order("correct_count", area="north", to=rng.randrange(5), reason="counted", **who)
    else:
        yard.order("allow_credential", **card(rng), **who)


def holds(yard: Yard) -> None:
    lot = yard.lot
    for place in lot.areas.values():
        inside = sum(stay.area is place for stay in lot.stays.values())
        assert place.inside == inside
        assert place.tally.sum() == place.inside + place.adrift, place.id
    spots = [stay.spot_name() for stay in lot.stays.values() if stay.spot_name() is not None]
    assert len(spots) == len(set(spots)), "a spot twice"
    assert all(stay.credential == name for name, stay in lot.stays.items())
    assert all(found[0] >= 0 and found[1] >= 0 for found in lot.parts["passback"].unnamed.values())


@pytest.mark.parametrize("seed", range(60))
def test_a_random_life_keeps_its_count_and_replays(seed: int) -> None:
    """Every area's count is its ledger's sum, no spot is given twice, and log and snapshot give the state."""
    rng = Random(seed)
    yard = yard_of(rng)
    for _ in range(120):
        yard.now_ms += rng.choice((0, 500, 20_000))
        step(yard, rng)
        holds(yard)
    yard.check()
