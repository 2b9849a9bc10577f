"""`liftgate do`, `ask` and `findings` on a real engine."""

from __future__ import annotations

import json
from pathlib import Path

from liftgate.commands.ask import WORDS
from liftgate.engine.core.orders import ORDERS
from tests.cli.commands import CARD, events, liftgate, scan


def test_an_order_is_done_and_says_who_asked(running: Path) -> None:
    """A correction is answered with its position; the journal has actor and reason; the count is there."""
    done = liftgate(
        "do", "--config", running, "--lot", "north", "correct_count", "area=north", "to=12", "reason=counted"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "after        12" in done.stdout
    told = events(liftgate("tail", "--config", running, "--no-follow"))
    corrected = next(event for event in told if event["type"] == "CountCorrected")
    assert (corrected["after"], corrected["reason"]) == (12, "counted")
    assert corrected["actor"]
    asked = liftgate("ask", "--config", running, "--lot", "north", "occupancy")
    assert json.loads(asked.stdout)["occupancy"] == 12


def test_an_order_of_the_same_id_is_done_once(running: Path) -> None:
    """Repeated with --id it gets the first answer, whatever it asks for by then."""
    order = ("do", "--config", running, "--lot", "north", "--id", "ab" * 16, "correct_count", "area=north")
    first = liftgate(*order, "to=3", "reason=a")
    again = liftgate(*order, "to=4", "reason=b")
    assert first.stdout == again.stdout
    assert "after        3" in again.stdout


def test_a_refused_order_says_why(running: Path) -> None:
    """Exit code 1, the engine's code and its words."""
    done = liftgate("do", "--config", running, "--lot", "north", "allow_credential", f"card={CARD}")
    assert done.returncode == 1
    assert "refused      not_denied" in done.stdout


def test_a_denied_card_stays_out(running: Path) -> None:
    """What an order says holds for the next scan."""
    liftgate("do", "--config", running, "--lot", "north", "deny_credential", f"card={CARD}", "reason=stolen")
    assert "on the deny list" in scan(running).stdout


def test_findings_are_none_at_first(running: Path) -> None:
    """A lot where nothing is odd has nothing to look at."""
    scan(running)
    done = liftgate("findings", "--config", running, "--since", "1h")
    assert (done.returncode, done.stdout) == (0, "nothing to look at\n")


def test_mistakes_are_told_before_anything_is_sent(config: Path) -> None:
    """No engine runs here: names and values are judged first, exit code 2."""
    for words, said in (
        (("correct_cuont",), 'did you mean "correct_count"'),
        (("correct_count", "aera=north"), 'did you mean "area"'),
        (("correct_count", "area"), "is not name=value"),
        (("correct_count", "to=many"), "is written as JSON"),
        (("deny_credential", "token=xyz"), "hex digits"),
    ):
        done = liftgate("do", "--config", config, "--lot", "north", *words)
        assert done.returncode == 2, words
        assert said in done.stderr


def test_every_order_and_query_says_what_it_does() -> None:
    """None is listed without words, and none with the words of another."""
    docs = {name: shape.__doc__ for name, (shape, _) in ORDERS.items()} | WORDS
    assert [name for name, doc in docs.items() if len((doc or "").splitlines()[0:1]) != 1] == []


def test_lists_need_no_engine() -> None:
    """--list names every order and query, --explain what one takes."""
    assert "correct_count " in liftgate("do", "--list").stdout
    assert "occupancy " in liftgate("ask", "--list").stdout
    assert "hex digits" in liftgate("do", "--explain", "deny_credential").stdout
