"""The files of the themes ledger, limits and reconciliation: what they take, and how they name a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from liftgate.configs.rules import mistakes, read_theme
from liftgate.configs.rules.ledger import Ledger
from liftgate.configs.rules.limits import Limits
from liftgate.configs.rules.reconciliation import Reconciliation


@pytest.mark.parametrize(
    ("theme", "rules"), [("ledger", Ledger()), ("limits", Limits()), ("reconciliation", Reconciliation())]
)
def test_an_empty_table_is_the_defaults(theme: str, rules: Any) -> None:
    """All keys may be left out."""
    assert read_theme(theme, {}) == rules


def test_a_whole_table_is_taken() -> None:
    """As docs/rules shows it."""
    limits = read_theme(
        "limits",
        {
            "longest_stay_s": 259_200,
            "turn_round_s": 600,
            "longest_by_class": {"charging": 14_400},
            "longest_by_area": {"short": 1_800},
            "closed": [
                {"from": "23:00", "to": "05:00", "days": ["sun", "mon"]},
                {"from": "12:00", "to": "13:00"},
            ],
        },
    )
    assert isinstance(limits, Limits)
    assert (limits.closed[0].from_, limits.closed[0].days) == ("23:00", ("sun", "mon"))
    assert len(limits.closed[1].days) == 7
    rules = {"recount_at": ["06:00"], "recount_every_s": 604_800, "drift_cars": 5, "drift_percent": 2.5}
    assert isinstance(read_theme("ledger", rules), Ledger)


@pytest.mark.parametrize(
    ("theme", "data", "place"),
    [
        ("ledger", {"recount_at": ["6:00"]}, "$.recount_at[0]"),
        ("ledger", {"recount_at": ["24:00"]}, "$.recount_at[0]"),
        ("ledger", {"recount_every_s": 3599}, "recount_every_s: an hour"),
        ("ledger", {"recount_every_s": -1}, "$.recount_every_s"),
        ("ledger", {"drift_percent": 101}, "$.drift_percent"),
        ("ledger", {"drift_car": 5}, "drift_car"),
        ("limits", {"longest_stay_s": 59}, "longest_stay_s: a minute"),
        ("limits", {"longest_by_class": {"charging": 0}}, "$.longest_by_class[...]"),
        ("limits", {"closed": [{"from": "23:00"}]}, "`to` - at `$.closed[0]`"),
        ("limits", {"closed": [{"from": "23:00", "to": "05:00", "days": ["so"]}]}, "$.closed[0].days[0]"),
        ("limits", {"closed": [{"from": "23:00", "to": "05:00", "days": []}]}, "$.closed[0].days"),
        ("limits", {"turn_round_s": 3601}, "$.turn_round_s"),
        ("reconciliation", {"findings": 1}, "$.findings"),
    ],
)
def test_a_mistake_is_named_by_its_place(theme: str, data: dict[str, Any], place: str) -> None:
    """With the key, as far as the shape goes."""
    [(name, why)] = mistakes({theme: data})
    assert name == theme
    assert place in why
