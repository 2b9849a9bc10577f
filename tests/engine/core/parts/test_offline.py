"""Readers that decide alone: what they may, and what is found when they tell of it."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest

from liftgate.codecs.events.lanes import AloneReported
from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core import commands as c
from liftgate.engine.core import state
from liftgate.engine.core.events import HistoryRecorded
from liftgate.engine.core.parts.offline import TOO_LONG, TOO_MANY, cards_of, policy_of
from tests.engine.core.lots import CARD, IN_AND_OUT, NOON, PLATE, QR, Yard, area, block, lane_spec, lot_spec

SCAN, OPEN = 0x10, 1
HOUR = 3_600_000
NOBODY = (0, 0)


def yard_with(spots: int = 9, readers: Any = None, **rules: Any) -> Yard:
    spec = lot_spec(area("north", None, block("P1", "A", spots)))
    more = rules.pop("more", {})
    return Yard(
        spec | {"rules": {"offline": rules} | more}, **(readers or {"r": IN_AND_OUT, "s": IN_AND_OUT})
    )


def tell(
    yard: Yard,
    token: bytes,
    lane: int = 0,
    *,
    reader: str = "r",
    ago: int = 0,
    alone: int = HOUR,
    restarted: bool = False,
    kind: int = CARD,
) -> tuple[list[int], tuple[Any, ...]]:
    """An opening of `ago` ms ago, told by a reader last heard `alone` ms ago: what is found, and events."""
    numbering, no = yard.numbering(reader, 7), yard.next_no(reader, 7)
    at_ms, since_ms = yard.now_ms - ago, yard.now_ms - alone
    fields = (kind, token)
    events = yard.do(
        c.RecordHistory(
            yard.lane(reader, lane),
            numbering,
            no,
            at_ms,
            yard.now_ms,
            SCAN,
            OPEN,
            fields,
            alone_ms=since_ms,
            restarted=restarted,
        )
    )
    found = [event.finding for event in events if isinstance(event, HistoryRecorded) and event.finding]
    beside = [event.about["reason"] for event in events if isinstance(event, FindingMade)]
    return found + beside, events


# -- what is found


def test_a_lot_without_the_theme_records_as_before() -> None:
    """One event for an entry, and one finding."""
    yard = Yard()
    yard.scan(0)
    found, events = tell(yard, b"anna")
    assert found == [210] and len(events) == 1
    assert state_parts(yard) == {}


def state_parts(yard: Yard) -> dict[str, Any]:
    return dict(msgspec.msgpack.decode(state.dump(yard.lot), strict=False).get("parts", {}))


def test_a_double_entry_is_found() -> None:
    """Two lone readers let the same card in: the second entry is 210, and there is one car."""
    yard = yard_with()
    assert tell(yard, b"anna")[0] == []
    assert tell(yard, b"anna", reader="s")[0] == [210]
    assert yard.counts()[0] == 1
    yard.check()


def test_a_double_entry_into_a_full_lot_is_no_car_more() -> None:
    """The stay before gives way: 210 alone, and the lot is as full as it was."""
    yard = yard_with(spots=1)
    assert tell(yard, b"anna")[0] == []
    assert tell(yard, b"anna", reader="s")[0] == [210]
    assert yard.counts() == (1, 0, 0)
    yard.check()


def test_an_exit_that_was_never_entered_is_found() -> None:
    """Nobody is locked in; that it came in unseen is 211."""
    yard = yard_with()
    assert tell(yard, b"anna", 1)[0] == [211]
    yard.check()


def test_cars_above_capacity_are_found() -> None:
    """Each car that found no room is 300."""
    yard = yard_with(spots=1)
    assert [tell(yard, token)[0] for token in (b"anna", b"bert", b"carl")] == [[], [300], [300]]
    assert yard.counts() == (3, 0, -2)
    yard.check()


def test_who_was_denied_meanwhile_is_found() -> None:
    """The reader could not know: 201."""
    yard = yard_with()
    yard.order("deny_credential", kind=CARD, token=b"anna", actor="eve", reason="unpaid")
    assert tell(yard, b"anna")[0] == [201]
    yard.check()


def test_a_code_that_two_lone_readers_took_is_found() -> None:
    """Its second use is 204, whichever reader tells first; that it is inside already is found beside it."""
    yard = yard_with(more={"entitlements": {}})
    code = {"kind": QR, "token": b"code"}
    assert yard.order("issue_pass", name="one", credentials=[code], uses=1, actor="eve")[0]
    assert tell(yard, b"code", kind=QR)[0] == []
    assert tell(yard, b"code", reader="s", kind=QR)[0] == [204, 210]
    yard.check()


def test_all_that_is_wrong_with_an_entry_is_found() -> None:
    """The first reason is the entry's own, as always; the others are findings beside it."""
    yard = yard_with(spots=1, entries=0)
    yard.scan(0, b"bert")
    yard.order("deny_credential", kind=CARD, token=b"anna", actor="eve")
    found, events = tell(yard, b"anna")
    assert found == [201, 300, TOO_MANY]
    beside = [event for event in events if isinstance(event, FindingMade)]
    assert {event.kind for event in beside} == {"alone"}
    assert beside[0].about == {"reader": "r", "lane": 0, "boot": 7, "no": 2, "reason": 300}
    assert beside[0].text == "a car that r let through alone came in above capacity"
    yard.check()


def test_more_entries_than_allowed_are_found() -> None:
    """The limit counts openings at entries of one time alone; exits are everybody's."""
    yard = yard_with(entries=2)
    assert [tell(yard, token)[0] for token in (b"a", b"b", b"c")] == [[], [], [TOO_MANY]]
    assert tell(yard, b"a", 1)[0] == []
    assert tell(yard, b"d", reader="s")[0] == []
    yard.check()


def test_each_time_alone_has_its_own_count() -> None:
    """A reader that was connected in between begins anew, and the journal says when."""
    yard = yard_with(entries=1)
    _, events = tell(yard, b"a")
    assert events[0] == AloneReported("north", events[0].seq, NOON, "r", NOON - HOUR)
    yard.now_ms += 5 * HOUR
    found, events = tell(yard, b"b", ago=HOUR, alone=2 * HOUR)
    assert found == [] and isinstance(events[0], AloneReported)
    assert tell(yard, b"c", ago=HOUR, alone=2 * HOUR)[0] == [TOO_MANY]
    yard.check()


def test_a_backlog_that_was_cut_goes_on_with_its_count() -> None:
    """What is told over the next connection happened before that one: the same time alone."""
    yard = yard_with(entries=1)
    assert tell(yard, b"a", ago=HOUR, alone=2 * HOUR)[0] == []
    yard.now_ms += 30_000
    assert tell(yard, b"b", ago=HOUR, alone=20_000)[0] == [TOO_MANY]
    yard.check()


def test_an_opening_after_too_many_hours_is_found() -> None:
    """The hours count from when the reader was last heard."""
    yard = yard_with(hours=2)
    assert tell(yard, b"a", ago=HOUR, alone=3 * HOUR)[0] == []
    assert tell(yard, b"b", ago=HOUR - 1, alone=3 * HOUR)[0] == [TOO_LONG]
    yard.check()


def test_after_a_restart_the_hours_count_from_the_first_entry() -> None:
    """Until when the reader was connected nobody knows any more: no limit is said to be exceeded by guess."""
    yard = yard_with(hours=2)
    assert tell(yard, b"a", ago=5 * HOUR, alone=12 * HOUR, restarted=True)[0] == []
    assert tell(yard, b"b", ago=3 * HOUR, alone=12 * HOUR, restarted=True)[0] == []
    assert tell(yard, b"c", ago=2 * HOUR, alone=12 * HOUR, restarted=True)[0] == [TOO_LONG]
    yard.check()


def test_rules_that_go_and_come_back_begin_anew() -> None:
    """What was counted under the rules before is nobody's business now; snapshots agree all the way."""
    yard = yard_with(entries=1)
    tell(yard, b"a")
    yard.order("set_rules", rules={"offline": None}, actor="eve")
    assert tell(yard, b"b")[0] == []
    yard.check()
    yard.order("set_rules", rules={"offline": {"entries": 1}}, actor="eve")
    assert tell(yard, b"c")[0] == []
    assert tell(yard, b"d")[0] == [TOO_MANY]
    yard.check()


# -- POLICY


def known_of(yard: Yard, cards: str = "known", room: int = 4096) -> tuple[bytes, ...]:
    known: tuple[bytes, ...] = policy_of(yard.lot, cards, yard.now_ms, room).offline["known"]
    return known


def short(*credentials: bytes) -> tuple[bytes, ...]:
    return tuple(hashlib.sha256(each).digest()[:8] for each in credentials)


def register(yard: Yard, *credentials: bytes) -> None:
    for each in credentials:
        assert yard.order("register_credential", kind=each[0], token=each[1:], actor="eve")[0]


ANNA, BERT, CODE = b"\x02anna", b"\x02bert", b"\x01code"


def test_a_policy_names_who_is_denied_and_who_is_known() -> None:
    """By SHA-256 of the kind byte and the identity, of known ones the first 8 bytes; the latest first."""
    yard = yard_with(hours=5, entries=7)
    register(yard, ANNA, BERT)
    yard.order("deny_credential", kind=PLATE, token=b"BAD1", actor="eve")
    body = policy_of(yard.lot, "known", NOON, 4096)
    assert body.verify_keys == () and body.left_out == NOBODY
    assert body.deny == (hashlib.sha256(b"\x04BAD1").digest(),)
    assert body.offline == {
        "hours": 5,
        "entries": 7,
        "lot": "north",
        "cards": "known",
        "known": short(BERT, ANNA),
    }


def test_a_denied_credential_is_never_among_the_known() -> None:
    """A reader need not look twice."""
    yard = yard_with()
    register(yard, ANNA, BERT)
    yard.order("deny_credential", kind=CARD, token=b"anna", actor="eve")
    assert known_of(yard) == short(BERT)


def test_holders_of_passes_and_members_of_groups_are_known() -> None:
    """Those whose pass is good at any time while the reader may be alone."""
    yard = yard_with(hours=8, more={"entitlements": {}})
    begins = {"anna": 0, "bert": NOON + HOUR, "carl": NOON + 9 * HOUR}
    for name, begin in begins.items():
        spec = {"credentials": [{"kind": CARD, "token": name.encode()}], "valid_from": begin or None}
        assert yard.order("issue_pass", name=name, actor="eve", **spec)[0]
    group = [{"kind": CARD, "token": b"dora"}]
    assert yard.order("set_group", name="firm", limit=3, add=group, actor="eve")[0]
    assert set(known_of(yard)) == set(short(ANNA, BERT, b"\x02dora"))


def test_where_any_card_opens_codes_are_named_first() -> None:
    """A code is good where it is registered, whatever cards are; a card is looked for in mode 5 only."""
    yard = yard_with(cards="lane")
    register(yard, CODE, ANNA)
    assert known_of(yard, "known") == short(ANNA, CODE)
    assert known_of(yard, "open") == short(CODE, ANNA)
    assert known_of(yard, "off") == ()


@pytest.mark.parametrize("room", [200, 300, 1024, 4096])
def test_what_does_not_fit_is_left_out_from_the_end(room: int) -> None:
    """The deny list goes before the known, and of each the latest; what is left out is counted."""
    yard = yard_with()
    yard.careful = False
    names = [b"\x02%d" % number for number in range(60)]
    register(yard, *names)
    denied = [b"bad%d" % number for number in range(60)]
    for token in denied:
        yard.order("deny_credential", kind=CARD, token=token, actor="eve")
    body = policy_of(yard.lot, "known", NOON, room)
    size = len(msgspec.msgpack.encode([body.verify_keys, body.deny, body.offline]))
    assert size <= room
    kept = [hashlib.sha256(b"\x02" + token).digest() for token in reversed(denied)]
    assert body.deny == tuple(kept[: len(body.deny)])
    assert body.offline["known"] == short(*reversed(names))[: len(body.offline["known"])]
    assert body.left_out == (60 - len(body.deny), 60 - len(body.offline["known"]))
    assert len(body.deny) == 60 or not body.offline["known"] or room - size < 34


def test_bounds_of_the_rules_hold_where_the_frame_has_room() -> None:
    """known_max and deny_max."""
    yard = yard_with(known_max=1, deny_max=0)
    register(yard, ANNA, BERT)
    yard.order("deny_credential", kind=CARD, token=b"eve", actor="eve")
    body = policy_of(yard.lot, "known", NOON, 65_536)
    assert (body.deny, body.offline["known"], body.left_out) == ((), short(BERT), (1, 1))


@pytest.mark.parametrize("rules", [None, {"hours": 0}])
def test_a_reader_that_may_decide_nothing_is_told_no_more(rules: Any) -> None:
    """Without rules, or with no hours: no keys, no names."""
    yard = yard_with()
    register(yard, ANNA)
    yard.order("set_rules", rules={"offline": rules}, actor="eve")
    assert policy_of(yard.lot, "known", NOON, 4096)[:3] == ((), (), {"hours": 0})


@pytest.mark.parametrize(
    ("cards", "lanes", "expected"),
    [
        ("lane", (("entry", "open"), ("exit", "off")), "open"),
        ("lane", (("entry", "open"), ("both", "known")), "known"),
        ("lane", (("entry", "open"), ("entry", "off")), "off"),
        ("lane", (("exit", "open"),), "off"),
        ("known", (("entry", "open"),), "known"),
        ("off", (("entry", "open"),), "off"),
    ],
)
def test_cards_are_taken_as_the_strictest_of_the_entries(
    cards: str, lanes: tuple[tuple[str, str], ...], expected: str
) -> None:
    """Or as the lot's rules say."""
    specs = tuple(lane_spec(n, direction, cards=policy) for n, (direction, policy) in enumerate(lanes))
    yard = yard_with(readers={"r": specs}, cards=cards)
    assert cards_of(yard.lot, yard.lot.readers["r"]) == expected


def test_another_time_alone_begins_later_than_the_one_before() -> None:
    """After a restart all that is known of it is its first entry, which may be no later: it goes on then."""
    part = yard_with().lot.parts["offline"]
    part.periods["r"] = (NOON, 3)
    assert part.begins("r", NOON, NOON + 5_000, True) == 0
    assert part.begins("r", NOON + 1, NOON + 5_000, True) == NOON + 1
    assert part.begins("r", NOON + 9_000, NOON + 5_000, False) == NOON + 5_000
