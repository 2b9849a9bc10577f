"""The benchmark against the bare driver runs, so it cannot rot."""

from __future__ import annotations

import json

import pytest

from deploy.services import Service
from liftgate.bench.command import main

pytestmark = pytest.mark.long


def test_it_measures_both_and_compares_what_they_wrote(
    cassandra: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both rates, their ratio and the bar; it fails by itself where the rows read back differ."""
    asked = ["cassandra", "--port", str(cassandra.port), "--rounds", "1", "--events", "2000", "--json"]
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"] > told["events"] == 2000
    assert min(told["store_rate"], told["bare_rate"]) > 0
    assert told["ratio"] == pytest.approx(told["store_rate"] / told["bare_rate"], rel=0.01)
    assert (told["bar"], len(told["hash"])) == (0.8, 16)


def test_without_a_node_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """One line, no traceback."""
    assert main(["cassandra", "--port", "1", "--rounds", "1"]) == 1
    assert "Cassandra at 127.0.0.1 port 1" in capsys.readouterr().err
