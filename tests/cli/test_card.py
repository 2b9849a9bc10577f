"""`liftgate card`: a CSV file and a lot are brought to say the same, by orders and nothing else."""

from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftgate.commands import card_rows as rows
from liftgate.commands.card_rows import Card
from liftgate.commands.common import Trouble
from liftgate.engine.core.parts.local_time import at
from tests.cli.commands import liftgate, scan
from tests.engine.core.lots import Yard, lot_spec

BERLIN = ZoneInfo("Europe/Berlin")
DAY = st.dates(min_value=datetime.date(2026, 1, 1), max_value=datetime.date(2027, 12, 31))
CLASSES = st.lists(st.sampled_from(["standard", "permit", "charging"]), min_size=1, max_size=2, unique=True)


@st.composite
def cards(draw: st.DrawFn) -> dict[bytes, Card]:
    """Some cards of the same few, each with a group or none, with a validity or none."""
    found = {}
    for number in draw(st.sets(st.integers(0, 6), max_size=6)):
        begin, end = sorted((draw(DAY), draw(DAY)))
        from_ms = at(begin, 0, BERLIN) if draw(st.booleans()) else None
        until_ms = at(end, 24 * 60, BERLIN) if draw(st.booleans()) else None
        group, credential = draw(st.sampled_from(["", "acme", "b.v"])), bytes((2, number))
        found[credential] = Card(credential, tuple(draw(CLASSES)), group, from_ms, until_ms)
    return found


def imported(yard: Yard, wanted: dict[bytes, Card]) -> int:
    """Give the lot the orders that make it so; how many."""
    orders = rows.orders_for(wanted.values(), rows.cards_of(yard.lot), yard.lot.known)
    for name, args in orders:
        ok, code, body = yard.order(name, actor="jo", **args)
        assert ok, (name, args, code, body)
    return len(orders)


@settings(max_examples=60, deadline=None)
@given(cards(), cards())
def test_a_file_and_then_another(first: dict[bytes, Card], second: dict[bytes, Card]) -> None:
    """Each makes its own cards so and leaves the others alone; the same file again orders nothing."""
    yard = Yard(lot_spec() | {"rules": {"entitlements": {}}})
    imported(yard, first)
    imported(yard, second)
    assert rows.cards_of(yard.lot) == dict(sorted((first | second).items()))
    assert imported(yard, first | second) == 0
    yard.check()


@settings(max_examples=60, deadline=None)
@given(cards())
def test_what_is_written_is_read_again(wanted: dict[bytes, Card]) -> None:
    """A list as CSV is a file to import."""
    out = io.StringIO()
    csv.writer(out).writerows([rows.COLUMNS, *(rows.columns(card, BERLIN) for card in wanted.values())])
    out.seek(0)
    assert rows.read(out, BERLIN) == (wanted, set(rows.COLUMNS))


@settings(max_examples=60, deadline=None)
@given(cards())
def test_removed_cards_are_nobody(wanted: dict[bytes, Card]) -> None:
    """Without registration, pass and group."""
    yard = Yard(lot_spec() | {"rules": {"entitlements": {}}})
    imported(yard, wanted)
    for card in rows.cards_of(yard.lot).values():
        for name, args in rows.removals(card, card.credential in yard.lot.known):
            assert yard.order(name, actor="jo", **args)[0]
    assert rows.cards_of(yard.lot) == {}


def test_columns_that_are_not_there_change_nothing() -> None:
    """A file of tokens and classes leaves groups and validity as they are."""
    before = {b"\2a": Card(b"\2a", ("permit",), "acme", 1, None)}
    card = rows.kept(Card(b"\2a", (), "", None, None), {"token", "classes"}, before)
    assert card == before[b"\2a"]


def test_every_mistake_is_told_with_its_line() -> None:
    """All at once, and nothing is done."""
    text = (
        "token,kind,classes,valid_until\n"
        "04DE5F1EACC040,,permit,2027-12-31\nxyz,,,\n01,bird,,\n02,,red,\n03,,,yesterday\n04,,,\n04,,,\n05,,,,7\n"
    )
    with pytest.raises(Trouble) as told:
        rows.read(io.StringIO(text), BERLIN)
    lines = str(told.value).splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "nothing was done",
        *(f"line {n}" for n in (3, 4, 5, 6, 8, 9)),
    ]
    for wrong in ("uid\n04\n", "kind\ncard\n", ""):
        with pytest.raises(Trouble, match="token among them"):
            rows.read(io.StringIO(wrong), BERLIN)


@pytest.mark.parametrize(("length", "orders"), [(4, 3), (64, 7)])
def test_many_members_are_several_orders(length: int, orders: int) -> None:
    """Each of which the engine takes, short tokens or long ones."""
    yard = Yard(lot_spec() | {"rules": {"entitlements": {}}})
    yard.careful = False
    wanted = [Card(b"\2" + n.to_bytes(length, "big"), ("standard",), "acme", None, None) for n in range(2001)]
    made = rows.orders_for(wanted, {}, [card.credential for card in wanted])
    joins = [args for name, args in made if name == "set_group"]
    assert len(joins) == orders
    for args in joins:
        assert yard.order("set_group", actor="jo", **args)[0]
    assert len(yard.lot.parts["entitlements"].groups["acme"].members) == 2001


def test_cards_of_a_running_engine(running: Path, tmp_path: Path) -> None:
    """Imported, listed, exported, one added and one removed; a barrier knows them."""
    where = ("--config", running, "--lot", "north")
    rules = '{"entitlements": {"holders_only": ["vip"]}}'
    assert liftgate("do", *where, "set_rules", f"rules={rules}").returncode == 0
    file = tmp_path / "cards.csv"
    ended = datetime.datetime.now(datetime.UTC).date() - datetime.timedelta(2)
    file.write_text(
        f"token,classes,group,valid_until\n0A0B,permit standard,acme,2099-12-31\n0C,standard,,{ended}\n"
    )
    dry = liftgate("card", "import", *where, "--dry-run", file)
    assert "2 cards, 3 orders: nothing was done" in dry.stdout
    assert "no card is known" in liftgate("card", "list", *where).stdout
    done = liftgate("card", "import", *where, file)
    assert (done.returncode, done.stdout) == (0, "2 cards: 3 orders done\n")
    assert "all is so already" in liftgate("card", "import", *where, file).stdout
    listed = liftgate("card", "list", *where).stdout
    assert "0A0B" in listed and "group acme" in listed and "... to 2099-12-31" in listed
    assert scan(running, card="0A0B").returncode == 0
    assert "expired" in scan(running, card="0C").stdout
    assert liftgate("card", "add", *where, "--card", "0D", "--classes", "permit").returncode == 0
    assert liftgate("card", "remove", *where, "--card", "0C").returncode == 0
    exported = liftgate("card", "list", *where, "--csv").stdout.splitlines()
    assert exported == [
        "kind,token,classes,group,valid_from,valid_until",
        "card,0A0B,permit standard,acme,,2099-12-31",
        "card,0D,permit,,,",
    ]
    rows_json = [json.loads(line) for line in liftgate("card", "list", *where, "--json").stdout.splitlines()]
    assert [row["token"] for row in rows_json] == ["0A0B", "0D"]


def test_a_lot_without_rules_says_so(running: Path, tmp_path: Path) -> None:
    """Validity takes a pass, and passes the lot's table; plain cards do not."""
    where = ("--config", running, "--lot", "north")
    refused = liftgate("card", "add", *where, "--card", "0A", "--valid-until", "2099-12-31")
    assert refused.returncode == 1 and "no rules for entitlements" in refused.stdout
    assert liftgate("card", "add", *where, "--card", "0A").returncode == 0
