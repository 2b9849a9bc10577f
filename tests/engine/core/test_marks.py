"""Marks that are made once and said by many scans."""

from __future__ import annotations

from liftgate.engine.core import commands as c
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.marks import Marks
from tests.engine.core.lots import Yard


def a_read() -> c.ReadCredential:
    yard = Yard()
    return c.ReadCredential(yard.lane("r", 0), yard.numbering("r", 1))


def test_packed_as_an_event_packs_them() -> None:
    """A journal does not show whether marks were made before."""
    event = ScanDecided()
    event.add(None, None, {"pass": "p", "group": "g"})
    assert Marks({"pass": "p", "group": "g"}).rare == event.rare


def test_one_scan_adds_to_its_own_only() -> None:
    """What a scan says beside marks that others share is not said by the others."""
    said, read = Marks({"pass": "p"}), a_read()
    read.say(said)
    assert read.said is said
    read.mark("passback", "doubt")
    assert read.marks == {"pass": "p", "passback": "doubt"}
    assert read.said is None
    assert said.values == {"pass": "p"}


def test_said_after_other_marks() -> None:
    """Marks made before join those that the scan has already."""
    said, read = Marks({"turned_round": True}), a_read()
    read.mark("plate", "B1")
    read.say(said)
    assert read.marks == {"plate": "B1", "turned_round": True}
    assert said.values == {"turned_round": True}
