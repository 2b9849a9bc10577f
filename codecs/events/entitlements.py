"""What happened to passes, groups and chargers (tags 0x40-0x4F)."""

from typing import Any

from liftgate.codecs.events.operators import OperatorEvent


class PassIssued(OperatorEvent, frozen=True, tag=0x40):
    """A pass is there from here on; `spec` has the shape of parts/passes.PassSpec."""

    spec: dict[str, Any]
    actor: str
    reason: str


class PassChanged(OperatorEvent, frozen=True, tag=0x41):
    """The pass of this name is as `spec` says from here on; its uses so far stay counted."""

    spec: dict[str, Any]
    actor: str
    reason: str


class PassRevoked(OperatorEvent, frozen=True, tag=0x42):
    """A pass is taken back; a car that came in by it may leave."""

    name: str
    actor: str
    reason: str


class PassForgotten(OperatorEvent, frozen=True, tag=0x43):
    """A pass that ended long ago is remembered no more."""

    name: str


class GroupSet(OperatorEvent, frozen=True, tag=0x44):
    """A group is there with these allotments from here on, with those added and without those removed.

    limit: stays at once, None: any number; areas: the same by area; over: "refuse" or "casual".
    """

    name: str
    limit: int | None
    areas: dict[str, int]
    over: str
    added: tuple[bytes, ...]
    removed: tuple[bytes, ...]
    actor: str
    reason: str


class GroupRemoved(OperatorEvent, frozen=True, tag=0x45):
    """A group is no more; its members' credentials are what they were without."""

    name: str
    actor: str
    reason: str


class ChargerReported(OperatorEvent, frozen=True, tag=0x48):
    """A charger said what the car at it does: "charging", "full" or "unplugged".

    spot: its name, "" where the charger knows only the stay; session: the stay at it, None: nobody's known.
    """

    spot: str
    session: bytes | None
    state: str
    actor: str


class ChargerBlocked(OperatorEvent, frozen=True, tag=0x49):
    """A full car stayed at its charger beyond the grace; told once, in the finding beside this event."""

    spot: str
    session: bytes | None
    full_since_ms: int
