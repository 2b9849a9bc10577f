"""Tickets and tags: a good day passes, and each thing that must not happen is found."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.sim.world.audit.auditor import Auditor
from liftgate.sim.world.audit.once import Once
from liftgate.sim.world.audit.reasons import Reasons
from liftgate.sim.world.audit.tickets import Tickets
from tests.sim.world.audit.streams import (
    A1,
    A2,
    IN,
    LOT,
    LOT_SET,
    ONE,
    OUT,
    READER,
    READER_SET,
    START_MS,
    TWO,
    Stream,
    lane_specs,
    spec,
)

QR, TAG = 1, 3
CTI, UID = b"ticket-1", b"\x04tag-no"
TICKET, WORD = b"LG1:TICKET", b"what the tag said"
START_S = START_MS // 1000


def day_with(**said: Any) -> Stream:
    """A lot with tickets and tags, and one ticket and one tag's word that somebody made."""
    day = Stream(configured=False)
    day.audit = Auditor(day.shape, lambda: day.at_ms, (Once, Tickets, Reasons))
    rules = {"tickets": {"keys": [], "tags": {"keys": ["t1"]}}}
    lot = spec(day.shape.made.lots[0]) | {"rules": rules}
    day.write([LOT_SET, lot], [READER_SET, READER, lane_specs()])
    claims = (said.get("lot", LOT), START_S + said.get("begins", 0), START_S + 60, said.get("once", True))
    day.audit.genuine(LOT, TICKET, CTI, claims, None)
    day.audit.genuine(LOT, WORD, UID, None, 7)
    return day


def show(
    day: Stream, token: bytes, lane: int = IN, *more: Any, name: bytes | None = None, **other: Any
) -> None:
    """A scan that is recorded under this name, as if it was proven."""
    kind = TAG if token == WORD else QR
    proven = {TICKET: CTI, WORD: UID}.get(token, token)
    day.scan(token, lane, *more, kind=kind, token=proven if name is None else name, **other)


def test_a_good_day() -> None:
    """A ticket and a tag come in; copies of both, and what nobody made, are refused; both leave."""
    day = day_with()
    show(day, TICKET, IN, A1, ONE)
    show(day, TICKET, IN, reason=204)
    show(day, WORD, IN, A2, TWO)
    show(day, WORD, OUT, reason=204)
    show(day, b"LG1:FORGED", reason=203)
    show(day, TICKET, OUT, None, ONE)
    day.at_ms += 60_000
    assert day.kinds == []


def test_a_ticket_that_opens_for_a_second_stay() -> None:
    """Its car left, and a copy comes in."""
    day = day_with()
    show(day, TICKET, IN, A1, ONE)
    show(day, TICKET, OUT, None, ONE)
    show(day, TICKET, IN, A1, TWO)
    assert day.kinds[0] == "ticket twice"


def test_a_counter_that_goes_back() -> None:
    """The same word of a tag opens twice."""
    day = day_with()
    show(day, WORD, IN, A1, ONE)
    show(day, WORD, OUT, None, ONE)
    assert day.kinds[0] == "counter back"


def test_what_nobody_made() -> None:
    """It opens nothing, and is recorded as it was scanned."""
    day = day_with()
    show(day, b"LG1:FORGED", IN, A1, ONE)
    assert day.kinds == ["wrongly opened"]
    day = day_with()
    show(day, b"LG1:FORGED", name=CTI, reason=203)
    assert "told otherwise" in day.kinds


def test_a_proven_ticket_that_stands_under_its_token() -> None:
    """Its name on record is its cti."""
    day = day_with()
    show(day, TICKET, IN, A1, ONE, name=TICKET)
    assert "told otherwise" in day.kinds


@pytest.mark.parametrize(
    ("said", "after_ms", "reason"),
    [({"lot": "elsewhere"}, 0, 200), ({"begins": 1}, 0, 202), ({}, 60_000, 202), ({}, 59_999, 0)],
)
def test_a_ticket_is_for_its_lot_and_time(said: dict[str, Any], after_ms: int, reason: int) -> None:
    """Refused for what is true, it is right; opened all the same, it is found; and the other way round."""
    for refused in (True, False):
        day = day_with(**said)
        day.at_ms += after_ms
        if refused:
            show(day, TICKET, reason=reason or 202)
        else:
            show(day, TICKET, IN, A1, ONE)
        wrong = refused != bool(reason)
        assert day.kinds == ([] if not wrong else ["wrongly refused" if refused else "wrongly opened"])


def test_a_genuine_ticket_refused_as_forged() -> None:
    """203 is not true of it."""
    day = day_with()
    show(day, TICKET, name=TICKET, reason=203)
    assert day.kinds
