"""Registered cards as rows: of a CSV file, of a lot as its journal has it, and the orders between the two."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from liftgate.commands.common import USAGE, Trouble
from liftgate.commands.words import kind_name, shown
from liftgate.configs.schema import KINDS, SPOT_CLASSES
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.local_time import at, local_day
from liftgate.engine.core.parts.passes import Pass

COLUMNS = ("kind", "token", "classes", "group", "valid_from", "valid_until")
MEMBERS_MAX, MEMBERS_BYTES_MAX = 1000, 20_000
"""Of one set_group: what it takes, and its event must fit a record."""

TOLD_MAX = 20
"""Mistakes of a file that are named; the rest are counted."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_IN_HEX = (KINDS.index("card") + 1, KINDS.index("sun") + 1)

Orders = list[tuple[str, dict[str, Any]]]


class Card(NamedTuple):
    """One credential. classes: of spots, in order of preference, () where nothing is said; group: "" none;
    from_ms, until_ms: of its own pass, None open; others: names of passes that it holds beside that one.
    """

    credential: bytes
    classes: tuple[str, ...]
    group: str
    from_ms: int | None
    until_ms: int | None
    others: tuple[str, ...] = ()
    denied: bool = False

    @property
    def limited(self) -> bool:
        """Whether it has a validity, which takes a pass of its own."""
        return self.from_ms is not None or self.until_ms is not None

    @property
    def named(self) -> dict[str, Any]:
        """As orders name it."""
        return {"kind": self.credential[0], "token": self.credential[1:]}


def pass_name(credential: bytes) -> str:
    """What the pass is called that holds a card's validity."""
    kind, token = credential[0], credential[1:]
    text = (
        token.hex().upper() if kind in _IN_HEX and len(token) <= 24 else sha256(credential).hexdigest()[:32]
    )
    return f"{kind_name(kind)}-{text}"


# -- a lot


def cards_of(lot: Lot) -> dict[bytes, Card]:
    """Every credential that is registered, holds a pass or is in a group; by credential, in their order."""
    holders: dict[bytes, Any] = lot.parts["entitlements"].holders
    return {each: _card(lot, each, holders.get(each)) for each in sorted({*lot.known, *holders})}


def _card(lot: Lot, credential: bytes, holder: Any) -> Card:
    passes: list[Pass] = [] if holder is None else holder.passes
    own = next((each.spec for each in passes if each.spec.name == pass_name(credential)), None)
    classes = tuple(own.classes) if own is not None else lot.known.get(credential, ())
    return Card(
        credential,
        classes,
        "" if holder is None or holder.group is None else holder.group.name,
        None if own is None else own.from_ms,
        None if own is None else own.until_ms,
        tuple(each.spec.name for each in passes if each.spec is not own),
        credential in lot.denied,
    )


# -- a file


def read(file: TextIO, zone: ZoneInfo) -> tuple[dict[bytes, Card], set[str]]:
    """The cards of a CSV file, and its columns. Raises Trouble with its mistakes, each with its line."""
    reader = csv.DictReader(file)
    unknown = [name for name in reader.fieldnames or () if name not in COLUMNS]
    if "token" not in (reader.fieldnames or ()) or unknown:
        raise Trouble(f"the first line names columns out of {','.join(COLUMNS)}, token among them", USAGE)
    cards: dict[bytes, Card] = {}
    wrong: list[str] = []
    for row in reader:
        try:
            card = parsed({name: (row.get(name) or "").strip() for name in COLUMNS}, zone)
            if None in row or card.credential in cards:
                raise ValueError("more fields than columns" if None in row else "the same card again")
            cards[card.credential] = card
        except ValueError as error:
            wrong.append(f"line {reader.line_num}: {error}")
    if wrong:
        more = [f"and {len(wrong) - TOLD_MAX} more"] if len(wrong) > TOLD_MAX else []
        raise Trouble("\n".join(["nothing was done:", *wrong[:TOLD_MAX], *more]), USAGE)
    return cards, set(reader.fieldnames or ())


def kept(card: Card, columns: set[str], lot: dict[bytes, Card]) -> Card:
    """The card with what no column says as it is in the lot."""
    before = lot.get(card.credential)
    if before is None:
        return card
    if not columns & {"valid_from", "valid_until"}:
        card = card._replace(from_ms=before.from_ms, until_ms=before.until_ms)
    if "classes" not in columns or not card.classes:
        card = card._replace(classes=before.classes)
    return card if "group" in columns else card._replace(group=before.group)


def parsed(row: dict[str, str], zone: ZoneInfo) -> Card:
    """A card out of its columns. Raises ValueError."""
    kind = row["kind"] or "card"
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is none of {', '.join(KINDS)}")
    number = KINDS.index(kind) + 1
    classes = tuple(row["classes"].split())
    strange = [name for name in classes if name not in SPOT_CLASSES]
    if strange:
        raise ValueError(f"class {strange[0]!r} is none of {', '.join(SPOT_CLASSES)}")
    if row["group"] and not _NAME.fullmatch(row["group"]):
        raise ValueError(f"group {row['group']!r} is not 1 to 64 of A-Z a-z 0-9 . _ -")
    from_ms, until_ms = _day(row["valid_from"], 0, zone), _day(row["valid_until"], 1, zone)
    if from_ms is not None and until_ms is not None and from_ms >= until_ms:
        raise ValueError("it would end before it begins")
    return Card(bytes((number,)) + _token(number, row["token"]), classes, row["group"], from_ms, until_ms)


def _token(kind: int, text: str) -> bytes:
    token = text.encode()
    if kind in _IN_HEX:
        try:
            token = bytes.fromhex(text.replace(":", ""))
        except ValueError:
            raise ValueError(f"{text!r} is not in hex digits, as in 04DE5F1EACC040") from None
    if not 1 <= len(token) <= 512:
        raise ValueError("a token has 1 to 512 bytes")
    return token


def _day(text: str, days: int, zone: ZoneInfo) -> int | None:
    """The begin of a day of the lot, or with days = 1 its end; Unix ms are taken as they are."""
    if not text or text.isdigit():
        return int(text) if text else None
    try:
        return at(date.fromisoformat(text) + timedelta(days), 0, zone)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is neither a date such as 2026-12-31 nor Unix ms") from None


def columns(card: Card, zone: ZoneInfo) -> tuple[str, ...]:
    """A card as `read` takes it."""
    kind, token = card.credential[0], card.credential[1:]
    return (
        kind_name(kind),
        token.hex().upper() if kind in _IN_HEX else token.decode(errors="backslashreplace"),
        " ".join(card.classes),
        card.group,
        _as_day(card.from_ms, 0, zone),
        _as_day(card.until_ms, 1, zone),
    )


def _as_day(at_ms: int | None, days: int, zone: ZoneInfo) -> str:
    """A date where it is the begin (or end) of one, else Unix ms."""
    if at_ms is None:
        return ""
    day = local_day(at_ms, zone)
    return str(day - timedelta(days)) if at(day, 0, zone) == at_ms else str(at_ms)


def is_plain(card: Card) -> bool:
    """Whether its row says all of it: passes made by other orders have weekly times, uses and areas."""
    text = card.credential[1:]
    readable = card.credential[0] in _IN_HEX or text == shown(card.credential[0], text).encode()
    return not card.others and readable


# -- from the one to the other


def orders_for(wanted: Iterable[Card], lot: dict[bytes, Card], registered: Iterable[bytes]) -> Orders:
    """What makes the lot's cards so; none for those that are so already."""
    known = set(registered)
    joins: dict[str, list[Card]] = {}
    leaves: dict[str, list[Card]] = {}
    orders: Orders = []
    for card in wanted:
        before = lot.get(card.credential, Card(card.credential, (), "", None, None))
        orders += _of_card(card, before, card.credential in known)
        if card.group != before.group:
            joins.setdefault(card.group, []).append(card)
            leaves.setdefault(before.group, []).append(card)
    for group, cards in leaves.items():
        orders += _members(group, "remove", cards)
    for group, cards in joins.items():
        orders += _members(group, "add", cards)
    return orders


def _of_card(card: Card, before: Card, registered: bool) -> Orders:
    name = pass_name(card.credential)
    if card.limited:
        spec = {"valid_from": card.from_ms, "valid_until": card.until_ms, "classes": card.classes}
        if not before.limited:
            return [("issue_pass", {"name": name, "credentials": [card.named], **spec})]
        return [("change_pass", {"name": name, **spec})] if _terms(card) != _terms(before) else []
    orders: Orders = []
    if before.limited:
        orders.append(("revoke_pass", {"name": name}))
    if before.limited or not registered or card.classes not in ((), before.classes):
        classes = {"classes": card.classes} if card.classes else {}
        orders.append(("register_credential", {**card.named, **classes}))
    return orders


def _terms(card: Card) -> tuple[Any, ...]:
    return card.from_ms, card.until_ms, card.classes


def removals(card: Card, registered: bool) -> Orders:
    """What takes a card away: its registration, its own pass, its group."""
    orders: Orders = [("forget_credential", card.named)] if registered else []
    if card.limited:
        orders.append(("revoke_pass", {"name": pass_name(card.credential)}))
    return [*orders, *_members(card.group, "remove", [card])]


def _members(group: str, what: str, cards: list[Card]) -> Iterator[tuple[str, dict[str, Any]]]:
    """set_group, as often as its events need to fit records."""
    part: list[dict[str, Any]] = []
    size = 0
    for card in cards if group else ():
        part.append(card.named)
        size += len(card.credential) + 4
        if size >= MEMBERS_BYTES_MAX or len(part) == MEMBERS_MAX:
            yield "set_group", {"name": group, what: part}
            part, size = [], 0
    if part:
        yield "set_group", {"name": group, what: part}
