"""What operators, services and configuration did: events as msgspec structs.

On disk each is a MessagePack array `[type, lot, seq, at_ms, …]`, as all events are (`events.py`).
`actor` is who asked for it, as the service names them; `reason` is for people.
"""

from typing import Any

import msgspec


class OperatorEvent(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of the events that commands and configuration cause."""

    lot: str
    seq: int
    at_ms: int


class LotConfigured(OperatorEvent, frozen=True, tag=0x20):
    """Areas, blocks and gates as configured from here on; `spec` has the shape of LotSpec."""

    spec: dict[str, Any]


class ReaderConfigured(OperatorEvent, frozen=True, tag=0x21):
    """A reader's lanes from here on; a reader without lanes is removed (its numberings stay)."""

    reader: str
    lanes: tuple[tuple[Any, ...], ...]


class MoveLapsed(OperatorEvent, frozen=True, tag=0x22):
    """No PASSAGE came in time: a promised spot is free again, or a car that was let out is still in."""

    session: bytes


class CommandDone(OperatorEvent, frozen=True, tag=0x30):
    """A service's command and its outcome; what it changed stands in the events before it.

    id: 16 bytes, the command's name for ever; service: who sent it; ok, code, body: its outcome.
    """

    id: bytes
    service: str
    name: str
    ok: bool
    code: str
    body: dict[str, Any]


class CountCorrected(OperatorEvent, frozen=True, tag=0x31):
    """A ledger entry: an area's count of its own cars was set by hand from `before` to `after`."""

    area: str
    before: int
    after: int
    actor: str
    reason: str


class LaneModeSet(OperatorEvent, frozen=True, tag=0x32):
    """A lane works in `mode` (SET_LANE's numbers) from here on."""

    reader: str
    lane: int
    mode: int
    actor: str
    reason: str


class LaneVended(OperatorEvent, frozen=True, tag=0x33):
    """A barrier was raised once by hand."""

    reader: str
    lane: int
    cause: str
    actor: str


class TextShown(OperatorEvent, frozen=True, tag=0x34):
    """A lane's display was given a text for some seconds."""

    reader: str
    lane: int
    text: str
    seconds: int
    actor: str


class CredentialDenied(OperatorEvent, frozen=True, tag=0x35):
    """A credential (kind byte + token) is refused at every entry from here on."""

    credential: bytes
    actor: str
    reason: str


class CredentialAllowed(OperatorEvent, frozen=True, tag=0x36):
    """A credential is off the deny list."""

    credential: bytes
    actor: str
    reason: str


class CredentialRegistered(OperatorEvent, frozen=True, tag=0x37):
    """A credential is known, and may have spots of these classes, in order of preference."""

    credential: bytes
    classes: tuple[str, ...]
    actor: str


class CredentialForgotten(OperatorEvent, frozen=True, tag=0x38):
    """A credential is no longer known."""

    credential: bytes
    actor: str


class PassbackReset(OperatorEvent, frozen=True, tag=0x39):
    """Where a credential's car is, is no longer believed: its next sighting is taken, in or out."""

    credential: bytes
    actor: str
    reason: str


class RulesSet(OperatorEvent, frozen=True, tag=0x3A):
    """The lot's rules from here on, all of them, by theme (`configs/rules`)."""

    rules: dict[str, Any]
    actor: str
    reason: str


class FindingMade(OperatorEvent, frozen=True, tag=0x3B):
    """Something that a person should look at; it changes nothing by itself.

    kind: short, for programs ("overstay", …; the table is in docs/rules.md); about: what it is about.
    """

    kind: str
    text: str
    about: dict[str, Any]
