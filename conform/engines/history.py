"""Scenarios: what an engine makes of a backlog."""

from typing import Any

from liftgate.codecs import messages as m
from liftgate.conform.engines.played import PlayedReader, ReaderTalk
from liftgate.conform.runner import Stage
from liftgate.conform.wire import Frame

STAGE: Stage[PlayedReader] = Stage()
scenario = STAGE.scenario

BACKLOG = 40
"""Entries of a REPLAY that live events are sent beside: they fit the smallest frame that WELCOME may name."""

TRIES = 5
"""How often a REPLAY is sent again while the engine's position moves."""

LIVE_S = 1.0
"""How long a car may wait for its answer while a backlog is taken."""


def _alone(reader: PlayedReader, count: int) -> list[tuple[int, int, tuple[Any, ...]]]:
    """Entries of scans that the reader let in while it was alone, a minute ago."""
    entries = []
    for _ in range(count):
        no, at_ms, *rest = reader.scan()
        entries.append((m.Scan.TYPE, m.OPEN, (no, at_ms - 60_000, *rest)))
    return entries


def _replay(talk: ReaderTalk, entries: list[Any]) -> Frame:
    return talk.ask(m.Replay.TYPE, entries, reply=m.Replayed.TYPE)


@scenario("E-REPLAY-1", "E-REPLAY-3", "E-REPLAY-2")
def history(reader: PlayedReader) -> None:
    """Hand over two openings and a passage, again, then scan live under one of their numbers."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    entries: list[Any] = _alone(reader, 2)
    passage = (reader.next_no(), reader.line.unix_ms() - 50_000, reader.settings.lane, 2, None)
    entries.append((m.Passage.TYPE, 0, passage))
    first = _replay(talk, entries)
    moved = talk.orders or any(each.kind == m.Decision.TYPE for each in talk.got)
    right = first.body[:2] == [3, []] and not moved
    seen = f"done_to {first.body[0]}, {len(first.body[2])} findings, pause {first.body[4]} ms"
    reader.report.check("E-REPLAY-1", right, f"{seen}, and an order or a verdict" if moved else seen)
    reader.report.check("E-REPLAY-3", *_recorded_once(reader, talk, entries, first))
    late = talk.ask(m.Scan.TYPE, *entries[0][2], reply=m.Decision.TYPE)
    orders = [order for order in talk.orders if order.kind == m.Vend.TYPE]
    seen = f"verdict {late.body[1]}, reason {late.body[2]}"
    reader.report.check("E-REPLAY-2", late.body[1] == m.REFUSE and not orders, seen)


def _recorded_once(
    reader: PlayedReader, talk: ReaderTalk, entries: list[Any], before: Frame
) -> tuple[bool, str]:
    """Whether the same REPLAY changes nothing. The position is all readers': it may move once or twice."""
    moved = []
    for _ in range(TRIES):
        reader.line.wait(before.body[4] / 1000)
        again = _replay(talk, entries)
        if again.body[:3] != before.body[:3]:
            return False, f"{before}, then {again}"
        moved.append(again.body[3] - before.body[3])
        if not moved[-1]:
            return True, "nothing new recorded"
        before = again
    return False, f"each time the position moves, by {moved}: recorded again, or others are at work"


@scenario("E-REPLAY-4")
def live_beside_backlog(reader: PlayedReader) -> None:
    """Send a REPLAY and, right behind it, a live scan; obey pause_ms, and do it again."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    slowest = 0.0
    for _ in range(2):
        ref = talk.request(m.Replay.TYPE, _alone(reader, BACKLOG))
        began = reader.line.now_s()
        talk.ask(m.Scan.TYPE, *reader.scan(), reply=m.Decision.TYPE)
        slowest = max(slowest, reader.line.now_s() - began)
        pause_ms = talk.reply(ref, m.Replayed.TYPE).body[4]
        reader.line.wait(min(pause_ms / 1000, reader.settings.patience_s))
    seen = f"a live scan behind {BACKLOG} entries: {slowest * 1000:.0f} ms at most"
    reader.report.check("E-REPLAY-4", slowest <= LIVE_S, seen)


@scenario("E-REPLAY-5")
def no_event(reader: PlayedReader) -> None:
    """Hand over a PING as history."""
    talk, _ = reader.sign_on()
    talk.request(m.Replay.TYPE, [(m.Ping.TYPE, 0, ())])
    reader.report.check("E-REPLAY-5", *talk.refused(6))
