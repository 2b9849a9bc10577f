"""Rules of entitlements and classes in the file: what is taken, and what is said of a mistake."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from liftgate.configs.rules import mistakes, read_theme
from liftgate.configs.rules.classes import Classes
from liftgate.configs.rules.entitlements import Entitlements

WHOLE = """
[entitlements]
holders_only = ["vip"]
outside = "casual"
keep_s = 86_400
[[entitlements.holidays]]
date = "2026-12-25"
[[entitlements.holidays]]
date = "2026-12-24"
times = [{ from = "08:00", to = "14:00" }]
[[entitlements.holidays]]
date = "2026-12-26"
like = "sun"
[classes]
full_grace_s = 900
fallback = { permit = ["standard"], charging = ["standard", "family"] }
"""


def test_every_key_is_read() -> None:
    """As an operator writes them."""
    rules = tomllib.loads(WHOLE)
    assert mistakes(rules) == []
    entitlements, classes = (read_theme(name, rules[name]) for name in ("entitlements", "classes"))
    assert isinstance(entitlements, Entitlements) and isinstance(classes, Classes)
    assert [holiday.like for holiday in entitlements.holidays] == [None, None, "sun"]
    assert entitlements.holidays[1].times[0].to == "14:00"
    assert classes.fallback["charging"] == ("standard", "family")


EARLY = {"from": "08:00", "to": "09:00"}


@pytest.mark.parametrize(
    ("theme", "data", "words"),
    [
        ("entitlements", {"holiday": []}, "unknown field `holiday`"),
        ("entitlements", {"outside": "maybe"}, "$.outside"),
        ("entitlements", {"keep_s": 1}, "$.keep_s"),
        ("entitlements", {"holidays": [{"date": "25.12.2026"}]}, "$.holidays[0].date"),
        ("entitlements", {"holidays": [{"date": "2026-02-30"}]}, "$.holidays[0]"),
        ("entitlements", {"holidays": [{"date": "2026-12-25"}] * 2}, "2026-12-25 is there twice"),
        (
            "entitlements",
            {"holidays": [{"date": "2026-12-25", "like": "sun", "times": [{"from": "08:00", "to": "9:00"}]}]},
            "$.holidays[0].times[0].to",
        ),
        (
            "entitlements",
            {
                "holidays": [
                    {"date": "2026-12-25", "like": "sun", "times": [{"from": "08:00", "to": "09:00"}]}
                ]
            },
            "`like` and `times`",
        ),
        (
            "entitlements",
            {"holidays": [{"date": "2026-12-25", "times": [{"from": "08:00", "to": "08:00"}]}]},
            "the same",
        ),
        ("classes", {"full_grace_s": 0}, "$.full_grace_s"),
        ("classes", {"fallback": {"permits": []}}, "permits"),
        ("classes", {"fallback": {"permit": ["permit"]}}, "names itself"),
        ("classes", {"fallback": {"permit": ["standard", "accessible"]}}, "accessible spots are only for"),
    ],
)
def test_a_mistake_is_said_with_its_place(theme: str, data: dict[str, Any], words: str) -> None:
    """So that `liftgate config check` and set_rules can repeat it."""
    assert words in mistakes({theme: data})[0][1]
