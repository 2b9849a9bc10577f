"""What a lane saw of a car after its barrier was opened, or without."""

from liftgate.codecs import codes
from liftgate.engine.core.commands import RecordPassage
from liftgate.engine.core.events import PassageRecorded
from liftgate.engine.core.model import Lane, Lot, Stay
from liftgate.engine.core.reads import decision_time

PASSED = 1
BACKED_OUT = 2
FOLLOWED = 3
FORCED = 4


def record_passage(lot: Lot, command: RecordPassage) -> tuple[PassageRecorded, ...]:
    """One event, or none for a number that is known.

    A forced barrier is recorded and counts nobody: whether a car went through is for a person to say.
    """
    if command.numbering.has(command.no):
        return ()
    lane = command.lane
    event = PassageRecorded()
    at_ms = decision_time(command.at_ms, command.now_ms)
    event.name(lot, lane, command.numbering, command.no, at_ms)
    event.what, event.area = command.what, lane.area.id
    stay = stay_before(lot, lane, command.session) if command.what in (PASSED, BACKED_OUT) else None
    event.way = passing_way(lane, stay)
    event.effect = passage_effect(lane, command.what, stay)
    event.session = stay.session if stay is not None else command.session
    return (event,)


def stay_before(lot: Lot, lane: Lane, session: bytes | None) -> Stay | None:
    """The stay that a passage is about: the one it names, else the longest waiting one at this lane.

    A lapsed one still counts: the car passed, only the news was late.
    """
    if session is not None:
        return lot.moving.get(session) or lot.lapsed.get(session)
    return next((stay for stay in lot.moving.values() if stay.lane is lane), None)


def passing_way(lane: Lane, stay: Stay | None) -> int:
    """IN or OUT. A car without a name in a lane for both ways is taken to come in."""
    if lane.way:
        return lane.way
    return codes.IN if stay is None or stay.area is None or not stay.area.within(lane.area) else codes.OUT


def passage_effect(lane: Lane, what: int, stay: Stay | None) -> str:
    """What the passage counts: see PassageRecorded."""
    if what == FOLLOWED:
        return "adrift"
    if what == PASSED:
        if stay is not None:
            return "moved"
        return "adrift" if lane.confirm else ""
    return "withdrawn" if what == BACKED_OUT and stay is not None else ""
