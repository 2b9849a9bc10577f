"""Results for people, as JSON, and the requirements as Markdown."""

import json
from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from liftgate.conform.report import Requirement, Result, Verdict

PLAIN_WIDTH = 160
"""Of the table where nobody's terminal says how wide it is."""

_STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.NOT_SEEN: "yellow"}


def count(results: Iterable[Result], verdict: Verdict) -> int:
    """How many came out that way."""
    return sum(result.verdict is verdict for result in results)


def summary(results: list[Result]) -> str:
    """One line: how many passed, failed, and were not seen."""
    passed, failed, unseen = (count(results, each) for each in Verdict)
    return f"conformance: {passed} passed, {failed} failed, {unseen} not seen"


def show(results: list[Result], console: Console) -> None:
    """Print the table: requirement, section of protocol.md, what came of it, what was seen."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("", no_wrap=True)
    table.add_column("requirement", no_wrap=True)
    table.add_column("protocol.md", max_width=20)
    table.add_column("what it says", ratio=3)
    table.add_column("what was seen", ratio=3)
    for requirement, verdict, seen in results:
        shown = seen
        if verdict is Verdict.NOT_SEEN and requirement.hint:
            shown = f"{seen}: {requirement.hint}"
        style = _STYLES[verdict]
        columns = (requirement.id, requirement.section, requirement.text, shown)
        table.add_row(Text(verdict.value, style=style), *(Text(each) for each in columns))
    console.print(table)
    console.print(summary(results), highlight=False)


def as_json(side: str, results: list[Result]) -> str:
    """One JSON object: side ("reader" or "engine"), counts, and a list of results."""
    rows = [
        {
            "requirement": requirement.id,
            "section": requirement.section,
            "text": requirement.text,
            "verdict": verdict.value,
            "seen": seen,
            "hint": requirement.hint,
        }
        for requirement, verdict, seen in results
    ]
    counts = {each.value.replace(" ", "_"): count(results, each) for each in Verdict}
    return json.dumps({"under_test": side, **counts, "results": rows}, ensure_ascii=False, indent=2)


def as_markdown(requirements: Iterable[Requirement]) -> str:
    """A table of requirements, with a link to each section of protocol.md."""
    lines = ["| id | requirement | protocol.md | to have it seen |", "|---|---|---|---|"]
    for id, section, text, hint in requirements:
        lines.append(f"| {id} | {text} | [{section}](protocol.md#{anchor(section)}) | {hint} |")
    return "\n".join(lines) + "\n"


def anchor(heading: str) -> str:
    """The anchor that renderers of Markdown give a heading."""
    kept = "".join(c for c in heading.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
