"""`[lot.rules.lanes]`: what it takes, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from liftgate.configs.loader import check
from liftgate.configs.rules import mistakes, read_theme
from liftgate.configs.rules.lanes import Lanes


def test_an_empty_table_watches_for_silent_readers_and_nothing_else() -> None:
    """Three minutes; rates, causes and tides are off."""
    assert read_theme("lanes", {}) == Lanes(down_after_s=180)
    assert Lanes().tides == () and Lanes().vend_causes is None and Lanes().tailgates_max is None


TURN = {"at": "06:00", "run": "in"}
TIDE = {"reader": "r", "lane": 0, "schedule": [TURN]}


@pytest.mark.parametrize(
    ("rules", "why"),
    [
        ({"down_after_s": 10}, "down_after_s must be 0 or at least 30"),
        ({"down_after": 60}, "unknown field `down_after`"),
        ({"tailgates_max": 101}, "<= 100 - at `$.tailgates_max`"),
        ({"vend_causes": [""]}, "$.vend_causes[0]"),
        ({"tides": [TIDE | {"schedule": [TURN | {"at": "6:00"}]}]}, "$.tides[0].schedule[0].at"),
        ({"tides": [TIDE | {"schedule": [TURN | {"at": "24:00"}]}]}, "$.tides[0].schedule[0].at"),
        ({"tides": [TIDE | {"schedule": [TURN | {"run": "up"}]}]}, "Invalid enum value 'up'"),
        ({"tides": [TIDE, TIDE]}, "lane 0 of reader r has two tides"),
        ({"tides": [TIDE | {"schedule": [TURN, TURN]}]}, "lane 0 of reader r turns twice on mon at 06:00"),
    ],
)
def test_mistakes_are_named(rules: dict[str, Any], why: str) -> None:
    """With the place where that is a value's."""
    ((theme, found),) = mistakes({"lanes": rules})
    assert theme == "lanes" and why in found


def test_a_tide_in_the_file_names_a_lane_for_both_ways(tmp_path: Path) -> None:
    """One of the same lot; the mistake has the place of the tide."""
    shipped = Path(check.__code__.co_filename).parent / "example.toml"
    tide = '[[lot.rules.lanes.tides]]\nreader = "north-entry-1"\nlane = 0\n'
    text = shipped.read_text(encoding="utf-8").replace("[[lot.gate]]", f"{tide}[[lot.gate]]", 1)
    path = tmp_path / "a.toml"
    path.write_text(text, encoding="utf-8")
    (problem,) = check(path, {"LIFTGATE_API_KEY": "00" * 32})
    assert problem.key == "lot[0].rules.lanes.tides[0]"
    assert problem.message == 'lane 0 of reader north-entry-1 is no lane of this lot for "both" ways'
    path.write_text(text.replace('direction = "entry"', 'direction = "both"'), encoding="utf-8")
    assert check(path, {"LIFTGATE_API_KEY": "00" * 32}) == []
