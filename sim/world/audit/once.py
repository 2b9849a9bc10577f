"""Once: each event of a reader is on record at most once, and as the reader told it."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Made
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

SKEW_MS_MAX = 10_000
"""A reader's time further off than this is not decided by (protocol)."""


class Once(Chapter):
    """Whatever way an event takes, and however often it comes, one record tells of it."""

    def command(self, service: str, id: bytes, lot: str, name: str, args: dict[str, Any]) -> None:
        """A scan by another path goes under its reader's own name for it."""
        if name == "read_credential":
            scan = Made(r.SCAN, args["at_ms"], args["lane"], [args["kind"], args["token"]], False, 0)
            self.audit.made.setdefault((args["reader"], args["boot"], args["no"]), scan)

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] not in r.READER_EVENTS:
            return
        name = (event["reader"], event["boot"], event["no"])
        before, made = self.audit.recorded.get(name), self.audit.made.get(name)
        if before is not None:
            self.find("recorded twice", tell(event), f"it was decided once: {tell(before)}")
        elif made is None:
            self.find("nobody's event", tell(event), "an event that a reader made")
        else:
            self._judge_told(event, made)

    def _judge_told(self, event: Event, made: Made) -> None:
        history = event["type"] == r.HISTORY
        type = event["what"] if history else event["type"]
        rest = _rest(event)[: len(made.rest)]
        expected = _told(event, made) if made.type != r.SCAN else self._proven(event, made)
        if (type, event["lane"], rest) != (made.type, made.lane, expected):
            self.find("told otherwise", tell(event), f"what its reader told: {made}")
        if history and made.alone and event["verdict_given"] != made.verdict_given:
            self.find("told otherwise", tell(event), f"verdict given {made.verdict_given}")
        if made.alone and not history:
            self.find("history decided", tell(event), "what a reader did alone is recorded as it happened")
        if not _right_time(event, made.at_ms):
            self.find("wrong time", tell(event), f"the reader's {made.at_ms}, or the engine's where far off")

    def _proven(self, event: Event, made: Made) -> list[Any]:
        """A scan stands under what it proved, where the lot has rules of tickets."""
        ruled = "tickets" in self.audit.lots[event["lot"]].rules
        truth = self.audit.truth(event["lot"], made.rest[1]) if ruled else None
        return made.rest if truth is None else [made.rest[0], truth.name]


def _rest(event: Event) -> list[Any]:
    """What stands after `lane` in the body of the event that was told."""
    if event["type"] == r.SCAN:
        return [event["kind"], event["token"]]
    if event["type"] == r.PASSAGE:
        return [event["what"], event["session"]]
    if event["type"] == r.LANE:
        return [event["barrier"], event["loop"], event["faults"]]
    detail: list[Any] = r.plain(event["detail"])
    return detail


def _told(event: Event, made: Made) -> list[Any]:
    """What was told; a live passage that named no stay is recorded with the one it was about."""
    if event["type"] == r.PASSAGE and made.rest[1:] in ([], [None]):
        return [made.rest[0], event["session"]][: len(made.rest)]
    return made.rest


def _right_time(event: Event, at_ms: int) -> bool:
    """Live, the reader's time unless it is far off the engine's; of history, not later than the engine's."""
    now_ms = event["now_ms"]
    if event["type"] == r.HISTORY:
        return bool(event["at_ms"] == min(at_ms, now_ms))
    right = at_ms if abs(at_ms - now_ms) <= SKEW_MS_MAX else now_ms
    skew_ms = event.get("skew_ms", at_ms - right)
    return bool((event["at_ms"], skew_ms) == (right, at_ms - right))
