"""The kit against readers: a right one passes, each planted fault is found by its requirement."""

import pytest

from liftgate.conform.port import Act
from liftgate.conform.readers.played import PlayedEngine, Settings
from liftgate.conform.readers.requirements import REQUIREMENTS
from liftgate.conform.readers.scenarios import SCENARIOS
from liftgate.conform.report import Report, Result, Verdict
from liftgate.conform.runner import run
from tests.conform.door import SimTester, VirtualDoor
from tests.conform.reader import KEY, SimReader

EVERYTHING = {requirement.id for requirement in REQUIREMENTS}

PLANTED = [
    ("R-SIGN-1", "another id"),
    ("R-SIGN-2", "another key"),
    ("R-SIGN-3", "same nonce"),
    ("R-SIGN-4", "believes anybody"),
    ("R-SIGN-5", "known fields only"),
    ("R-SIGN-6", "obeys anybody"),
    ("R-SIGN-7", "never comes again"),
    ("R-SIGN-8", "signs on slowly"),
    ("R-FRAME-1", "bad pong"),
    ("R-FRAME-2", "long numbers"),
    ("R-FRAME-3", "whole frames only"),
    ("R-FRAME-4", "first frame only"),
    ("R-FRAME-5", "no crc"),
    ("R-FRAME-6", "leaves without a word"),
    ("R-FRAME-6", "one code for all"),
    ("R-FRAME-7", "ends at the unknown"),
    ("R-FRAME-8", "counts fields"),
    ("R-FRAME-9", "any frame size"),
    ("R-ORDER-1", "no done for 0x20"),
    ("R-ORDER-2", "no done for 0x21"),
    ("R-ORDER-3", "no done for 0x22"),
    ("R-ORDER-4", "no done for 0x24"),
    ("R-ORDER-5", "has every lane"),
    ("R-EVENT-1", "leaves out numbers"),
    ("R-EVENT-1", "numbers by the clock"),
    ("R-EVENT-2", "other lane"),
    ("R-EVENT-3", "forgets to resend"),
    ("R-EVENT-3", "renumbers"),
    ("R-EVENT-4", "sends for ever"),
    ("R-EVENT-5", "ignores what is durable"),
    ("R-EVENT-6", "impatient"),
    ("R-EVENT-7", "floods"),
    ("R-EVENT-8", "drops what got 12"),
    ("R-EVENT-9", "log without numbers"),
    ("R-EVENT-9", "boot from nowhere"),
    ("R-REPLAY-1", "replays as live"),
    ("R-REPLAY-2", "no verdicts"),
    ("R-REPLAY-3", "forgets its backlog"),
    ("R-REPLAY-4", "does not pause"),
    ("R-REPLAY-5", "backlog first"),
    ("R-BEAT-1", "no pong"),
    ("R-BEAT-2", "asks nobody"),
    ("R-BEAT-3", "stays with the silent"),
    ("R-TIME-1", "no clock"),
    ("R-TIME-2", "numbers by the clock"),
    ("R-END-1", "stays after goodbye"),
    ("R-END-2", "stays after error"),
]


def judge(
    *faults: str, wanted: set[str] = EVERYTHING, scripted: bool = True, lazy: tuple[Act, ...] = ()
) -> dict[str, Result]:
    """Results by id of the scenarios that judge what is wanted."""
    reader = SimReader(*faults)
    report = Report(REQUIREMENTS)
    tester = SimTester(reader, scripted, lazy)
    engine = PlayedEngine(VirtualDoor(reader), tester, report, Settings("r0", KEY), seed=2)
    run(SCENARIOS, engine, wanted, lambda _: None)
    return {result.requirement.id: result for result in report.results()}


def verdicts(results: dict[str, Result], verdict: Verdict) -> set[str]:
    """Which requirements came out that way."""
    return {id for id, result in results.items() if result.verdict is verdict}


def test_a_right_reader_conforms() -> None:
    """Every requirement is seen and holds."""
    assert [result for result in judge().values() if result.verdict is not Verdict.PASS] == []


def test_a_reader_without_a_lasting_log_conforms() -> None:
    """A new boot after each power cut is right too."""
    results = judge("new boot each time")
    assert verdicts(results, Verdict.FAIL) == set()
    assert "boot" in results["R-EVENT-9"].seen and results["R-EVENT-9"].verdict is Verdict.PASS


@pytest.mark.parametrize(("id", "fault"), [pytest.param(*each, id="-".join(each)) for each in PLANTED])
def test_a_planted_fault_is_found(id: str, fault: str) -> None:
    """The requirement that names the fault fails, and says what was seen."""
    found = judge(fault, wanted={id})[id]
    assert found.verdict is Verdict.FAIL, found.seen
    assert found.seen


def test_every_requirement_can_fail() -> None:
    """There is a planted fault for each of them."""
    assert {id for id, _ in PLANTED} == EVERYTHING


def test_nobody_scans() -> None:
    """Without a tester nothing fails: what a scan would have shown is not seen, with what to do about it."""
    results = judge(scripted=False, lazy=(Act.SCAN, Act.PASS, Act.RESTART))
    assert verdicts(results, Verdict.FAIL) == set()
    unseen = verdicts(results, Verdict.NOT_SEEN)
    assert {"R-EVENT-3", "R-REPLAY-1", "R-TIME-1"} <= unseen
    assert all(results[id].requirement.hint for id in unseen)
    assert "no SCAN within 30 s" in results["R-EVENT-3"].seen


def test_nobody_lets_a_car_pass() -> None:
    """A lane that reports no passages leaves one requirement unseen, and fails none."""
    results = judge(lazy=(Act.PASS,))
    assert verdicts(results, Verdict.FAIL) == set()
    assert verdicts(results, Verdict.NOT_SEEN) == {"R-EVENT-5"}


def test_a_reader_that_decides_nothing_alone() -> None:
    """What it does not do alone is not seen; that it sends what it has again still is."""
    results = judge("refuses alone")
    assert verdicts(results, Verdict.FAIL) == set()
    assert verdicts(results, Verdict.NOT_SEEN) == {"R-REPLAY-1", "R-REPLAY-2", "R-REPLAY-4", "R-REPLAY-5"}
    assert "1 events, 0 scans" in results["R-REPLAY-1"].seen and "POLICY" in results["R-REPLAY-1"].seen


def test_nobody_connects() -> None:
    """Without a reader everything is not seen, and that is said soon."""
    reader = SimReader()
    report = Report(REQUIREMENTS)
    door = VirtualDoor(reader)
    door.shut()
    engine = PlayedEngine(door, SimTester(reader), report, Settings("r0", KEY))
    run(SCENARIOS, engine, EVERYTHING, lambda _: None)
    assert {result.verdict for result in report.results()} == {Verdict.NOT_SEEN}
    assert door.now < 2 * engine.settings.patience_s
