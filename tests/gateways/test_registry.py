"""Registered readers at the gateway: they come and go while others work, and dead keys open nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.codecs.keywrap import wrap
from liftgate.codecs.signon import engine_mac
from liftgate.configs.schema import Config, Key
from liftgate.engine.configured import RegistryConflict
from tests.gateways.network import ENTRY, KEY, Peer, World, codes, hello, make_config, make_lot, scan
from tests.gateways.test_gateway import fill

WRAPPING = Key(b"w" * 32)
ONE, TWO, THREE = (bytes([place]) * 32 for place in (1, 2, 3))
LANES = [{"number": ENTRY, "direction": "entry", "area": "north", "confirm": False}]
HOUR_S = 3600


def config(registry_key: Key | None = WRAPPING, **engine: Any) -> Config:
    return make_config(registry_key=registry_key, **engine)


class Site(World):
    """A world with a desk."""

    def __init__(self, made: Config | None = None) -> None:
        super().__init__(made or config())
        self.orders = 0
        self.desk = self.service()

    def order(self, name: str, lot: str = "north", **args: Any) -> m.Outcome:
        self.orders += 1
        id = self.orders.to_bytes(16, "big")
        (outcome,) = self.desk.ask(m.CommandMessage(id, lot, name, {"actor": "jo", **args}))
        assert isinstance(outcome, m.Outcome)
        return outcome

    def add(self, reader: str = "new", key: bytes = ONE, **more: Any) -> m.Outcome:
        return self.order("add_reader", reader=reader, key=wrap(WRAPPING, key), lanes=LANES, **more)

    def rotate(self, key: bytes, **more: Any) -> m.Outcome:
        return self.order("rotate_reader_key", reader="new", key=wrap(WRAPPING, key), **more)

    def knock(self, id: str = "new", key: bytes = ONE) -> Peer | None:
        """Sign on as a reader; None where that is refused, with ERROR 8."""
        peer = self.connect()
        peer.ask(hello(id))
        peer.ask_proof(key)
        (welcome,) = [answer for answer in peer.take() if not isinstance(answer, m.SetLane)]
        if isinstance(welcome, m.Error):
            assert welcome.code == Fault.REFUSED and peer.ended
            return None
        assert isinstance(welcome, m.Welcome)
        assert welcome.mac == engine_mac(key, peer.conn.hello, peer.conn.challenge)
        return peer

    def rows(self, **args: Any) -> list[dict[str, Any]]:
        (answer,) = self.desk.ask(m.Query("north", "readers", args))
        assert isinstance(answer, m.Answer) and answer.ok, answer
        rows: list[dict[str, Any]] = answer.body["readers"]
        return rows

    def start_with(self, made: Config) -> None:
        self.config = made
        self.restart()
        self.desk = self.service()


def test_a_reader_is_added_to_a_running_engine() -> None:
    """It signs on and is answered in the next round; who works already notices nothing."""
    site = Site()
    working = site.reader("r0")
    assert site.knock() is None
    assert site.add().ok
    new = site.knock()
    assert new is not None
    (decision,) = new.ask(scan(1))
    assert isinstance(decision, m.Decision) and decision.verdict == 1
    assert not working.ended and len(working.ask(scan(1))) == 1


def test_registered_readers_are_there_after_a_crash() -> None:
    """Lanes, keys and numbering, by the journal alone."""
    site = Site()
    site.add()
    new = site.knock()
    assert new is not None
    answered = new.ask(scan(1))
    site.restart()
    again = site.knock()
    assert again is not None
    assert again.ask(scan(1)) == answered


def test_a_revoked_reader_is_cut_in_the_round_of_its_revocation() -> None:
    """What came before the order in that round is answered, what came after it is not. It cannot return."""
    site = Site()
    site.add()
    new = site.knock()
    assert new is not None
    order = m.CommandMessage(b"r" * 16, "north", "revoke_reader", {"reader": "new", "actor": "jo"})
    site.round((new, new.frame(scan(1))), (site.desk, site.desk.frame(order)), (new, new.frame(scan(2))))
    decision, goodbye = new.take()
    assert isinstance(decision, m.Decision) and decision.no == 1
    assert goodbye == m.Goodbye("revoked")
    assert new.ended and site.knock() is None
    assert not site.lot.readers["new"].numbering(7).has(2)
    assert site.gateway.reader_key("new") == ()


def test_a_revocation_between_hello_and_auth_counts() -> None:
    """Keys are looked up when they are proved."""
    site = Site()
    site.add()
    peer = site.connect()
    peer.ask(hello("new"))
    site.order("revoke_reader", reader="new")
    peer.ask_proof(ONE)
    assert codes(peer.take()) == [Fault.REFUSED]


def test_another_service_cannot_scan_for_a_revoked_reader() -> None:
    """The way of the MQTT gateway: no lane, nothing decided, and no old answer either."""
    site = Site()
    site.add()
    args = {
        "reader": "new",
        "boot": 7,
        "no": 1,
        "lane": ENTRY,
        "kind": 2,
        "token": b"x",
        "at_ms": site.now_ms,
    }
    assert site.desk.ask(m.CommandMessage(b"a" * 16, "north", "read_credential", args))
    site.order("revoke_reader", reader="new")
    (outcome,) = site.desk.ask(m.CommandMessage(b"b" * 16, "north", "read_credential", args))
    assert isinstance(outcome, m.Outcome) and (outcome.ok, outcome.code) == (False, "no_such_lane")


def test_a_restored_reader_knows_its_numbers() -> None:
    """Under its new key only."""
    site = Site()
    site.add()
    new = site.knock()
    assert new is not None
    (first,) = new.ask(scan(1))
    site.order("revoke_reader", reader="new")
    assert site.order("restore_reader", reader="new", key=wrap(WRAPPING, TWO)).ok
    assert site.knock(key=ONE) is None
    again = site.knock(key=TWO)
    assert again is not None
    assert again.ask(scan(1)) == [first]


def test_both_keys_are_good_until_the_new_one_is_used() -> None:
    """A reader that is connected stays so; its next sign-on with the new key ends the old one."""
    site = Site()
    site.add()
    old = site.knock()
    assert old is not None and site.rotate(TWO).ok
    assert not old.ended and site.knock(key=ONE) is not None
    assert site.knock(key=TWO) is not None
    assert site.knock(key=ONE) is None
    site.restart()
    assert site.knock(key=ONE) is None
    assert site.knock(key=TWO) is not None


def test_who_is_connected_by_a_key_that_dies_is_cut() -> None:
    """By time, with GOODBYE; a reader that was away for the whole overlap needs its new key by hand."""
    site = Site(config(heartbeat_s=3600))
    site.add()
    old = site.knock()
    assert old is not None and site.rotate(TWO, overlap_s=60).ok
    site.wait(58)
    assert not old.ended
    site.wait(3)
    assert old.take()[-1] == m.Goodbye("key retired") and old.ended
    assert site.knock(key=ONE) is None
    assert site.knock(key=TWO) is not None


def test_an_overlap_goes_on_through_a_restart() -> None:
    """Its end is in the journal, not in a timer."""
    site = Site()
    site.add()
    site.rotate(TWO, overlap_s=60)
    site.restart()
    assert site.knock(key=ONE) is not None
    site.wait(61)
    assert site.knock(key=ONE) is None


def test_a_key_is_not_retired_while_the_disk_is_full() -> None:
    """Nothing can be journalled then: the reader is let in, and its old key lives a while longer."""
    site = Site()
    site.add()
    site.rotate(TWO)
    fill(site)
    assert site.knock(key=TWO) is not None
    assert len(site.gateway.reader_key("new")) == 2
    site.storage.faults.bytes_max = None
    site.engine.journal.maintain()
    assert site.knock(key=TWO) is not None
    assert len(site.gateway.reader_key("new")) == 1


def test_ids_of_the_file_cannot_be_registered() -> None:
    """Nor ids that another lot's registry has. Not on record: the same order is fine once that is changed."""
    made = config()
    both = msgspec.structs.replace(made, lots=(*made.lots, make_lot(5, "south", "south")))
    site = Site(both)
    position = site.engine.position
    assert site.add("r0").code == "in_file"
    assert site.order("revoke_reader", reader="r0").code == "in_file"
    assert site.engine.position == position
    assert site.add("new").ok
    elsewhere = [{"number": 0, "direction": "exit", "area": "south"}]
    refused = site.order("add_reader", "south", reader="new", key=wrap(WRAPPING, TWO), lanes=elsewhere)
    assert (refused.ok, refused.code) == (False, "exists")
    site.order("revoke_reader", reader="new")
    assert site.order("add_reader", "south", reader="new", key=wrap(WRAPPING, TWO), lanes=elsewhere).ok
    assert site.knock(key=TWO) is not None


def test_without_a_registry_key_none_is_added() -> None:
    """And none with a key that is wrapped under another one, which would only be found out at its barrier."""
    assert Site(config(registry_key=None)).add().code == "no_registry_key"
    refused = Site().order("add_reader", reader="new", key=wrap(bytes(32), ONE), lanes=LANES)
    assert refused.code == "wrong_registry_key"


def test_an_order_that_comes_again_has_its_first_outcome() -> None:
    """Also when the engine was started without its registry_key since."""
    site = Site()
    order = m.CommandMessage(
        b"x" * 16,
        "north",
        "add_reader",
        {"reader": "new", "key": wrap(WRAPPING, ONE), "lanes": LANES, "actor": "jo"},
    )
    first = site.desk.ask(order)
    site.start_with(config(registry_key=None))
    assert site.desk.ask(order) == first


@pytest.mark.parametrize(
    ("registry_key", "why"),
    [(Key(b"v" * 32), "wrapped under another"), (None, "no [engine] registry_key is configured")],
)
def test_a_wrong_registry_key_locks_out_registered_readers_alone(registry_key: Key | None, why: str) -> None:
    """The engine starts, those of the file work, and the list says which do not and why."""
    site = Site()
    site.add()
    site.start_with(config(registry_key=registry_key))
    assert site.knock() is None
    assert site.reader("r0").ask(scan(1))
    (row,) = site.rows(reader="new")
    assert why in row["locked"]
    site.start_with(config())
    assert site.knock() is not None


def test_a_new_registry_key_is_brought_in_by_rotation() -> None:
    """The reader keeps its key, which is wrapped anew; its next sign-on ends the old wrapping."""
    site = Site()
    site.add()
    newer = Key(b"v" * 32)
    site.start_with(config(registry_key=newer))
    assert site.order("rotate_reader_key", reader="new", key=wrap(newer, ONE)).ok
    (row,) = site.rows(reader="new")
    assert (row["locked"], len(row["checks"])) == ("", 2)
    assert site.knock(key=ONE) is not None
    (row,) = site.rows(reader="new")
    assert len(row["checks"]) == 1


def test_the_file_cannot_take_a_registered_id() -> None:
    """The engine does not start: one of two keys for one id would be dead, and nobody knows which."""
    site = Site()
    site.add("r9")
    made = make_config(readers=10, registry_key=WRAPPING)
    with pytest.raises(RegistryConflict, match=r'"r9" \(lot north\).*liftgate reader revoke'):
        site.start_with(made)
    site.start_with(config())
    site.order("revoke_reader", reader="r9")
    site.start_with(made)
    assert site.knock("r9", bytes(KEY)) is not None
    (row,) = site.rows(reader="r9")
    assert row["source"] == "file"


def test_readers_of_a_lot_that_leaves_the_file_come_back_with_it() -> None:
    """Meanwhile they cannot sign on; nothing of theirs is forgotten."""
    made = config()
    site = Site(made)
    site.add()
    other = msgspec.structs.replace(made, lots=(make_lot(5, "south", "south"),), readers=())
    site.start_with(other)
    assert site.knock() is None
    assert site.lot.readers["new"].lanes == {}
    site.start_with(made)
    new = site.knock()
    assert new is not None and len(new.ask(scan(1))) == 1


def test_the_list_says_who_is_there() -> None:
    """Readers of the file and of the registry, in pages, with who is connected and since when whom."""
    site = Site()
    site.add()
    connected = site.knock()
    assert connected is not None
    site.wait(5)
    rows = {row["reader"]: row for row in site.rows()}
    assert list(rows) == ["new", "r0", "r1", "r2", "r3"]
    assert (rows["new"]["source"], rows["r0"]["source"]) == ("registry", "file")
    assert rows["new"]["connected"] and rows["new"]["heard_ms"] == site.now_ms - 5000
    assert not rows["r0"]["connected"] and rows["r0"]["heard_ms"] == 0
    assert rows["new"]["added_by"] == "jo" and "keys" not in rows["new"]
    assert [row["reader"] for row in site.rows(after="r1")] == ["r2", "r3"]


def test_no_key_leaves_the_engine() -> None:
    """Neither in the clear nor wrapped, in outcomes and answers; and the journal has it wrapped only."""
    site = Site()
    said = [site.add(), *site.desk.ask(m.Query("north", "readers", {}))]
    for answer in said:
        body = m.encode(answer)
        assert ONE not in body and wrap(WRAPPING, ONE) not in body
    disk = b"".join(site.storage.read_whole(name) for name in site.storage.names())
    assert wrap(WRAPPING, ONE) in disk and ONE not in disk


def test_the_proof_of_a_key_is_tried_against_both() -> None:
    """While a key is rotated a wrong one is refused like any other."""
    site = Site()
    site.add()
    site.rotate(TWO)
    assert site.knock(key=THREE) is None
    assert site.knock(key=ONE) is not None
