"""`[lot.rules.passback]` and `[lot.rules.identity]`: what they take, and every mistake with its place."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.configs.rules import mistakes, read_theme
from liftgate.configs.rules.identity import IdentityRules
from liftgate.configs.rules.passback import PassbackRules


def test_empty_tables_are_a_lot_without() -> None:
    """Hard, without doubt, without witnesses, and nothing closed by rule."""
    assert read_theme("passback", {}) == PassbackRules(mode="hard", areas={}, doubt=())
    assert read_theme("identity", {}) == IdentityRules(
        plates="credential", lanes={}, exit_without_entry=None, close_after_s=0
    )


@pytest.mark.parametrize(
    ("theme", "rules", "why"),
    [
        ("passback", {"mode": "firm"}, "Invalid enum value 'firm' - at `$.mode`"),
        ("passback", {"areas": {"vip": "firm"}}, "Invalid enum value 'firm' - at `$.areas[...]`"),
        ("passback", {"within_s": 0}, "Expected `int` >= 1 - at `$.within_s`"),
        ("passback", {"doubt": ["rain"]}, "Invalid enum value 'rain' - at `$.doubt[0]`"),
        ("passback", {"doubt_s": 59}, "Expected `int` >= 60 - at `$.doubt_s`"),
        ("passback", {"soft": True}, "Object contains unknown field `soft`"),
        ("identity", {"edits_max": 0.3}, "Expected `float` that's a multiple of 0.5 - at `$.edits_max`"),
        ("identity", {"witness_s": 601}, "Expected `int` <= 600 - at `$.witness_s`"),
        (
            "identity",
            {"close_after_s": 60},
            "close_after_s: at least 3600, or 0 for never: cars are still in",
        ),
        ("identity", {"lanes": {"r": "witness"}}, 'lanes: "r" is no lane: write it as "reader/number"'),
        ("identity", {"lanes": {"r/x": "witness"}}, 'lanes: "r/x" is no lane: write it as "reader/number"'),
        ("identity", {"exit_without_entry": "pay"}, "Invalid enum value 'pay' - at `$.exit_without_entry`"),
    ],
)
def test_mistakes_are_named(theme: str, rules: dict[str, Any], why: str) -> None:
    """With the key and what is wrong with it."""
    assert mistakes({theme: rules}) == [(theme, why)]
