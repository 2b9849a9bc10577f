"""Long random lives of a lot with passes and groups, against what the records themselves add up to."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from liftgate.codecs import codes
from liftgate.engine.core import state
from tests.engine.core.lots import CARD, Yard, area, block, lane_spec, lot_spec

TOKENS = [b"a", b"b", b"c", b"d", b"e"]
LANES = (
    lane_spec(0, "entry", confirm=True),
    lane_spec(1, "exit", confirm=True),
    lane_spec(2, "entry", "vip", confirm=True),
    lane_spec(3, "exit", "vip"),
    lane_spec(4, "entry"),
    lane_spec(5, "both"),
)
MINUTE = 60_000


class Walk:
    """One life. uses: entries by each pass that took effect, as the moves of stays tell them."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)
        self.yard = Yard(
            lot_spec(area("north", None, block("P1", "A", 6)), area("vip", "north", block("P0", "V", 3))),
            r=LANES,
        )
        self.yard.careful = False
        self.set_rules()

    def set_rules(self) -> None:
        rules = {"outside": self.draw.choice(["refuse", "casual"]), "keep_s": 3600}
        assert self.yard.order("set_rules", rules={"entitlements": rules}, actor="eve")[0]

    def some(self, most: int) -> list[dict[str, Any]]:
        picked = self.draw.sample(TOKENS, self.draw.randint(1, most))
        return [{"kind": CARD, "token": token} for token in picked]

    def order(self) -> None:
        draw = self.draw
        name = draw.choice(["p", "q"])
        until = draw.choice([None, self.yard.now_ms + draw.randint(1, 90) * MINUTE])
        terms = {"credentials": self.some(3), "uses": draw.choice([None, 1, 2]), "valid_until": until}
        group = {"limit": draw.choice([None, 1, 2]), "areas": draw.choice([{}, {"vip": 1}])}
        over = draw.choice(["refuse", "casual"])
        args = draw.choice(
            [
                ("issue_pass", {"name": name, **terms}),
                ("change_pass", {"name": name, **dict(draw.sample(sorted(terms.items()), 2))}),
                ("revoke_pass", {"name": name}),
                ("set_group", {"name": name, "add": self.some(4), "over": over, **group}),
                ("set_group", {"name": name, "remove": self.some(1)}),
                ("remove_group", {"name": name}),
            ]
        )
        self.yard.order(args[0], actor="eve", **args[1])

    def step(self) -> None:
        draw, yard = self.draw, self.yard
        yard.now_ms += draw.choice([0, 1000, 20_000, MINUTE])
        lane, token = draw.randrange(len(LANES)), draw.choice(TOKENS)
        what = draw.choices(
            ["scan", "passage", "history", "tick", "order", "reset", "rules"], [40, 25, 4, 8, 12, 3, 1]
        )[0]
        if what == "scan":
            self.scan(lane, token)
        elif what == "passage":
            waiting = [None, *yard.lot.moving, *yard.lot.lapsed]
            yard.passage(lane, draw.choice([1, 1, 1, 2]), draw.choice(waiting))
        elif what == "history":
            yard.history(lane, 0x10, CARD, token, verdict=1)
        elif what == "tick":
            yard.tick()
        elif what == "order":
            self.order()
        elif what == "reset":
            yard.order("reset_passback", kind=CARD, token=token, actor="eve")
        else:
            self.set_rules()

    def scan(self, lane: int, token: bytes) -> None:
        event = self.yard.scan(lane, token)
        group = event.marks.get("group")
        if event.verdict == codes.OPEN and group is not None:
            limit = self.yard.lot.parts["entitlements"].groups[group].limit
            assert limit is None or self.counted(group) <= limit, "an entry went beyond the allotment"
        name = event.marks.get("pass")
        if event.verdict == codes.OPEN and name is not None:
            found = self.yard.lot.parts["entitlements"].passes[name]
            assert found.uses is None or found.left(self.yard.lot, b"") >= 0, "promised more than is left"

    def counted(self, group: str) -> int:
        stays = self.yard.lot.stays.values()
        return sum(1 for stay in stays if (stay.notes or {}).get("entitlements", {}).get("group") == group)

    def look(self) -> None:
        """What the groups count is what the stays say; what is promised is before a barrier."""
        lot = self.yard.lot
        part = lot.parts["entitlements"]
        for name, group in part.groups.items():
            assert group.use(lot) == self.counted(name)
        loaded = state.load(state.dump(lot)).parts["entitlements"]
        for name, found in part.passes.items():
            assert found.left(lot, b"") == loaded.passes[name].left(loaded.lot, b"")
        for name, group in part.groups.items():
            twin = loaded.groups[name]
            assert [group.use_of(lot, each) for each in group.areas] == [
                twin.use_of(loaded.lot, each) for each in twin.areas
            ]
            for token in TOKENS:
                credential = b"\2" + token
                assert group.is_full(lot, credential) == twin.is_full(loaded.lot, credential)
        holds = {key: [each.spec.name for each in holder.passes] for key, holder in part.holders.items()}
        assert holds == {
            key: [each.spec.name for each in holder.passes] for key, holder in loaded.holders.items()
        }
        assert part.next_ms == loaded.next_ms


@pytest.mark.parametrize("seed", range(12))
def test_a_random_life_adds_up_and_replays(seed: int) -> None:
    """Groups count what the stays say, no entry goes beyond an allotment or a use, and log, snapshot and
    memory agree in what they decide next.
    """
    walk = Walk(seed)
    for number in range(150):
        walk.step()
        if number % 5 == 0:
            walk.look()
    walk.yard.check()
