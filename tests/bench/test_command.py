from __future__ import annotations

import json

import pytest

from liftgate.bench import command
from liftgate.bench.build import BuildFailed


def test_redis_prints_one_json_object(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bench redis --json` is one object with a key for each shape and how it was measured."""
    monkeypatch.setattr(command, "compare", lambda rounds, seconds: {"64x1": rounds, "meta": seconds})
    monkeypatch.setattr(command.report, "comparison", lambda result: "")
    assert command.main(["redis", "--json", "--rounds", "2", "--seconds", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out) == {"64x1": 2, "meta": 0.5}


def test_failure_is_one_message(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A benchmark that cannot run says why on stderr and gives exit code 1."""
    monkeypatch.setenv("CC", "no-such-compiler")
    assert command.main(["steady", "--seconds", "0.1"]) == 1
    assert "no C compiler 'no-such-compiler'" in capsys.readouterr().err
    assert BuildFailed in command.FAILURES


NAMES = "redis steady sizes rules idle recovery history cassandra relay stream".split()


@pytest.mark.parametrize("name", NAMES)
def test_every_benchmark_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each subcommand has --help with its options."""
    with pytest.raises(SystemExit) as done:
        command.main([name, "--help"])
    assert done.value.code == 0
    assert "--json" in capsys.readouterr().out
