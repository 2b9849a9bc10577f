"""Access: closed lanes, kinds that are not taken, the deny list, and who must be known."""

from collections.abc import Iterable

from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import CLOSED, CLOSED_TO_ALL, KNOWN_ONLY, Lane
from liftgate.sim.world.audit.records import IN

TAG = 3
LANE_CLOSED, KIND_NOT_TAKEN, UNKNOWN, DENIED = 100, 101, 200, 201


class Access(Chapter):
    """What a lane lets by. The deny list and the list of the known are asked at entries only."""

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        mode, taken = lot.mode(look.lane), policy(look.lane, look.kind, lot)
        if mode == CLOSED_TO_ALL or (mode == CLOSED and look.way == IN):
            yield LANE_CLOSED
        if taken == "off":
            yield KIND_NOT_TAKEN
        if look.way == IN and look.credential in lot.denied:
            yield DENIED
        must_be_known = taken != "open" or mode == KNOWN_ONLY
        known = _is_known(look.credential, lot) or lot.book.lets_in(look) or self._has_ticket()
        if look.way == IN and must_be_known and not known:
            yield UNKNOWN

    def _has_ticket(self) -> bool:
        """Who signed it knows it."""
        truth = self.audit.shown
        return truth is not None and truth.taps is None


def policy(lane: Lane, kind: int, lot: Lot) -> str:
    """What a lane takes of a kind; tags as it takes cards, where the lot has keys for them."""
    if kind == TAG and not lot.rules.get("tickets", {}).get("tags"):
        return "off"
    return lane.taken[kind]


def _is_known(credential: bytes, lot: Lot) -> bool:
    """Registered, or holding a pass or in a group, where the lot has rules for those."""
    holds = lot.rules.get("entitlements") is not None and lot.entitled.holds(credential)
    return credential in lot.known or holds
