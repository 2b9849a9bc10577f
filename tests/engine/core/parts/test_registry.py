"""The registry of a lot: who is in it, with which wrapped keys, until when."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from liftgate.codecs.events.operators import CommandDone, FindingMade, ReaderConfigured
from liftgate.codecs.events.registry import ReaderKeyRetired, check_of
from liftgate.engine.core import commands as c
from liftgate.engine.core.parts import registry_orders
from liftgate.engine.core.parts.registry_entry import Registered
from tests.engine.core.lots import IN_AND_OUT, Yard, lane_spec

KEY, OTHER, THIRD = (bytes([place]) * 40 for place in (1, 2, 3))
ENTRY = {"number": 0, "direction": "entry", "area": "north"}
EXIT = {"number": 1, "direction": "exit", "area": "north", "cards": "known", "kinds": ["card"]}
NEW: dict[str, Any] = {"reader": "new", "key": KEY, "lanes": [ENTRY], "actor": "jo"}
HOUR_MS = 3_600_000


def registered(yard: Yard) -> dict[str, Registered]:
    found: dict[str, Registered] = yard.lot.parts["registry"].readers
    return found


def with_new() -> Yard:
    yard = Yard()
    assert yard.order("add_reader", **NEW)[0]
    return yard


def test_a_registered_reader_works_at_once() -> None:
    """It has its lanes, as the file would have given them, and its scans are decided."""
    yard = Yard()
    assert yard.order("add_reader", **NEW | {"lanes": [ENTRY, EXIT]}) == (
        True,
        "",
        {"check": check_of(KEY)},
    )
    assert yard.lot.readers["new"].spec == (
        lane_spec(0, "entry", confirm=True),
        (*lane_spec(1, "exit", confirm=True, codes="off", cards="known", plates="off"), "off"),
    )
    assert yard.scan(0, reader="new").verdict == 1
    found = registered(yard)["new"]
    assert (found.keys, found.added_ms, found.added_by) == ((KEY,), yard.now_ms, "jo")
    yard.check()


def test_an_old_key_lives_until_the_new_one_is_used() -> None:
    """Both are good in between; a sign-on with the newest ends that, and a second one changes nothing."""
    yard = with_new()
    ok, _, body = yard.order("rotate_reader_key", reader="new", key=OTHER, actor="jo", overlap_s=3600)
    assert ok and body["until_ms"] == yard.now_ms + HOUR_MS
    assert registered(yard)["new"].keys == (KEY, OTHER)
    yard.check()
    (retired,) = yard.do(c.KeyUsed(yard.now_ms, "new"))
    assert (retired.reader, retired.cause) == ("new", "used")
    assert registered(yard)["new"].keys == (OTHER,)
    assert yard.do(c.KeyUsed(yard.now_ms, "new")) == yard.do(c.KeyUsed(yard.now_ms, "r")) == ()
    assert yard.tick(2 * HOUR_MS) == ()
    yard.check()


def test_an_old_key_dies_in_its_time() -> None:
    """A reader that was away for the whole overlap is locked out with it, and somebody is told."""
    yard = with_new()
    yard.order("rotate_reader_key", reader="new", key=OTHER, actor="jo", overlap_s=3600)
    assert yard.tick(HOUR_MS - 1) == ()
    retired, finding = yard.tick(1)
    assert isinstance(retired, ReaderKeyRetired) and retired.cause == "time"
    assert isinstance(finding, FindingMade) and finding.kind == "reader_key_unused"
    assert registered(yard)["new"].keys == (OTHER,)
    assert yard.tick(HOUR_MS) == ()
    yard.check()


def test_rotated_again_before_the_new_key_was_used() -> None:
    """The key that a reader has stays good, the one that never reached it gives way: two at most."""
    yard = with_new()
    yard.order("rotate_reader_key", reader="new", key=OTHER, actor="jo")
    assert yard.order("rotate_reader_key", reader="new", key=THIRD, actor="jo")[0]
    assert registered(yard)["new"].keys == (KEY, THIRD)
    assert yard.order("rotate_reader_key", reader="new", key=KEY, actor="jo")[1] == "same_key"


def test_without_an_overlap_the_old_key_is_dead_at_once() -> None:
    """In the order's own record, so that no crash comes in between."""
    yard = with_new()
    assert yard.order("rotate_reader_key", reader="new", key=OTHER, actor="jo", overlap_s=0)[0]
    assert registered(yard)["new"].keys == (OTHER,)
    yard.check()


def test_a_revoked_reader_has_no_keys_and_no_lanes() -> None:
    """What it did stays: its numbers are known when it is restored, under a new key, with its lanes."""
    yard = with_new()
    entered = yard.scan(0, reader="new", no=1)
    assert yard.order("revoke_reader", reader="new", actor="mia", reason="stolen")[0]
    found = registered(yard)["new"]
    assert (found.keys, found.revoked_by, found.reason) == ((), "mia", "stolen")
    assert yard.lot.readers["new"].lanes == {}
    yard.check()
    assert yard.order("restore_reader", reader="new", key=OTHER, actor="jo")[0]
    assert yard.scan(0, reader="new", no=1) is entered
    assert registered(yard)["new"].keys == (OTHER,)
    assert registered(yard)["new"].revoked_by == "mia"
    yard.check()


def test_lanes_are_changed_without_a_new_key() -> None:
    """All of them at once, as the file would."""
    yard = with_new()
    assert yard.order("change_reader", reader="new", lanes=[ENTRY, EXIT], actor="jo")[0]
    assert list(yard.lot.readers["new"].lanes) == [0, 1]
    assert registered(yard)["new"].keys == (KEY,)
    yard.check()


@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("add_reader", NEW, "exists"),
        ("add_reader", NEW | {"reader": "x", "lanes": [ENTRY | {"area": "roof"}]}, "no_such_area"),
        ("add_reader", NEW | {"reader": "x", "lanes": [ENTRY | {"gate": "roof"}]}, "no_such_gate"),
        ("add_reader", NEW | {"reader": "x", "lanes": [ENTRY, ENTRY]}, "bad_args"),
        ("add_reader", NEW | {"reader": "x", "lanes": []}, "bad_args"),
        ("add_reader", NEW | {"reader": "a b"}, "bad_args"),
        ("add_reader", NEW | {"reader": "x", "key": bytes(32)}, "bad_args"),
        ("change_reader", {"reader": "r", "lanes": [ENTRY], "actor": "jo"}, "not_registered"),
        ("rotate_reader_key", {"reader": "r", "key": KEY, "actor": "jo"}, "not_registered"),
        ("revoke_reader", {"reader": "r", "actor": "jo"}, "not_registered"),
        ("restore_reader", {"reader": "new", "key": KEY, "actor": "jo"}, "not_revoked"),
        ("restore_reader", {"reader": "x", "key": KEY, "actor": "jo"}, "not_registered"),
    ],
)
def test_what_cannot_be_done_says_why(name: str, args: dict[str, Any], code: str) -> None:
    """Nothing changes, and the outcome is on record like every other."""
    yard = with_new()
    before = dict(registered(yard))
    assert yard.order(name, **args)[1] == code
    assert registered(yard) == before
    yard.check()


def test_a_revoked_reader_is_only_restored() -> None:
    """Every other order about it says so, and none gives it a key."""
    yard = with_new()
    yard.order("revoke_reader", reader="new", actor="jo")
    assert yard.order("add_reader", **NEW)[1] == "exists"
    assert yard.order("revoke_reader", reader="new", actor="jo")[1] == "revoked"
    assert yard.order("change_reader", reader="new", lanes=[ENTRY], actor="jo")[1] == "revoked"
    assert yard.order("rotate_reader_key", reader="new", key=OTHER, actor="jo")[1] == "revoked"
    assert registered(yard)["new"].keys == ()


def test_a_lot_remembers_so_many_readers_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Revoked ones count; restoring one takes no new place."""
    monkeypatch.setattr(registry_orders, "REGISTERED_MAX", 1)
    yard = with_new()
    yard.order("revoke_reader", reader="new", actor="jo")
    assert yard.order("add_reader", **NEW | {"reader": "x"})[1] == "too_many"
    assert yard.order("restore_reader", reader="new", key=OTHER, actor="jo")[0]


def test_the_largest_order_fits_a_record() -> None:
    """As many lanes as may be, with the longest names, in both events that it makes."""
    name, text = "n" * 64, "w" * 512
    lanes = [{**ENTRY, "number": number} for number in range(registry_orders.LANES_MAX)]
    yard = Yard()
    before = len(yard.log)
    assert yard.order("add_reader", reader=name, key=KEY, lanes=lanes, actor=name, reason=text)[0]
    longer = 2 * registry_orders.LANES_MAX * 2 * 64  # area and gate may have 64 characters each
    assert len(yard.log) - before + longer < 28_000  # SEAL_BYTES leaves that of a record


IDS = st.sampled_from(["new", "old", "r2"])
KEYS = st.binary(min_size=40, max_size=40)


class RegistryMachine(RuleBasedStateMachine):
    """Random orders against a plain dict: id -> [keys, until_ms, lanes], keys () once revoked."""

    @initialize()
    def begin(self) -> None:
        self.yard = Yard()
        self.plain: dict[str, list[Any]] = {}

    def _ask(self, name: str, possible: bool, **args: Any) -> bool:
        ok, _, _ = self.yard.order(name, actor="jo", **args)
        assert ok == possible
        return possible

    @rule(reader=IDS, key=KEYS, both=st.booleans())
    def add(self, reader: str, key: bytes, both: bool) -> None:
        lanes = [ENTRY, EXIT] if both else [ENTRY]
        if self._ask("add_reader", reader not in self.plain, reader=reader, key=key, lanes=lanes):
            self.plain[reader] = [(key,), 0, len(lanes)]

    @rule(reader=IDS, both=st.booleans())
    def change(self, reader: str, both: bool) -> None:
        lanes = [ENTRY, EXIT] if both else [ENTRY]
        if self._ask("change_reader", self._lives(reader), reader=reader, lanes=lanes):
            self.plain[reader][2] = len(lanes)

    def _lives(self, reader: str) -> bool:
        return bool(self.plain.get(reader, [()])[0])

    @rule(reader=IDS, key=KEYS, overlap_s=st.sampled_from([0, 60, 3600]))
    def rotate(self, reader: str, key: bytes, overlap_s: int) -> None:
        possible = self._lives(reader) and key not in self.plain[reader][0]
        if self._ask("rotate_reader_key", possible, reader=reader, key=key, overlap_s=overlap_s):
            old = self.plain[reader][0][0]
            self.plain[reader][:2] = (
                [(old, key), self.yard.now_ms + 1000 * overlap_s] if overlap_s else [(key,), 0]
            )

    @rule(reader=IDS)
    def use(self, reader: str) -> None:
        events = self.yard.do(c.KeyUsed(self.yard.now_ms, reader))
        rotating = len(self.plain.get(reader, [()])[0]) == 2
        assert len(events) == rotating
        if rotating:
            self.plain[reader][:2] = [self.plain[reader][0][1:], 0]

    @rule(reader=IDS)
    def revoke(self, reader: str) -> None:
        if self._ask("revoke_reader", self._lives(reader), reader=reader):
            self.plain[reader][:2] = [(), 0]

    @rule(reader=IDS, key=KEYS)
    def restore(self, reader: str, key: bytes) -> None:
        possible = reader in self.plain and not self._lives(reader)
        if self._ask("restore_reader", possible, reader=reader, key=key):
            self.plain[reader][0] = (key,)

    @rule(after_s=st.sampled_from([1, 59, 60, 3600]))
    def wait(self, after_s: int) -> None:
        self.yard.tick(1000 * after_s)
        for known in self.plain.values():
            if known[1] and known[1] <= self.yard.now_ms:
                known[:2] = [known[0][1:], 0]

    @rule()
    def start_again_with_another_file(self) -> None:
        """What `configure` does at a start: the file's readers and the registry's, and nothing else."""
        for id, lanes in {"r": IN_AND_OUT, **{k: e.lanes for k, e in registered(self.yard).items()}}.items():
            if id == "r" or self._lives(id):
                assert self.yard.do(c.ConfigureReader(self.yard.now_ms, id, lanes)) == ()

    @invariant()
    def both_say_the_same(self) -> None:
        found = {
            id: [each.keys, each.until_ms, len(each.lanes)] for id, each in registered(self.yard).items()
        }
        assert found == self.plain
        working = {id for id, reader in self.yard.lot.readers.items() if reader.lanes and id != "r"}
        assert working == {id for id in self.plain if self._lives(id)}
        self.yard.check()


TestRegistry = RegistryMachine.TestCase
TestRegistry.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


def test_every_order_ends_in_its_outcome() -> None:
    """The events of one order are one batch: who, then the lanes, then CommandDone, which has no key."""
    yard = Yard()
    id = (99).to_bytes(16, "big")
    events = yard.do(c.Order(yard.now_ms, id, "console", "add_reader", NEW))
    assert [type(event) for event in events[1:]] == [ReaderConfigured, CommandDone]
    assert bytes(yard.log).count(KEY) == 1
