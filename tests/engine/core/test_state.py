"""Snapshots: the whole state in bytes and back, the same bytes for the same state."""

from __future__ import annotations

import msgspec
import pytest

from liftgate.codecs.events.operators import MoveLapsed
from liftgate.codecs.unpack import Unpacker
from liftgate.engine.core import state
from liftgate.engine.core.apply import apply
from liftgate.engine.core.events import unpack
from liftgate.engine.core.model import Lot
from liftgate.engine.core.names import BrokenState
from tests.engine.core.lots import CONFIRMED, NOON, Yard, packed
from tests.engine.core.test_events import eventful_yard


def test_a_restored_lot_goes_on_where_it_was() -> None:
    """With what was denied, known, forgiven, ordered, answered and promised, in the same order."""
    yard = eventful_yard()
    yard.lot = state.load(state.dump(yard.lot))
    yard.check()
    assert yard.tick(120_000)
    assert yard.scan(0, no=1).session is not None
    yard.check()


def test_an_empty_lot_has_a_snapshot_too() -> None:
    """Before its first configuration."""
    dump = state.dump(Lot("north"))
    assert state.dump(state.load(dump)) == dump


def test_another_format_is_refused() -> None:
    """By its number, before anything is read."""
    found = msgspec.msgpack.decode(state.dump(Lot("north")))
    with pytest.raises(ValueError, match="snapshot format 99"):
        state.load(msgspec.msgpack.encode(found | {"format": 99}))


def test_answers_keep_their_positions_through_a_snapshot() -> None:
    """A repeated scan names the place in the journal that it named first."""
    yard = Yard()
    first = yard.scan(0, no=1)
    position = first.position
    assert position == yard.position
    yard.lot = state.load(state.dump(yard.lot))
    assert yard.scan(0, no=1).position == position


def test_a_lapsed_car_survives_a_snapshot() -> None:
    """Its late passage still finds it, whether it was on its way in or out."""
    yard = Yard(r=CONFIRMED)
    coming, leaving = yard.scan(0, b"a"), yard.scan(0, b"b")
    yard.passage(0, 1, leaving.session)
    yard.passage(0, 1, coming.session)
    coming = yard.scan(0, b"c")
    yard.scan(1, b"b")
    yard.tick(60_000)
    yard.lot = state.load(state.dump(yard.lot))
    assert [yard.passage(lane, 1, event.session).effect for lane, event in ((0, coming), (1, leaving))] == [
        "moved",
        "moved",
    ]
    yard.check()


def test_a_gap_in_the_journal_is_noticed() -> None:
    """An event that does not follow the last one breaks loudly, and changes nothing."""
    yard = Yard()
    before = state.dump(yard.lot)
    for seq in (yard.lot.seq, yard.lot.seq + 2):
        with pytest.raises(BrokenState, match=f"event {seq} after {yard.lot.seq}"):
            apply(yard.lot, MoveLapsed("north", seq, NOON, bytes(16)), 1)
    assert state.dump(yard.lot) == before


def test_an_event_that_does_not_fit_the_state_breaks_loudly() -> None:
    """Journal and code disagree: going on would make it worse."""
    yard = Yard()
    with pytest.raises(BrokenState, match="nothing to lapse"):
        apply(yard.lot, MoveLapsed("north", yard.lot.seq + 1, NOON, bytes(16)), 1)
    yard = Yard()
    foreign = unpack(Unpacker(packed([Yard(s=CONFIRMED).scan(0, reader="s")])))
    foreign.seq = yard.lot.seq + 1
    with pytest.raises(BrokenState, match="no lane 0 of 's'"):
        apply(yard.lot, foreign, 1)
