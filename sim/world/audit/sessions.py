"""Sessions: each stay has a name of its own, and keeps it from entry to exit."""

from typing import TYPE_CHECKING

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Sessions(Chapter):
    """A way in goes on with the stay of a car that is just outside, and begins a new one for any other. An
    exit begins one only where its entry is unknown, and an attendant's word does.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.known: set[bytes] = set()

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.NAMED:
            self._judge_new(event)
        history = event["type"] == r.HISTORY and event["what"] == r.SCAN
        if not history and event["type"] != r.SCAN:
            return
        look, session = lot.look(event), event["session"]
        opened = event["verdict_given" if history else "verdict"] == r.OPEN
        expected = None if look.stay is None or (history and not opened) else look.stay.session
        if opened and _begins(event, look, lot):
            self._judge_new(event)
        elif session != expected:
            self.find("wrong session", tell(event), f"session {expected.hex() if expected else None}")

    def _judge_new(self, event: Event) -> None:
        session = event["session"]
        if session is None or len(session) != 16 or session in self.known:
            self.find("session twice", tell(event), "16 bytes that named no stay before")
        self.known.add(session)


def _begins(event: Event, look: Look, lot: Lot) -> bool:
    """Where there are rules of passback, a live second entry into an inner area goes on with its stay."""
    if look.way == r.OUT:
        return look.stay is None and event["type"] == r.SCAN and "unknown_entry" in r.marks(event)
    if look.stay is None:
        return True
    unseen = look.stay.area != lot.outside(look.lane)
    goes_on = event["type"] == r.SCAN and lot.outside(look.lane) is not None and "passback" in lot.rules
    return unseen and not goes_on
