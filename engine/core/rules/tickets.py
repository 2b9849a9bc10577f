"""Whether a credential that says that it can prove itself did: a signed ticket, an NTAG 424 tag."""

from typing import Any

from liftgate.codecs import codes
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.model import Lot, Stay
from liftgate.engine.core.parts.tickets import THEME, is_proven
from liftgate.engine.core.rules.base import PartRule, Rule

UNKNOWN = 200
NOT_VALID = 202
NOT_GENUINE = 203
USED = 204


class TicketRule(PartRule):
    """A rule of lots with tickets. used, counters: the part's own dicts."""

    def __init__(self, part: Any) -> None:
        super().__init__(part)
        self.used: dict[bytes, int] = part.used
        self.counters: dict[bytes, int] = part.counters

    @classmethod
    def made_for(cls, lot: Lot) -> Rule | None:
        part = lot.ruled(THEME)
        return None if part is None else cls(part)


class ProofComesAlong(TicketRule):
    """What was proven goes into the event, whatever comes of the scan. Asked first; it objects to nothing:
    a counter that was heard at a closed lane is heard.
    """

    name = "proof"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        if read.proof is not None:
            marks = read.proof.marks()
            for name in marks:
                read.mark(name, marks[name])
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        proof = read.proof
        if proof is None:
            return "none needed"
        if not proof.identity:
            return proof.fault
        what = "ticket" if proof.counter is None else f"tag at its tap {proof.counter}"
        return f"{what}, proven by key {proof.kid}"


class IsGenuine(TicketRule):
    """At exits too: signature, MAC and counter say that this is the credential, and no copy of a message.

    A stay that began with one is not spoken for by the same bytes without a proof.
    """

    name = "genuine"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        proof = read.proof
        if proof is None:
            return NOT_GENUINE if self._needs_proof(read) else 0
        if not proof.identity:
            return NOT_GENUINE
        if proof.counter is not None and proof.counter <= self.counters.get(read.token, -1):
            return USED
        return 0

    def _needs_proof(self, read: ReadCredential) -> bool:
        return read.kind == codes.TAG or (read.kind == codes.QR and is_proven(read.stay))

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        proof = read.proof
        if proof is None:
            return "not proven, and it should be" if self._needs_proof(read) else "nothing to prove"
        if not proof.identity:
            return proof.fault
        if proof.counter is None:
            return "genuine"
        last = self.counters.get(read.token)
        return f"counter {proof.counter}, last heard {'none' if last is None else last}"


class TicketIsGood(TicketRule):
    """At entries: for this lot, in its time, and a single-use one not used yet.

    Used is a ticket once a barrier opened for it, whether its car passed or not: else a copy would come in
    while the first car backs out. A scan again at the same barrier before its car passed is the same use.
    """

    name = "ticket"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        proof = read.proof
        if proof is None or proof.counter is not None or not proof.identity:
            return 0
        if proof.lot != lot.id:
            return UNKNOWN
        if not proof.from_s * 1000 <= read.time_ms < proof.until_s * 1000:
            return NOT_VALID
        if proof.single_use and read.token in self.used and read.lane.area.parent is None:
            return 0 if _waits_here(read.stay, read) else USED
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        proof = read.proof
        if proof is None or proof.counter is not None or not proof.identity:
            return "no ticket"
        said = f"for lot {proof.lot}, good from {proof.from_s * 1000} until {proof.until_s * 1000}"
        if not proof.single_use:
            return said
        return f"{said}, for one entry: {'used before' if read.token in self.used else 'not used yet'}"


def _waits_here(stay: Stay | None, read: ReadCredential) -> bool:
    """Whether the ticket's car still waits before this very barrier."""
    return stay is not None and stay.moving and stay.area is None and stay.lane is read.lane
