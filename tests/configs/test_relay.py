"""`[relay]`: its defaults, its bounds, and the services that its sinks sign on as."""

from __future__ import annotations

from pathlib import Path

from liftgate.configs.loader import load
from tests.configs.test_loader import ENVIRON, EXAMPLE, load_text, mistakes

KEY = "ab" * 32


def service(id: str, may: str = '"subscribe", "query"') -> str:
    return f'\n[[service]]\nid = "{id}"\nkey = "{KEY}"\nmay = [{may}]\n'


def wrong(folder: Path, more: str) -> list[str]:
    """What is wrong with the example and these lines behind it."""
    return [line.partition(": ")[2] for line in mistakes(folder, EXAMPLE, EXAMPLE + more)]


def test_without_it_there_is_no_relay(tmp_path: Path) -> None:
    """The example has none."""
    assert load_text(tmp_path, EXAMPLE).relay is None


def test_the_least_that_it_takes(tmp_path: Path) -> None:
    """Sinks, and a service for each; the rest has defaults, its folder is beside the journal."""
    relay = load_text(tmp_path, EXAMPLE + service("relay-null") + '[relay]\nsinks = ["null"]\n').relay
    assert relay is not None
    assert (relay.sinks, relay.service_of("null")) == (("null",), "relay-null")
    assert relay.state == (tmp_path / "var" / "journal.relay").resolve()


def test_mistakes(tmp_path: Path) -> None:
    """A sink nobody knows, a service that is missing or may not, no sink at all, a bound out of range."""
    assert wrong(tmp_path, service("relay-null") + '[relay]\nsinks = ["nul"]\n') == [
        'relay.sinks[0]: "nul" is not known here; did you mean "null"?',
        'relay.sinks: "history" signs on as [[service]] "relay-history", which needs "subscribe" and "query" '
        "in may",
    ]
    assert wrong(tmp_path, service("relay-null", '"query"') + '[relay]\nsinks = ["null"]\n') == [
        'relay.sinks: "null" signs on as [[service]] "relay-null", which needs "subscribe" in may'
    ]
    assert wrong(tmp_path, "[relay]\nsinks = []\n") == ["relay.sinks: names no sink"]
    given = service("relay-null") + '[relay]\nsinks = ["null"]\nbuffer_bytes = 5\n'
    assert wrong(tmp_path, given) == ["relay.buffer_bytes: 5 is not in 1048576..1073741824"]


def test_a_state_folder_of_its_own(tmp_path: Path) -> None:
    """Relative to the file, like all paths."""
    path = tmp_path / "a.toml"
    path.write_text(EXAMPLE + service("relay-null") + '[relay]\nsinks = ["null"]\nstate = "x/y"\n')
    relay = load(path, ENVIRON).relay
    assert relay is not None and relay.state == tmp_path.resolve() / "x" / "y"
