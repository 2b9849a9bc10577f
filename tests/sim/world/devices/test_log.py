"""A reader's event log."""

from liftgate.codecs import messages as m
from liftgate.sim.world.devices.log import ENTRIES_MAX, NOTHING, Answer, Entry, EventLog


def add(log: EventLog, alone: bool = False) -> Entry:
    """One more event in the log."""
    entry = Entry(m.Passage(log.number(), 1, 0, 1), alone)
    log.add(entry)
    return entry


def test_numbers_go_up_by_one() -> None:
    """The first event is 1, and no number is given twice."""
    log = EventLog(7)
    assert [add(log, alone).no for alone in (False, True, False)] == [1, 2, 3]
    assert list(log.live) == [1, 3] and list(log.backlog) == [2]


def test_known_are_those_up_to_done_and_in_ranges() -> None:
    """What WELCOME names is known, both ends of a range included."""
    log = EventLog(7)
    for _ in range(8):
        add(log)
    assert [entry.no for entry in log.known(2, ((4, 5), (7, 7)))] == [1, 2, 4, 5, 7]


def test_only_live_events_are_sent_again() -> None:
    """History that was told is not sent again live: it was acted on."""
    log = EventLog(7)
    for entry in (add(log), add(log, alone=True), add(log)):
        log.answered(entry)
    assert not log.live and not log.backlog
    assert [entry.no for entry in log.remember(2)] == [1, 3]
    assert list(log.live) == [1, 3]


def test_what_is_dropped_is_not_remembered() -> None:
    """An event that the engine never took cannot be sent again."""
    log = EventLog(7)
    log.drop(add(log))
    assert not log.live and log.remember(5) == []


def test_a_full_log_says_so() -> None:
    """At its bound the log takes nothing more until something is answered."""
    log = EventLog(7)
    entries = [add(log) for _ in range(ENTRIES_MAX)]
    assert log.full()
    log.answered(entries[0])
    assert not log.full()


def test_a_driver_is_told_once() -> None:
    """The second answer has nobody to look at it."""
    seen: list[Answer] = []
    entry = Entry(m.Scan(1, 1, 0, 2, b"a"), then=seen.append)
    entry.show(Answer(True, 1))
    entry.show(NOTHING)
    assert seen == [Answer(True, 1)]
