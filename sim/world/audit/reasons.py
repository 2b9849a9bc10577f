"""Reasons: an opened barrier had nothing against it, and the reason of a refusal is true."""

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.offline import exceeded
from liftgate.sim.world.audit.records import Event, tell

LOOK = 500
"""Finding: the reader refused what the rules would have let through."""


class Reasons(Chapter):
    """Every chapter's objections to a scan, against what was decided. Which of several true reasons is given
    is the engine's choice. What a rule lets by is told where nothing else objects. History is never refused:
    there the finding is the reason.
    """

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.SCAN:
            self._judge_scan(event, lot)
        elif event["type"] == r.HISTORY and event["what"] == r.SCAN:
            self._judge_history(event, lot)

    def _judge_scan(self, event: Event, lot: Lot) -> None:
        true = self.audit.objections(lot.look(event), lot)
        if event["verdict"] == r.OPEN:
            self._judge_opened(event, lot, true)
        elif event["reason"] not in true:
            expected = f"one of {sorted(true)}" if true else "opened: nothing is against it"
            self.find("wrongly refused", tell(event), expected)

    def _judge_opened(self, event: Event, lot: Lot, true: set[int]) -> None:
        told = self.audit.passed_over(lot.look(event), lot) or {0}
        if true:
            self.find("wrongly opened", tell(event), f"refused, for one of {sorted(true)}")
        elif event["reason"] not in told:
            self.find("wrongly opened", tell(event), f"opened, with one of {sorted(told)} as its reason")

    def _judge_history(self, event: Event, lot: Lot) -> None:
        true = self.audit.objections(lot.look(event), lot)
        if event["verdict_given"] == r.OPEN:
            told = self.audit.passed_over(lot.look(event), lot)
            right = event["finding"] in (true or told or exceeded(event, lot) or {0})
        else:
            right = event["finding"] == (0 if true else LOOK)
        if not right:
            self.find("wrong finding", tell(event), f"by what the rules say: {sorted(true) or 'nothing'}")
