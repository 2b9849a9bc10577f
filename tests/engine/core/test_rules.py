"""Each rule with its reason, and the trace that tells why."""

from __future__ import annotations

import pytest

from tests.engine.core.lots import CARD, NTAG, PLATE, QR, Yard, area, block, lane_spec, lot_spec

REFUSED, OPEN = 2, 1
VIP = lot_spec(
    area("north", None, block("P1", "A", 3)),
    area("vip", "north", block("P0", "V", 2, "permit")),
)
VIP_LANES = {
    "r": (lane_spec(0, "entry"), lane_spec(1, "exit")),
    "v": (lane_spec(0, "entry", "vip"), lane_spec(1, "exit", "vip")),
}


def registered(yard: Yard, token: bytes, *classes: str) -> None:
    assert yard.order("register_credential", kind=CARD, token=token, actor="jo", classes=list(classes))[0]


# mode: (reason at the entry, reason at the exit)
MODES = {1: (0, 0), 2: (0, 0), 3: (100, 0), 4: (100, 100), 5: (200, 0)}


@pytest.mark.parametrize("mode", MODES)
def test_a_lane_mode_closes_the_ways_it_says(mode: int) -> None:
    """Mode 3 keeps cars out and lets them leave, 4 does neither, 5 lets in who is registered."""
    yard = Yard()
    yard.scan(0, b"inside")
    for lane in (0, 1):
        assert yard.order("set_lane", reader="r", lane=lane, mode=mode, actor="jo")[0]
    assert (yard.scan(0, b"new").reason, yard.scan(1, b"inside").reason) == MODES[mode]


def test_a_closed_lane_says_so_in_its_trace() -> None:
    """The trace of the first rule that objects ends it."""
    yard = Yard()
    yard.order("set_lane", reader="r", lane=0, mode=3, actor="jo")
    assert yard.scan(0).trace == ("lane: lane 0 of r is closed", "reason 100")


def test_mode_5_opens_to_a_registered_credential() -> None:
    """Registration is what mode 5 asks for."""
    yard = Yard()
    yard.order("set_lane", reader="r", lane=0, mode=5, actor="jo")
    registered(yard, b"anna", "standard")
    assert yard.scan(0, b"anna").verdict == OPEN


@pytest.mark.parametrize(
    ("kind", "policy", "reason"),
    [
        (QR, {"codes": "known"}, 200),
        (QR, {"codes": "off"}, 101),
        (CARD, {"cards": "open"}, 0),
        (CARD, {"cards": "known"}, 200),
        (CARD, {"cards": "off"}, 101),
        (NTAG, {}, 101),
        (PLATE, {"plates": "open"}, 0),
        (PLATE, {"plates": "off"}, 101),
    ],
)
def test_a_lane_takes_the_kinds_that_its_policy_names(kind: int, policy: dict[str, str], reason: int) -> None:
    """ "open" takes any, "known" the registered, "off" none."""
    yard = Yard(r=(lane_spec(0, "entry", **policy),))  # type: ignore[arg-type]
    event = yard.scan(0, kind=kind)
    assert (event.reason, event.verdict) == (reason, REFUSED if reason else OPEN)


def test_the_kinds_rule_says_which_kind_and_policy() -> None:
    """Why a kind isn't taken, in words."""
    yard = Yard(r=(lane_spec(0, "entry", cards="off"),))
    assert yard.scan(0).trace[-2:] == ("kind: card: this lane's policy is off", "reason 101")


def test_an_unknown_credential_is_told_that_registration_is_needed() -> None:
    """Reason 200, and the rules before it in order."""
    yard = Yard(r=(lane_spec(0, "entry", cards="known"),))
    assert yard.scan(0).trace == (
        "lane: lane 0 of r is normal",
        "kind: card: this lane's policy is known",
        "deny list: not on the deny list",
        "known: not registered; registration is needed here",
        "reason 200",
    )


def test_the_deny_list_keeps_out_and_lets_go() -> None:
    """Reason 201 at the entry with the reason given; the exit opens; allowed again, the entry opens too."""
    yard = Yard()
    yard.scan(0)
    denied = {"kind": CARD, "token": b"anna", "actor": "jo", "reason": "stolen"}
    assert yard.order("deny_credential", **denied) == (True, "", {"inside": True})
    assert yard.scan(1).verdict == OPEN
    event = yard.scan(0)
    assert (event.reason, event.trace[-2]) == (201, "deny list: on the deny list: stolen")
    yard.order("allow_credential", **denied)
    assert yard.scan(0).verdict == OPEN


def test_the_deny_list_knows_kinds_apart() -> None:
    """The same bytes on a plate are another credential."""
    yard = Yard()
    yard.order("deny_credential", kind=PLATE, token=b"anna", actor="jo")
    assert yard.scan(0, kind=CARD).verdict == OPEN


def test_a_car_inside_cannot_enter_again() -> None:
    """Anti-passback: reason 210 names where the car is."""
    yard = Yard()
    entered = yard.scan(0)
    event = yard.scan(0)
    assert (event.reason, event.session) == (210, entered.session)
    assert event.trace[-2] == f"anti-passback: inside north, entered at {entered.at_ms}"


def test_a_car_that_never_came_cannot_leave() -> None:
    """Reason 211 without a session."""
    event = Yard().scan(1)
    assert (event.reason, event.session) == (211, None)
    assert event.trace[-2:] == ("anti-passback: no open stay", "reason 211")


def test_a_car_before_the_barrier_is_not_inside_yet() -> None:
    """Who was promised entry and did not pass cannot leave."""
    yard = Yard(r=(lane_spec(0, "entry", confirm=True), lane_spec(1, "exit")))
    opened = yard.scan(0)
    event = yard.scan(1)
    assert event.trace[-2:] == (f"anti-passback: before the barrier since {opened.at_ms}", "reason 211")


def test_an_inner_area_is_entered_from_inside_only() -> None:
    """From the street reason 211, from the outer area open, from within 210."""
    yard = Yard(VIP, **VIP_LANES)
    registered(yard, b"anna", "permit", "standard")
    assert yard.scan(0, reader="v").reason == 211
    yard.scan(0)
    assert yard.scan(0, reader="v").spot == "P0-V-001"
    assert yard.scan(0, reader="v").reason == 210
    assert yard.scan(0).reason == 210
    assert [a.inside for a in yard.lot.areas.values()] == [0, 1]


def test_leaving_the_outer_area_leaves_the_inner_one() -> None:
    """Many inner areas have no reader on their way out."""
    yard = Yard(VIP, **VIP_LANES)
    registered(yard, b"anna", "permit", "standard")
    yard.scan(0)
    yard.scan(0, reader="v")
    assert yard.scan(1).verdict == OPEN
    assert yard.counts() == (0, 0, 5)
    assert yard.lot.stays == {}


def test_leaving_the_inner_area_goes_back_to_the_outer_one() -> None:
    """The stay goes on, without a spot."""
    yard = Yard(VIP, **VIP_LANES)
    registered(yard, b"anna", "permit", "standard")
    entered = yard.scan(0)
    yard.scan(0, reader="v")
    assert yard.scan(1, reader="v").session == entered.session
    assert [a.inside for a in yard.lot.areas.values()] == [1, 0]
    assert yard.scan(1, reader="v").reason == 211


def test_a_full_lot_refuses_and_says_how_full() -> None:
    """Reason 300 with capacity, occupancy and what was looked for."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1))))
    yard.scan(0, b"first")
    event = yard.scan(0)
    assert event.reason == 300
    assert event.trace[-2] == "space: area north: capacity 1, occupancy 1, held 0; looked for standard"


def test_a_promise_out_of_an_inner_area_is_no_place_in_the_outer_one() -> None:
    """Who is let out of it, and scans at the outer entry before passing, does not enter a full lot."""
    spec = lot_spec(area("north", None, block("P1", "A", 1)), area("vip", "north", block("P0", "V", 1)))
    inner = (lane_spec(0, "entry", "vip"), lane_spec(1, "exit", "vip", confirm=True))
    yard = Yard(spec, r=(lane_spec(0, "entry"), lane_spec(1, "exit")), v=inner)
    yard.scan(0, b"anna")
    yard.scan(0, b"anna", reader="v")
    yard.scan(0, b"otto")
    assert yard.scan(1, b"anna", reader="v").verdict == OPEN
    yard.order("reset_passback", kind=CARD, token=b"anna", actor="jo")
    assert yard.scan(0, b"anna").reason == 300


def test_a_class_that_is_full_is_another_reason() -> None:
    """Room, but not of a class that the credential may use: reason 301."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1), block("P1", "W", 1, "accessible"))))
    yard.scan(0, b"first")
    assert yard.scan(0).reason == 301
    registered(yard, b"anna", "accessible")
    assert yard.scan(0).spot == "P1-W-001"


def test_registered_classes_are_tried_in_their_order() -> None:
    """The first class with room gives the spot."""
    blocks = (block("P1", "A", 3), block("P1", "C", 1, "charging"), block("P1", "F", 1, "family"))
    yard = Yard(lot_spec(area("north", None, *blocks)))
    for token in (b"a", b"b", b"c"):
        registered(yard, token, "family", "charging")
    assert [yard.scan(0, token).spot for token in (b"a", b"b")] == ["P1-F-001", "P1-C-001"]
    assert yard.scan(0, b"c").reason == 301


def test_cars_without_a_name_take_room_too() -> None:
    """A tailgater fills the last place, though no spot is taken by name."""
    yard = Yard(lot_spec(area("north", None, block("P1", "A", 1))))
    yard.passage(0, 3)
    assert yard.scan(0).reason == 300


class ByTheMinute:
    """A cent a minute."""

    def price_minor(self, entered_at_ms: int, left_at_ms: int) -> int:
        return (left_at_ms - entered_at_ms) // 60_000


def test_a_stay_is_paid_before_it_ends() -> None:
    """402 with the price; open once it is paid; 403 with the price when the time to leave has passed."""
    yard = Yard()
    yard.lot.tariff = ByTheMinute()
    yard.scan(0)
    yard.now_ms += 5 * 60_000
    event = yard.scan(1)
    assert (event.verdict, event.reason, event.price) == (3, 402, (5, "EUR"))
    assert event.trace[-2:] == ("payment: owed: 5 EUR (minor units)", "reason 402")
    (stay,) = yard.lot.stays.values()
    stay.paid_until_ms = yard.now_ms
    yard.now_ms += 1
    assert yard.scan(1).reason == 403
    assert yard.scan(0).price is None, "the next refusal has no price"
    stay.paid_until_ms = yard.now_ms
    event = yard.scan(1)
    assert (event.verdict, event.price) == (1, None)


def test_nothing_owed_opens() -> None:
    """A price of 0 is no reason to pay."""
    yard = Yard()
    yard.lot.tariff = ByTheMinute()
    yard.scan(0)
    assert yard.scan(1).verdict == OPEN


def test_an_inner_area_asks_for_no_money() -> None:
    """The stay is paid where it ends: at the outermost exit."""
    yard = Yard(VIP, **VIP_LANES)
    yard.lot.tariff = ByTheMinute()
    registered(yard, b"anna", "permit", "standard")
    yard.scan(0)
    yard.scan(0, reader="v")
    yard.now_ms += 3_600_000
    assert yard.scan(1, reader="v").verdict == OPEN
    assert yard.scan(1).reason == 402
