"""What both ways of the kit share: bad frames, choosing requirements, telling, testers, and its page."""

import json
import re
import sys
from pathlib import Path

import pytest
from rich.console import Console

from liftgate.conform import tables
from liftgate.conform.bad import TO_ENGINE, TO_READER
from liftgate.conform.engines.requirements import REQUIREMENTS as OF_ENGINES
from liftgate.conform.engines.scenarios import SCENARIOS as FOR_ENGINES
from liftgate.conform.port import Act
from liftgate.conform.readers.requirements import REQUIREMENTS as OF_READERS
from liftgate.conform.readers.scenarios import SCENARIOS as FOR_READERS
from liftgate.conform.report import Report, Requirement, Unseen, Verdict
from liftgate.conform.runner import chosen
from liftgate.conform.testers import Command, Person, Program, program_arguments
from liftgate.conform.wire import BadFrame, Splitter, frame, frame_of, pack, ranges

ROOT = Path(__file__).resolve().parents[2]
ONE = Requirement("X-A-1", "Frame", "one", "do it")
TWO = Requirement("X-A-10", "Frame", "ten")
THREE = Requirement("X-B-1", "Frame", "other")


def test_bad_frames_are_the_shared_vectors() -> None:
    """What the kit sends to an engine is what the vectors call bad, byte for byte."""
    shared = json.loads((ROOT / "tests" / "vectors" / "wire_v1.json").read_text())["bad"]
    assert [(each["name"], each["error"], each["frame"]) for each in shared] == [
        (bad.name, bad.error, bad.frame.hex()) for bad in TO_ENGINE
    ]


@pytest.mark.parametrize(
    "bad", [bad for bad in (*TO_ENGINE, *TO_READER) if bad.error != 7], ids=lambda bad: bad.name
)
def test_the_kit_knows_its_own_bad_frames(bad: object) -> None:
    """The splitter finds in each bad frame what it was made for, however it is cut."""
    assert isinstance(bad, tuple)
    name, error, data = bad
    for cut in {0, 1, len(data) // 2}:
        splitter = Splitter()
        with pytest.raises(BadFrame) as caught:
            for part in (data[:cut], data[cut:]):
                splitter.feed(part)
                splitter.next_frame()
        assert caught.value.code == error


def test_the_splitter_notes_what_is_not_smallest() -> None:
    """A number in nine bytes is read, and told; the same in one byte is fine."""
    splitter = Splitter()
    splitter.feed(frame(0x14, 1, 5, 6))
    assert splitter.next_frame() is not None and splitter.loose == ""
    splitter.feed(frame_of(0x14, 1, b"\x92\xcf\0\0\0\0\0\0\0\x05\x06"))
    found = splitter.next_frame()
    assert found is not None and found.body == [5, 6] and splitter.loose.startswith("ACK 92cf")


def test_ranges() -> None:
    """Numbers as ranges, in order."""
    assert ranges({7, 2, 1, 4, 5}) == [[1, 2], [4, 5], [7, 7]]
    assert ranges(set()) == []
    assert pack(1, b"x") == b"\x92\x01\xc4\x01x"


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        ([], ["X-A-1", "X-A-10", "X-B-1"]),
        (["x-a"], ["X-A-1", "X-A-10"]),
        (["X-A-1"], ["X-A-1"]),
        (["X-B", "X-A-10"], ["X-A-10", "X-B-1"]),
        (["X"], ["X-A-1", "X-A-10", "X-B-1"]),
    ],
)
def test_choosing(only: list[str], ids: list[str]) -> None:
    """A requirement is named by its id, or by whole words of its beginning."""
    assert [each.id for each in chosen((ONE, TWO, THREE), only)] == ids


def test_choosing_what_is_not_there() -> None:
    """A name that means nothing is told, not passed over."""
    with pytest.raises(KeyError, match="X-C"):
        chosen((ONE, TWO), ["X-A", "X-C"])


def test_a_failure_stays() -> None:
    """What failed once is not excused by holding later; what was not seen may be seen later."""
    report = Report((ONE, TWO, THREE))
    report.failed(ONE.id, "no")
    report.passed(ONE.id, "yes")
    report.unseen(TWO.id, "nobody")
    report.passed(TWO.id, "there")
    report.unseen(TWO.id, "nobody again")
    assert [(result.verdict, result.seen) for result in report.results()] == [
        (Verdict.FAIL, "no"),
        (Verdict.PASS, "there"),
        (Verdict.NOT_SEEN, "the run ended before it"),
    ]


def test_telling() -> None:
    """The table has requirement, section, verdict and what was seen, with what to do where nothing was."""
    report = Report((ONE, TWO, THREE))
    report.failed(TWO.id, "saw [this]")
    console = Console(width=tables.PLAIN_WIDTH)
    with console.capture() as capture:
        tables.show(report.results(), console)
    shown = capture.get()
    assert re.search(r"not seen +X-A-1 +Frame +one +the run ended before it: do it", shown)
    assert re.search(r"fail +X-A-10 +Frame +ten +saw \[this\]", shown)
    assert "conformance: 0 passed, 1 failed, 2 not seen" in shown
    told = json.loads(tables.as_json("reader", report.results()))
    assert (told["under_test"], told["pass"], told["fail"], told["not_seen"]) == ("reader", 0, 1, 2)
    assert told["results"][1]["seen"] == "saw [this]"


def test_the_page_lists_what_is_required() -> None:
    """docs/conformance.md has both tables as `liftgate conform --list --markdown` makes them."""
    page = (ROOT / "docs" / "conformance.md").read_text()
    assert tables.as_markdown(OF_READERS) in page
    assert tables.as_markdown(OF_ENGINES) in page


def test_sections_are_headings_of_the_protocol() -> None:
    """Each requirement names a chapter of docs/protocol.md."""
    headings = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "protocol.md").read_text(), re.MULTILINE))
    assert {each.section for each in (*OF_READERS, *OF_ENGINES)} <= headings


def test_every_requirement_has_a_scenario() -> None:
    """Nothing is required that nothing tries, but what is seen over the whole run; ids are used once."""
    of_whole_run = {
        "R-SIGN-3",
        "R-SIGN-7",
        "R-FRAME-1",
        "R-FRAME-2",
        "R-FRAME-9",
        "R-EVENT-1",
        "E-FRAME-1",
        "E-FRAME-2",
    }
    tried = {id for scenario in (*FOR_READERS, *FOR_ENGINES) for id in scenario.ids}
    ids = [each.id for each in (*OF_READERS, *OF_ENGINES)]
    assert len(ids) == len(set(ids))
    assert set(ids) == tried | of_whole_run


def test_a_person_is_told() -> None:
    """What to do, and where."""
    said: list[str] = []
    person = Person(said.append, 3)
    for act in Act:
        person.do(act)
    assert len(said) == len(Act) and "scan a card at lane 3" in said[0]


def test_a_command_is_run_for_each_act(tmp_path: Path) -> None:
    """It is told the act, the lane and a card of its own each time; one that fails makes nothing seen."""
    out = tmp_path / "acts"
    command = Command(f'echo "$LIFTGATE_ACT $LIFTGATE_LANE $LIFTGATE_CARD" >> {out}', print, 2)
    command.do(Act.SCAN)
    command.do(Act.SCAN)
    first, second = out.read_text().splitlines()
    assert first == "scan 2 04C00000000001" and second != first
    with pytest.raises(Unseen, match="ended with 3"):
        Command("exit 3", print, 0).do(Act.PASS)


def test_a_program_is_worked_by_its_input(tmp_path: Path) -> None:
    """Cards and passages are lines; a power cut ends it and starts it again."""
    out = tmp_path / "lines"
    code = f"import sys\nwith open({str(out)!r}, 'a') as out: out.writelines(sys.stdin)"
    program = Program([sys.executable, "-c", code], print)
    try:
        program.do(Act.RESTART)
        program.do(Act.SCAN)
        program.do(Act.PASS)
    finally:
        program._process.stdin.close()  # type: ignore[union-attr]
        assert program._process.wait(20) == 0
        program.end()
    assert re.fullmatch(r"card [0-9A-F]{14}\npass\n", out.read_text())


def test_a_program_that_has_ended(tmp_path: Path) -> None:
    """It cannot be worked any more: nothing is seen, and nothing hangs."""
    program = Program([sys.executable, "-c", ""], print)
    program._process.wait(20)
    for worked in (program.check, lambda: program.do(Act.SCAN)):
        with pytest.raises(Unseen, match="has ended with 0"):
            worked()
    program.end()


def test_a_programs_arguments() -> None:
    """Words as a shell's, with the kit's values; an unknown value is refused."""
    assert program_arguments("reader --connect {connect} 'a b'", connect="h:1") == [
        "reader",
        "--connect",
        "h:1",
        "a b",
    ]
    with pytest.raises(KeyError):
        program_arguments("reader {what}", connect="h:1")
