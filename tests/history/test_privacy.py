"""What leaves the engine names no credential and no plate."""

from __future__ import annotations

import hmac
from typing import Any

import msgspec
import msgspec.inspect as look
import pytest

from liftgate.codecs.events import EVENTS, operators, passback, plain, registry, reservations
from liftgate.codecs.events.entitlements import GroupSet, PassIssued
from liftgate.codecs.events.readers import HistoryRecorded, Rare, ScanDecided
from liftgate.engine.core.rules.identity import PlateAgrees, PlateComesAlong
from liftgate.history.privacy import HIDDEN, PLATE_RULES, VEILS, Hasher, fields

HASHER = Hasher(b"0123456789abcdef")
TOKEN, PLATE, NAME = b"SECRETTOKEN", "BXY123", "Frau Beispiel"
CREDENTIAL = b"\x02" + TOKEN
HOLDS_ANYTHING = (look.AnyType, look.BytesType, look.StructType)
HEAD = {"lot": "north", "seq": 1, "at_ms": 1000}
SCAN = HEAD | {"reader": "r", "boot": 7, "no": 1, "lane": 0}


def could_hold_a_token(kind: look.Type) -> bool:
    """Whether a value of this type may have bytes, or anything at all, at any depth."""
    if isinstance(kind, HOLDS_ANYTHING):
        return True
    if isinstance(kind, look.UnionType):
        return any(could_hold_a_token(each) for each in kind.types)
    if isinstance(kind, look.DictType):
        return could_hold_a_token(kind.key_type) or could_hold_a_token(kind.value_type)
    if isinstance(kind, look.TupleType):
        return any(could_hold_a_token(each) for each in kind.item_types)
    if isinstance(kind, look.VarTupleType | look.ListType):
        return could_hold_a_token(kind.item_type)
    return False


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_is_thought_about(event: type[Any]) -> None:
    """Each type is in the table, and so is each of its fields that could hold a token."""
    info = look.type_info(event)
    assert isinstance(info, look.StructType)
    risky = {field.name for field in info.fields if could_hold_a_token(field.type)}
    assert risky <= set(VEILS[event]), (
        f"new in {event.__name__}: say in history/privacy.py what may leave of it"
    )


def test_the_table_names_nothing_else() -> None:
    """No event that is gone stands in it, and no field that its event does not have."""
    assert set(VEILS) == set(EVENTS)
    for event, veils in VEILS.items():
        assert all(hasattr(event, name) for name in veils), event


def test_a_field_of_bytes_counts_as_risky() -> None:
    """Or the check above could not fail."""
    risky = [dict[str, Any], bytes | None, tuple[bytes, ...], dict[str, bytes], list[Rare]]
    assert all(could_hold_a_token(look.type_info(kind)) for kind in risky)
    assert not any(could_hold_a_token(look.type_info(kind)) for kind in (int, str, tuple[int, str]))


SAMPLES = [
    ScanDecided(
        **SCAN,
        kind=2,
        token=TOKEN,
        skew_ms=0,
        way=2,
        verdict=2,
        reason=500,
        effect=0,
        area="north",
        session=bytes(16),
        spot=None,
        rare=Rare(
            None,
            (f"plate beside: saw {PLATE}", f"plate against stay: came in with {PLATE}, saw X", "reason 500"),
            {"witness": PLATE, "plate": PLATE, "plate_mismatch": f"in {PLATE}, out X: 6 apart"},
        ),
    ),
    HistoryRecorded(
        **SCAN,
        what=0x10,
        verdict_given=1,
        finding=0,
        way=1,
        area="north",
        session=bytes(16),
        spot=None,
        effect="moved",
        detail=(2, TOKEN),
    ),
    operators.CommandDone(
        **HEAD,
        id=bytes(16),
        service="s",
        name="lost_ticket",
        ok=False,
        code="ambiguous",
        body={"text": f"more than one stay fits: session 00, plate {PLATE}"},
    ),
    operators.TextShown(**HEAD, reader="r", lane=0, text=f"Hello {PLATE}", seconds=5, actor="jo"),
    operators.CredentialDenied(**HEAD, credential=CREDENTIAL, actor="jo", reason="lost"),
    operators.CredentialRegistered(**HEAD, credential=CREDENTIAL, classes=("permit",), actor="jo"),
    operators.FindingMade(
        **HEAD, kind="overstay", text="in north for 9 min", about={"credential": CREDENTIAL.hex()}
    ),
    PassIssued(**HEAD, spec={"name": "p", "credentials": (CREDENTIAL,), "host": NAME}, actor="jo", reason=""),
    GroupSet(
        **HEAD,
        name="g",
        limit=1,
        areas={},
        over="refuse",
        added=(CREDENTIAL,),
        removed=(CREDENTIAL,),
        actor="jo",
        reason="",
    ),
    reservations.ReservationMade(
        **HEAD,
        id=bytes(16),
        credential=CREDENTIAL,
        code=TOKEN,
        area="north",
        spot_class="standard",
        spot="",
        from_ms=0,
        to_ms=1,
        early_ms=0,
        late_ms=0,
        leave_ms=0,
        waiting=False,
        percent=100,
        actor="jo",
        reason="",
    ),
    passback.PassbacksReset(
        **HEAD, credentials=(CREDENTIAL,), group="", whole=False, until_ms=0, actor="jo", reason=""
    ),
    passback.CarNamed(
        **HEAD,
        session=bytes(16),
        credential=CREDENTIAL,
        area="north",
        entered_at_ms=0,
        notes={"plate": PLATE, "unknown_entry": True},
        cause="",
        actor="jo",
    ),
    passback.CredentialSwapped(
        **HEAD, session=bytes(16), before=CREDENTIAL, after=CREDENTIAL, actor="jo", reason=""
    ),
    passback.TicketLost(
        **HEAD,
        session=bytes(16),
        credential=CREDENTIAL,
        replacement=CREDENTIAL,
        entered_at_ms=0,
        cause="",
        actor="jo",
    ),
]


WRAPPED = bytes(range(64, 104))
OF_KEYS = [
    registry.ReaderRegistered(**HEAD, reader="r", key=WRAPPED, lanes=(), actor="jo", reason=""),
    registry.ReaderKeyRotated(**HEAD, reader="r", key=WRAPPED, until_ms=1, actor="jo", reason=""),
]


@pytest.mark.parametrize("event", OF_KEYS, ids=lambda event: type(event).__name__)
def test_no_key_of_a_reader_leaves(event: Any) -> None:
    """Not even wrapped: what nobody has, nobody can try keys on."""
    left = fields(event, HASHER)
    assert left["key"] == ""
    assert WRAPPED.hex() not in msgspec.json.encode(left).decode()


@pytest.mark.parametrize("event", SAMPLES, ids=lambda event: type(event).__name__)
def test_no_token_and_no_plate_leaves(event: Any) -> None:
    """Neither as text nor as hex digits, wherever it stands in the event; as JSON, so all of it is plain."""
    text = msgspec.json.encode(fields(event, HASHER)).decode()
    for secret in (TOKEN.decode(), TOKEN.hex(), CREDENTIAL.hex(), PLATE, PLATE.encode().hex(), NAME):
        assert secret not in text


def test_one_car_has_one_hash() -> None:
    """A scan, a deny order, a finding and a replay name the same credential the same; a plate, a plate."""
    scan, told, _, _, denied, _, finding = (fields(event, HASHER) for event in SAMPLES[:7])
    name = HASHER.of(CREDENTIAL).hex()
    assert (
        scan["token"] == told["detail"][1] == denied["credential"] == finding["about"]["credential"] == name
    )
    assert scan["marks"]["plate"] == scan["marks"]["witness"] == HASHER.of(b"\x04" + PLATE.encode()).hex()


def test_what_is_no_secret_stays() -> None:
    """Times, areas, reasons, the marks and the trace of other rules are as the journal has them."""
    scan = fields(SAMPLES[0], HASHER)
    assert (scan["kind"], scan["reason"], scan["area"], scan["session"]) == (2, 500, "north", "00" * 16)
    assert scan["trace"] == [f"plate beside: {HIDDEN}", f"plate against stay: {HIDDEN}", "reason 500"]
    assert "rare" not in scan


def test_the_rules_of_plates_are_those_that_say_plates() -> None:
    """The table names rules by the names that their traces begin with."""
    assert {PlateComesAlong.name, PlateAgrees.name} == PLATE_RULES


def test_another_key_gives_other_names() -> None:
    """And a key too short to keep a secret is none."""
    assert Hasher(b"another key of 16").of(CREDENTIAL) != HASHER.of(CREDENTIAL)
    assert len(HASHER.of(CREDENTIAL)) == 16
    with pytest.raises(ValueError, match="16 bytes"):
        Hasher(b"short")


@pytest.mark.parametrize("size", [16, 32, 64, 65, 200])
def test_hashes_are_hmac_sha256(size: int) -> None:
    """Cut to 16 bytes, under keys shorter and longer than SHA-256's block, the same each time."""
    key = bytes(range(size))
    hasher = Hasher(key)
    for credential in (CREDENTIAL, b"", b"x" * 1000, CREDENTIAL):
        assert hasher.of(credential) == hmac.digest(key, credential, "sha256")[:16]


@pytest.mark.parametrize("session", [bytes(16), None])
@pytest.mark.parametrize("rare", [None, Rare((450, "EUR"), ("deny list: not on it",), {"pass": "season-1"})])
def test_a_scan_has_the_fields_of_any_other_way_to_read_it(rare: Rare | None, session: bytes | None) -> None:
    """Only the token differs from what `liftgate tail` shows."""
    scan = ScanDecided(*SCAN.values(), 2, TOKEN, 0, 1, 1, 0, 1, "north", session, None, rare)
    assert fields(scan, HASHER) == {**plain.fields(scan), "token": HASHER.of(CREDENTIAL).hex()}


def test_refusals_that_name_a_credential_say_that_they_did() -> None:
    """A group's order names the member that is not in it, or is in another one."""
    for code in ("in_other_group", "not_a_member"):
        said = {"text": f"{TOKEN.hex()} is in no group"}
        done = operators.CommandDone(*HEAD.values(), bytes(16), "desk", "set_group", False, code, said)
        assert fields(done, HASHER)["body"] == {"text": HIDDEN}
