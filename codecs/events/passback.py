"""Events of anti-passback and of identity at the exit. `actor` is empty where a rule did it."""

from typing import Any

from liftgate.codecs.events.operators import OperatorEvent


class DoubtCast(OperatorEvent, frozen=True, tag=0x60):
    """Cars may have gone unseen through a lane (cause: "held open", "forced") on either side of `area`.

    stays: how many stays are unknown by it; until_ms: so long an exit of the area without an entry is taken.
    """

    reader: str
    lane: int
    area: str
    cause: str
    stays: int
    until_ms: int


class PassbacksReset(OperatorEvent, frozen=True, tag=0x61):
    """Where many cars are is no longer believed: those of `credentials`, or of the whole lot.

    group: whose credentials they were, "" for a list; whole: the lot's stays, and until until_ms exits
    without an entry.
    """

    credentials: tuple[bytes, ...]
    group: str
    whole: bool
    until_ms: int
    actor: str
    reason: str


class TicketLost(OperatorEvent, frozen=True, tag=0x62):
    """A stay's credential is lost: the stay goes on under `replacement`, or ends where that is None."""

    session: bytes
    credential: bytes
    replacement: bytes | None
    entered_at_ms: int
    cause: str
    actor: str


class StayClosed(OperatorEvent, frozen=True, tag=0x63):
    """A stay ended without an exit that anybody saw; its spot is free and its car counts no more.

    cause: "presumed gone", or an operator's words.
    """

    session: bytes
    credential: bytes
    area: str | None
    spot: str | None
    entered_at_ms: int
    cause: str
    actor: str


class CredentialSwapped(OperatorEvent, frozen=True, tag=0x64):
    """A stay goes on under another credential."""

    session: bytes
    before: bytes
    after: bytes
    actor: str
    reason: str


class CarNamed(OperatorEvent, frozen=True, tag=0x65):
    """A car in `area` that had no stay has one, on an attendant's word of when it came in."""

    session: bytes
    credential: bytes
    area: str
    entered_at_ms: int
    notes: dict[str, Any]
    cause: str
    actor: str
