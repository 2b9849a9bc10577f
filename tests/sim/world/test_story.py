"""A failing seed prints all that is needed to see it again and to understand it."""

from __future__ import annotations

import msgspec
import pytest

from liftgate.sim.world.story import Failure, Found, clock, failure_lines

TOKEN = "ab" * 512
FOUND = Found("spot twice", 61_005, f"A-003 is given to {TOKEN}\nand a is still there", "nobody else")
LINES = ("0:00:01.000  a comes in", "0:01:01.000  b comes in")
FAILURE = Failure(7, FOUND, (2, 5), 40, LINES, True, "Fri 2027-01-15 08:00 UTC; lot0 in Asia/Kolkata")


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "0:00:00.000"), (61_005, "0:01:01.005"), (36_000_000, "10:00:00.000")]
)
def test_time_since_the_start(ms: int, text: str) -> None:
    """Hours, minutes, seconds and milliseconds."""
    assert clock(ms) == text


def test_the_report_of_a_seed() -> None:
    """What was found and expected, the command, the happenings it takes, and the command for those alone."""
    assert list(failure_lines(FAILURE)) == [
        "seed 7: spot twice",
        "  found      at 0:01:01.005: A-003 is given to abababababababababababababababab…",
        "             and a is still there",
        "  expected   nobody else",
        "  begins     Fri 2027-01-15 08:00 UTC; lot0 in Asia/Kolkata",
        "  repeat     liftgate sim world --seed 7",
        "  the story, with the 2 of 40 happenings that it takes:",
        "    0:00:01.000  a comes in",
        "    0:01:01.000  b comes in",
        "  only these liftgate sim world --seed 7 --only 2,5",
    ]


def test_a_story_that_was_not_shrunk_to_the_end_says_so() -> None:
    """Somebody may want to leave out more by hand."""
    lines = list(failure_lines(msgspec.structs.replace(FAILURE, whole=False)))
    assert any("no time to leave out more" in line for line in lines)


def test_the_command_names_the_plant_and_an_empty_story() -> None:
    """It repeats what was played, also with a planted bug, also without any happening."""
    failure = msgspec.structs.replace(FAILURE, kept=(), plant="spot-twice")
    assert failure.command(only=True) == "liftgate sim world --seed 7 --plant spot-twice --only none"
