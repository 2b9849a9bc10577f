"""Credentials and plates as keyed hashes, wherever an event leaves the engine: history, stream, whoever is
next.

A hash and not nothing, so that the stays of one car can still be told to be one car's; with a key, so that
nobody who has only the history finds out whose by hashing every plate there is. Words that people typed
(`reason`, `cause`, an actor's name) stay as they are, since nobody can say what stands in them: they go when
the event does.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from hashlib import sha256
from typing import Any, NamedTuple

from msgspec.structs import astuple

from liftgate.codecs import codes
from liftgate.codecs.events import (
    Event,
    entitlements,
    lanes,
    ledger,
    operators,
    passback,
    plain,
    registry,
    reservations,
)
from liftgate.codecs.events.readers import (
    SCAN_DECIDED,
    HistoryRecorded,
    LaneReported,
    PassageRecorded,
    ScanDecided,
)

HASH_BYTES = 16
KEY_BYTES_MIN = 16
SHA256_BLOCK = 64
"""Bytes that SHA-256 takes at a time, to which HMAC fills up its key."""
CREDENTIALS_KEPT = 16_384
"""Hashes at hand, as whoever comes in goes out again: more than the cars in most sites, a few MiB."""
HIDDEN = "hidden"
"""In place of a text that names a plate among other things."""


class Hasher:
    """Names credentials by HMAC-SHA256 under one key, cut to 16 bytes: still no two of 10^12 alike.

    HMAC (RFC 2104) by two copies of SHA-256 that have the key in them already: `hmac.digest`, which begins
    with the key each time, takes 2.0 µs where this takes 0.8, and the stream hashes each car that is new.
    Raises ValueError for a key of fewer than KEY_BYTES_MIN bytes.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < KEY_BYTES_MIN:
            raise ValueError(f"a key has {KEY_BYTES_MIN} bytes at least, this one {len(key)}")
        block = (key if len(key) <= SHA256_BLOCK else sha256(key).digest()).ljust(SHA256_BLOCK, b"\0")
        self._inner = sha256(bytes(byte ^ 0x36 for byte in block))
        self._outer = sha256(bytes(byte ^ 0x5C for byte in block))
        self.of: Callable[[bytes], bytes] = lru_cache(CREDENTIALS_KEPT)(self._of)
        """The hash of a credential (kind byte + token)."""
        self.mark = self.of(b"liftgate history")[:8]
        """Tells one key from another, and nothing of either: no credential begins with that byte."""

    def _of(self, credential: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(credential)
        outer.update(inner.digest())
        return outer.digest()[:HASH_BYTES]

    def plate(self, text: str) -> bytes:
        """The hash of a plate as the rules compare it (letters and digits, in capitals)."""
        return self.of(bytes((codes.PLATE,)) + text.encode())


Veil = Callable[[Hasher, Any, Any], Any]
"""From a field's value and its event, what may leave in its place, as plain as `plain.plain` gives it."""


def fields(event: Event, hasher: Hasher) -> dict[str, Any]:
    """The event's plain fields (`codecs/events/plain.py`) with hashes, as hex digits, for credentials and
    plates.
    """
    return dict(zip(plain.names(type(event)), values(event, hasher), strict=True))


def values(event: Event, hasher: Hasher) -> list[Any]:
    """The values of `fields` in the order of `plain.names`."""
    return values_of(type(event), hasher)(event)


@lru_cache(maxsize=1024)  # of each event, for all the hashers that one process ever has
def values_of(event_type: type[Event], hasher: Hasher) -> plain.Values:
    """What makes `values` of events of this type: for whoever has many of them."""
    return _scans(hasher) if event_type is ScanDecided else by_table(event_type, hasher)


def by_table(event_type: type[Event], hasher: Hasher) -> plain.Values:
    """What makes values of any event, as VEILS has it; of a scan `rare` is left as it is."""
    hexed, conversions, veils = _plan(event_type)

    def shown(event: Event) -> list[Any]:
        found = [*astuple(event)]
        for place in hexed:
            value = found[place]
            if value is not None:
                found[place] = value.hex()
        for place, convert in conversions:
            found[place] = convert(found[place])
        for place, veil in veils:
            found[place] = veil(hasher, found[place], event)
        return found

    return shown


def _scans(hasher: Hasher) -> plain.Values:
    """Of scans, most of what there is: by hand what VEILS says of them, in two thirds of the time."""
    fields, of = ScanDecided.__struct_fields__, hasher.of
    token, session = fields.index("token"), fields.index("session")

    def scanned(event: Any) -> list[Any]:
        found = [*astuple(event)]
        found[token] = of(_KINDS[event.kind] + event.token).hex()
        if event.session is not None:
            found[session] = event.session.hex()
        plain.unfold_rare(found, event)
        if event.rare is not None:
            found[-2:] = _trace(hasher, event.trace, event), _marks(hasher, event.marks, event)
        return found

    return scanned


class _Plan(NamedTuple):
    """What is done to an event's values, by place.

    hexed: bytes or None that no veil is over; conversions: whatever else has none; veils: the rest.
    """

    hexed: list[int]
    conversions: list[tuple[int, plain.Convert]]
    veils: list[tuple[int, Veil]]


@cache
def _plan(event_type: type[Event]) -> _Plan:
    """Looked up once for a type."""
    places = {name: place for place, name in enumerate(event_type.__struct_fields__)}
    veils = [
        (places[name], veil)
        for name, veil in VEILS[event_type].items()
        if veil is not _as_is and name in places
    ]
    veiled = {place for place, _ in veils}
    conversions = [each for each in plain.conversions(event_type) if each[0] not in veiled]
    hexed = [place for place, convert in conversions if convert is plain.to_hex]
    return _Plan(hexed, [each for each in conversions if each[0] not in hexed], veils)


# -- veils

_KINDS = [bytes((kind,)) for kind in range(256)]
"""Kind bytes, as they stand before a token."""


def _as_is(hasher: Hasher, value: Any, event: Any) -> Any:
    """It may hold bytes or anything, and holds no credential: names of sessions, of orders, configuration."""
    return plain.plain(value)


def _credential(hasher: Hasher, value: bytes | None, event: Any) -> str | None:
    return None if value is None else hasher.of(value).hex()


def _credentials(hasher: Hasher, value: tuple[bytes, ...], event: Any) -> list[str]:
    return [hasher.of(each).hex() for each in value]


def _token(hasher: Hasher, value: bytes, event: ScanDecided) -> str:
    return hasher.of(_KINDS[event.kind] + value).hex()


def _code(hasher: Hasher, value: bytes, event: Any) -> str:
    """A reservation's code is a token whose kind is not known yet."""
    return hasher.of(value).hex() if value else ""


def _pass(hasher: Hasher, value: dict[str, Any], event: Any) -> dict[str, Any]:
    """Whom a visitor visits is a person's name."""
    spec = plain.plain(value)
    spec["credentials"] = [hasher.of(each).hex() for each in value["credentials"]]
    if value.get("host"):
        spec["host"] = HIDDEN
    return dict(spec)


def _marks(hasher: Hasher, value: dict[str, Any], event: Any) -> dict[str, Any]:
    marks = dict(plain.plain(value))
    for name in ("witness", "plate"):
        if name in marks:
            marks[name] = hasher.plate(value[name]).hex()
    if "plate_mismatch" in marks:
        marks["plate_mismatch"] = HIDDEN
    return marks


def _trace(hasher: Hasher, value: tuple[str, ...] | None, event: Any) -> list[str] | None:
    return None if value is None else [_without_plates(line) for line in value]


def _without_plates(line: str) -> str:
    """Rules say "name: what it saw", and those of plates saw plates."""
    rule, colon, _ = line.partition(": ")
    return f"{rule}: {HIDDEN}" if colon and rule in PLATE_RULES else line


PLATE_RULES = {"plate beside", "plate against stay"}


def _notes(hasher: Hasher, value: dict[str, Any], event: Any) -> dict[str, Any]:
    notes = dict(plain.plain(value))
    if "plate" in notes:
        notes["plate"] = hasher.plate(value["plate"]).hex()
    return notes


def _detail(hasher: Hasher, value: tuple[Any, ...], event: HistoryRecorded) -> Any:
    """Of a scan: kind and token."""
    if event.what == SCAN_DECIDED:
        return [value[0], hasher.of(bytes((value[0],)) + value[1]).hex()]
    return plain.plain(value)


def _about(hasher: Hasher, value: dict[str, Any], event: Any) -> dict[str, Any]:
    """A finding about a stay names its credential in hex digits."""
    about = dict(plain.plain(value))
    if "credential" in about:
        about["credential"] = hasher.of(bytes.fromhex(about["credential"])).hex()
    return about


TELLING_CODES = {"ambiguous", "in_other_group", "not_a_member"}


def _body(hasher: Hasher, value: dict[str, Any], event: operators.CommandDone) -> dict[str, Any]:
    """Some orders are refused in words that name a credential, or the plates of all stays that fit."""
    body = dict(plain.plain(value))
    if event.code in TELLING_CODES:
        body["text"] = HIDDEN
    return body


def _hidden(hasher: Hasher, value: str, event: Any) -> str:
    return HIDDEN


def _no_key(hasher: Hasher, value: bytes, event: Any) -> str:
    """Wrapped or not, a reader's key is for the engine alone; nobody needs to tell one from another here."""
    return ""


_PASS: dict[str, Veil] = {"spec": _pass}
_CREDENTIAL: dict[str, Veil] = {"credential": _credential}
_ID: dict[str, Veil] = {"id": _as_is}
_SESSION: dict[str, Veil] = {"session": _as_is}
_NOTHING: dict[str, Veil] = {}

VEILS: dict[type, dict[str, Veil]] = {
    ScanDecided: {"token": _token, "session": _as_is, "rare": _as_is, "trace": _trace, "marks": _marks},
    PassageRecorded: _SESSION,
    LaneReported: _NOTHING,
    HistoryRecorded: {"session": _as_is, "detail": _detail},
    operators.LotConfigured: {"spec": _as_is},
    operators.ReaderConfigured: {"lanes": _as_is},
    operators.MoveLapsed: _SESSION,
    operators.CommandDone: {"id": _as_is, "body": _body},
    operators.CountCorrected: _NOTHING,
    operators.LaneModeSet: _NOTHING,
    operators.LaneVended: _NOTHING,
    operators.TextShown: {"text": _hidden},  # a display greets by plate
    operators.CredentialDenied: _CREDENTIAL,
    operators.CredentialAllowed: _CREDENTIAL,
    operators.CredentialRegistered: _CREDENTIAL,
    operators.CredentialForgotten: _CREDENTIAL,
    operators.PassbackReset: _CREDENTIAL,
    operators.RulesSet: {"rules": _as_is},
    operators.FindingMade: {"about": _about},
    entitlements.PassIssued: _PASS,
    entitlements.PassChanged: _PASS,
    entitlements.PassRevoked: _NOTHING,
    entitlements.PassForgotten: _NOTHING,
    entitlements.GroupSet: {"areas": _as_is, "added": _credentials, "removed": _credentials},
    entitlements.GroupRemoved: _NOTHING,
    entitlements.ChargerReported: _SESSION,
    entitlements.ChargerBlocked: _SESSION,
    reservations.ReservationMade: {"id": _as_is, "credential": _credential, "code": _code},
    reservations.ReservationChanged: {"id": _as_is, "credential": _credential},
    reservations.ReservationCancelled: _ID,
    reservations.HoldGrown: _ID,
    reservations.ReservationOpened: {"id": _as_is, "session": _as_is},
    reservations.ReservationReleased: _ID,
    reservations.ReservationOffered: _ID,
    reservations.OfferAccepted: _ID,
    reservations.ReservationOverstayed: {"id": _as_is, "session": _as_is},
    reservations.ReservationTurnedAway: _ID,
    reservations.SpotWithheld: _ID,
    reservations.ArrivalWithdrawn: _ID,
    passback.DoubtCast: _NOTHING,
    passback.PassbacksReset: {"credentials": _credentials},
    passback.TicketLost: {"session": _as_is, "credential": _credential, "replacement": _credential},
    passback.StayClosed: {"session": _as_is, "credential": _credential},
    passback.CredentialSwapped: {"session": _as_is, "before": _credential, "after": _credential},
    passback.CarNamed: {"session": _as_is, "credential": _credential, "notes": _notes},
    registry.ReaderRegistered: {"key": _no_key, "lanes": _as_is},
    registry.ReaderChanged: {"lanes": _as_is},
    registry.ReaderKeyRotated: {"key": _no_key},
    registry.ReaderKeyRetired: _NOTHING,
    registry.ReaderRevoked: _NOTHING,
    ledger.AreasRecounted: _NOTHING,
    ledger.CountReported: _NOTHING,
    ledger.LaneReconciled: _NOTHING,
    lanes.ModeSet: _NOTHING,
    lanes.ModeEnded: _NOTHING,
    lanes.EventPlanned: _NOTHING,
    lanes.PlanCancelled: _NOTHING,
    lanes.PlanEnded: _NOTHING,
    lanes.PlacesHeld: _NOTHING,
    lanes.RateExceeded: _NOTHING,
    lanes.LaneDown: _NOTHING,
    lanes.LaneUp: _NOTHING,
    lanes.TideTurned: _NOTHING,
    lanes.AloneReported: _NOTHING,
}
"""Which fields of which event leave otherwise than they are. Named here is every event, and every field of it
whose type could hold a token (bytes, or anything at all); tests/history/test_privacy.py holds that, so that a
new event has to be thought about.
"""
