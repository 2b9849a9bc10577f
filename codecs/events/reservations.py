"""What happened to reservations (tags 0x50-0x5F).

id: 16 bytes, that of the order that asked for it; percent: how much of its place is kept from others.
"""

from liftgate.codecs.events.operators import OperatorEvent


class ReservationMade(OperatorEvent, frozen=True, tag=0x50):
    """A place is reserved, or waited for (`waiting`), under the tolerances of the day.

    credential: kind byte + token, None while only a code is known; spot: "" for any of the class.
    """

    id: bytes
    credential: bytes | None
    code: bytes
    area: str
    spot_class: str
    spot: str
    from_ms: int
    to_ms: int
    early_ms: int
    late_ms: int
    leave_ms: int
    waiting: bool
    percent: int
    actor: str
    reason: str


class ReservationChanged(OperatorEvent, frozen=True, tag=0x51):
    """A reservation is for this time and this credential from here on."""

    id: bytes
    credential: bytes | None
    from_ms: int
    to_ms: int
    percent: int
    actor: str
    reason: str


class ReservationCancelled(OperatorEvent, frozen=True, tag=0x52):
    """A reservation is given up by those who asked for it."""

    id: bytes
    actor: str
    reason: str


class HoldGrown(OperatorEvent, frozen=True, tag=0x53):
    """The time of a reservation nears: so much of its place is kept from others."""

    id: bytes
    percent: int


class ReservationOpened(OperatorEvent, frozen=True, tag=0x54):
    """From here on the car may come; its place is kept whole. session: its stay, where it is in already."""

    id: bytes
    session: bytes | None


class ReservationReleased(OperatorEvent, frozen=True, tag=0x55):
    """Time gave a reservation up. why: "no_show", "turned_away", "offer_lapsed" or "never_offered"."""

    id: bytes
    why: str


class ReservationOffered(OperatorEvent, frozen=True, tag=0x56):
    """The first in line that fits is offered a place, to be accepted before until_ms."""

    id: bytes
    until_ms: int


class OfferAccepted(OperatorEvent, frozen=True, tag=0x57):
    """An offered place is reserved."""

    id: bytes
    actor: str


class ReservationOverstayed(OperatorEvent, frozen=True, tag=0x58):
    """A car stays beyond its reservation; told once, in the finding beside this event."""

    id: bytes
    session: bytes


class ReservationTurnedAway(OperatorEvent, frozen=True, tag=0x59):
    """A car with a reservation found no place; told once, in the finding beside this event."""

    id: bytes


class SpotWithheld(OperatorEvent, frozen=True, tag=0x5A):
    """A reserved spot got free and is kept from others from here on."""

    id: bytes


class ArrivalWithdrawn(OperatorEvent, frozen=True, tag=0x5B):
    """The car for which a barrier was opened did not come in: its place is kept again."""

    id: bytes
