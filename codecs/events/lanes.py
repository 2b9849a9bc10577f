"""Events of lanes: modes by scope, plans of event days, tides, what was watched, readers down.

`at` names a scope: "lot", "area/{id}" or "lane/{reader}/{number}". `until_ms` 0: until further notice.
"""

from liftgate.codecs.events.operators import OperatorEvent

Step = tuple[int, int, str, int]
"""Of a plan: from_ms, to_ms, `at`, mode."""

Hold = tuple[int, int, str, int]
"""Of a plan: from_ms, to_ms, area, places."""


class ModeSet(OperatorEvent, frozen=True, tag=0x80):
    """Lanes of a scope work in `mode`, as far as nothing more specific is set.

    plan, step: whose step it is and which, "" for one set by hand; why is then the plan's to say.
    """

    at: str
    mode: int
    until_ms: int
    actor: str
    reason: str
    plan: str = ""
    step: int = 0


class ModeEnded(OperatorEvent, frozen=True, tag=0x81):
    """A mode of a scope is over; what lies beneath it holds. actor: who took it away, "" where time did.

    until_ms: as it was set, which of two set by hand it was.
    """

    at: str
    mode: int
    until_ms: int
    actor: str
    reason: str
    plan: str = ""
    step: int = 0


class EventPlanned(OperatorEvent, frozen=True, tag=0x82):
    """An event day: modes and places held, each in its time."""

    name: str
    from_ms: int
    to_ms: int
    steps: tuple[Step, ...]
    holds: tuple[Hold, ...]
    actor: str
    reason: str


class PlanCancelled(OperatorEvent, frozen=True, tag=0x83):
    """A plan is gone; what it had in force ended just before."""

    name: str
    actor: str
    reason: str


class PlanEnded(OperatorEvent, frozen=True, tag=0x84):
    """A plan's time is over and all it had in force has ended."""

    name: str


class PlacesHeld(OperatorEvent, frozen=True, tag=0x85):
    """A plan keeps `places` of an area for others from here on; 0: no longer."""

    area: str
    places: int
    plan: str
    step: int


class RateExceeded(OperatorEvent, frozen=True, tag=0x86):
    """Within an hour a lane saw more of `what` than the rules take as usual; counting begins anew."""

    reader: str
    lane: int
    what: str
    count: int


class LaneDown(OperatorEvent, frozen=True, tag=0x87):
    """A reader has not been heard since since_ms: nobody is decided at its lanes."""

    reader: str
    lanes: tuple[int, ...]
    since_ms: int


class LaneUp(OperatorEvent, frozen=True, tag=0x88):
    """A reader that was down is heard again; since_ms: from when on it was not."""

    reader: str
    lanes: tuple[int, ...]
    since_ms: int


class AloneReported(OperatorEvent, frozen=True, tag=0x8E):
    """A reader begins to tell by REPLAY what it did alone since since_ms: what it opened for is counted from
    nothing.
    """

    reader: str
    since_ms: int


class TideTurned(OperatorEvent, frozen=True, tag=0x89):
    """A lane for both ways runs "in" or "out" only, is "closed", or "off": both ways as without a tide.

    clear_until_ms: until then nobody is let through; actor: "" where the schedule turned it.
    """

    reader: str
    lane: int
    run: str
    clear_until_ms: int
    until_ms: int
    actor: str
    reason: str
