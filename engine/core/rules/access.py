"""Whether the lane takes this credential at all."""

from typing import Any

from liftgate.codecs import codes
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot
from liftgate.engine.core.rules.base import Rule

LANE_CLOSED = 100
KIND_NOT_TAKEN = 101
UNKNOWN = 200
DENIED = 201

MODES = ("", "normal", "held open", "closed", "closed to all", "entry only with a known credential")
KINDS = ("", "QR code", "card", "NTAG 424", "plate")


class LaneIsOpen(Rule):
    """Mode 3 closes a lane for entry and leaves the way out; mode 4 closes both ways.

    Nobody should be locked in by a word that an operator chose to keep cars out, hence the two.
    """

    name = "lane"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        mode = read.lane.mode
        if mode == codes.NORMAL:
            return 0
        shut = mode == codes.CLOSED_TO_ALL or (mode == codes.CLOSED and read.way == codes.IN)
        return LANE_CLOSED if shut else 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return f"lane {read.lane.number} of {read.lane.reader.id} is {MODES[read.lane.mode]}"


class KindIsTaken(Rule):
    """The lane's configuration switches kinds of credential off."""

    name = "kind"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        return KIND_NOT_TAKEN if read.lane.policy[read.kind] == "off" else 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return f"{KINDS[read.kind]}: this lane's policy is {read.lane.policy[read.kind]}"


class NotDenied(Rule):
    """The deny list keeps cars out. It does not keep them in: a thief's car at the exit is on camera."""

    name = "deny list"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        return DENIED if lot.denied and read.credential in lot.denied else 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        why = lot.denied.get(read.credential)
        return "not on the deny list" if why is None else f"on the deny list: {why}"


class IsKnown(Rule):
    """Policy "known", and lane mode 5, let in only registered credentials, and holders of passes and members
    of groups: whether those let in is asked later (`rules/entitlements.py`). A reservation makes its
    credential known in its time, and a ticket is known by who signed it.
    """

    name = "known"

    def __init__(self, holders: dict[bytes, Any] | None = None, book: Any = None) -> None:
        self.holders = {} if holders is None else holders
        self.book = book

    @classmethod
    def made_for(cls, lot: Lot) -> "Rule | None":
        entitled, reserved = lot.ruled("entitlements"), lot.ruled("reservations")
        holders = None if entitled is None else entitled.holders
        return cls(holders, None if reserved is None else reserved.book)

    def check(self, lot: Lot, read: ReadCredential) -> int:
        lane = read.lane
        if lane.policy[read.kind] == "open" and lane.mode != codes.KNOWN_ONLY:
            return 0
        if read.credential in lot.known or read.credential in self.holders:
            return 0
        if read.proof is not None and read.proof.lot:
            return 0
        return 0 if self.book is not None and self.book.lets_in(lot, read) else UNKNOWN

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        known = "registered" if read.credential in lot.known else "not registered"
        if read.credential in self.holders:
            known += ", holds a pass or is in a group"
        if self.book is not None and self.book.lets_in(lot, read):
            known += ", has a reservation"
        if read.proof is not None and read.proof.lot:
            known += ", a ticket"
        lane = read.lane
        needed = lane.policy[read.kind] != "open" or lane.mode == codes.KNOWN_ONLY
        return f"{known}; registration is {'needed' if needed else 'not needed'} here"
