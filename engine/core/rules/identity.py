"""Whose car it is: plates beside credentials, and credentials that were reported lost."""

from typing import Any

from liftgate.codecs import codes
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lane, Lot
from liftgate.engine.core.parts.plates import edits, normal, plate_of
from liftgate.engine.core.rules.access import DENIED
from liftgate.engine.core.rules.base import PartRule, Rule
from liftgate.engine.core.rules.place import is_judged_elsewhere

WITNESS = 102
LOOK = 500


class WitnessRule(PartRule):
    """A rule of lots where plates are witnesses at some lane. seen: the part's own dict."""

    def __init__(self, part: Any) -> None:
        super().__init__(part)
        self.seen = part.seen

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        part = lot.parts["identity"]
        return cls(part) if part.uses_witnesses() else None

    def concerns(self, lane: Lane) -> bool:
        """A plate waits for its credential at the lane where it was seen."""
        witnessed: bool = self.part.is_witnessed(lane)
        return witnessed


class PlateIsWitness(WitnessRule):
    """A plate at a witnessed lane opens nothing: it is noted for the credential that comes next.

    Refused, since version 1's answers are open, refuse and pay, and a reader raises its barrier for the first
    only; with a reason of its own and no text, so that the display stays as it is.
    """

    name = "plate"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if read.kind != codes.PLATE or not self.part.is_witnessed(read.lane):
            return 0
        read.mark("witness", normal(read.token))
        return WITNESS

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        if read.kind != codes.PLATE:
            return "not a plate"
        witnessed = self.part.is_witnessed(read.lane)
        return "a witness at this lane: noted" if witnessed else "a credential at this lane"


class PlateComesAlong(WitnessRule):
    """The plate seen before the credential goes into the stay. Asked last: it objects to nothing."""

    name = "plate beside"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if self.seen:
            plate = self.part.plate_at(read.lane, read.time_ms)
            if plate is not None:
                read.mark("plate", plate)
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        return f"saw {self.part.plate_at(read.lane, read.time_ms) or 'none'}"


class PlateAgrees(WitnessRule):
    """The plate at the exit is the one that the stay came in with, as far as cameras can tell."""

    name = "plate against stay"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        return self._compare(read) if self.seen else 0

    def _compare(self, read: ReadCredential) -> int:
        plate = self.part.plate_at(read.lane, read.time_ms)
        if plate is None:
            return 0
        read.mark("plate", plate)
        known = None if read.stay is None else plate_of(read.stay)
        if known is None:
            return 0
        apart = edits(known, plate)
        if apart <= self.part.rules.edits_max:
            return 0
        read.mark("plate_mismatch", f"in {known}, out {plate}: {apart} apart")
        if self.part.rules.mismatch == "refuse":
            return LOOK
        read.soft_reason = LOOK
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        plate = self.part.plate_at(read.lane, read.time_ms)
        known = None if read.stay is None else plate_of(read.stay)
        if plate is None or known is None:
            return f"came in with {known or 'none'}, saw {plate or 'none'}"
        apart, most = edits(known, plate), self.part.rules.edits_max
        return f"came in with {known}, saw {plate}: {apart} apart, at most {most}"


class NotLost(PartRule):
    """A credential that was reported lost is refused at exits too: its stay is another's, or over.

    The deny list alone keeps cars out and not in; this one has no car any more. Off the deny list, it is
    found. Not asked where there are no such rules: a credential without a stay gets out nowhere then.
    """

    name = "lost"

    def __init__(self, part: Any) -> None:
        super().__init__(part)
        self.lost = part.lost

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        return cls(lot.parts["identity"]) if is_judged_elsewhere(lot) else None

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if self.lost and read.credential in self.lost and read.credential in lot.denied:
            return DENIED
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        at_ms = self.lost.get(read.credential)
        return "not reported lost" if at_ms is None else f"reported lost at {at_ms}"
