"""Scenarios: what a reader does while there is no engine, and how it tells."""

from typing import Any

from liftgate.codecs import messages as m
from liftgate.conform.port import Act
from liftgate.conform.readers.played import EVENT_KINDS, EngineTalk, PlayedEngine
from liftgate.conform.report import Unseen
from liftgate.conform.runner import Stage
from liftgate.conform.wire import Frame

STAGE: Stage[PlayedEngine] = Stage()
scenario = STAGE.scenario

MAY_OPEN: tuple[Any, ...] = (
    [],
    [],
    {"hours": 12, "entries": 500, "lot": "conform", "cards": "open", "known": []},
)
"""A policy under which any card opens."""

FRAME_BYTES = 1024
"""The smallest limit that Liftgate's engine names."""

PAUSE_MS = 3000
SLACK_MS = 100
"""How much earlier than told a reader may come without it being seen as a fault: the kit's own delays."""

COMES_S = 10.0
"""How long a reader may take to begin with its backlog."""


@scenario("R-REPLAY-1", "R-REPLAY-2", "R-REPLAY-3")
def alone(engine: PlayedEngine) -> None:
    """Allow it to open for any card, go away, have a card scanned and the car pass, and come back."""
    talk = engine.sign_on()
    said = _allow(talk)
    boot = talk.boot
    before = engine.ledger.last(boot)
    left_ms = engine.clock_ms()
    _go_away(engine, talk, 1)
    talk = engine.sign_on()
    replay = _backlog(engine, talk, boot, left_ms, said)
    scans = [entry for entry in replay.body[0] if entry[0] == m.Scan.TYPE]
    told = f"{len(replay.body[0])} events, {len(scans)} scans, from number {before + 1}"
    if scans:
        engine.report.passed("R-REPLAY-1", told)
        wrong = [entry for entry in replay.body[0] if not _well_formed(*entry[:2])]
        seen = "each with the verdict given" if not wrong else f"verdict {wrong[0][1]} in {wrong[0]}"
        engine.report.check("R-REPLAY-2", not wrong, seen)
    else:
        for id in ("R-REPLAY-1", "R-REPLAY-2"):
            engine.report.unseen(id, f"{told}; {said}")
    talk.close()
    talk = engine.sign_on()
    again = engine.until(talk, lambda got: got.kind == m.Replay.TYPE, COMES_S)
    numbers = [entry[2][0] for entry in replay.body[0]]
    if again is None:
        engine.report.failed("R-REPLAY-3", f"numbers {numbers} did not come again")
        return
    resent = [entry[2][0] for entry in again.body[0]]
    seen = (
        f"numbers {resent} again"
        if resent[: len(numbers)] == numbers
        else f"numbers {numbers}, then {resent}"
    )
    engine.report.check("R-REPLAY-3", set(numbers) <= set(resent), seen)
    talk.take_in(again)
    talk.settle(1.0)


def _well_formed(kind: int, verdict: int) -> bool:
    """Whether an entry is an event, and has a verdict where and only where one was given."""
    return kind in EVENT_KINDS and (verdict in (m.OPEN, m.REFUSE) if kind == m.Scan.TYPE else verdict == 0)


def _allow(talk: EngineTalk) -> str:
    """Tell the reader what it may do alone; return what it said to that. It may have rules of its own."""
    done = talk.order(m.Policy.TYPE, *MAY_OPEN)
    return f"POLICY was answered {done}" if done else "POLICY was not answered"


def _go_away(engine: PlayedEngine, talk: EngineTalk, scans: int) -> None:
    """Be away until the reader is alone, have cards scanned, and be there again."""
    engine.door.shut()
    try:
        talk.close()
        engine.tester.say(f"the engine is away; wait {engine.settings.alone_s:g} s")
        engine.door.wait(engine.settings.alone_s)
        for _ in range(scans):
            engine.tester.do(Act.SCAN)
        engine.tester.do(Act.PASS)
        engine.door.wait(1.0 if engine.tester.scripted else engine.settings.act_s)
    finally:
        engine.door.open()


def _backlog(engine: PlayedEngine, talk: EngineTalk, boot: int, left_ms: int, said: str) -> Frame:
    """The first REPLAY. Judges a live scan from the time alone. Raises Unseen if nothing comes."""
    if talk.boot != boot:
        raise Unseen(f"it came back with boot {talk.boot}, not {boot}: its log did not last")
    back_ms = engine.clock_ms()
    found = engine.until(talk, lambda got: got.kind in (m.Replay.TYPE, m.Scan.TYPE), COMES_S)
    if found is None:
        raise Unseen(f"it told of nothing that it did alone; {said}")
    if found.kind == m.Scan.TYPE:
        at_ms = found.body[1]
        talk.answer(found)
        talk.settle(1.0)
        ago_s = (back_ms - at_ms) / 1000
        seen = f"number {found.body[0]}, scanned {ago_s:.1f} s before it came back, came as a live SCAN"
        if left_ms <= at_ms < back_ms:
            engine.report.failed("R-REPLAY-1", seen)
        raise Unseen(seen)
    return found


@scenario("R-REPLAY-4", "R-REPLAY-5")
def paced(engine: PlayedEngine) -> None:
    """Come back with small frames and a pause, and have a card scanned during the pause."""
    if not engine.tester.scripted:
        raise Unseen("a person cannot scan so often")
    talk = engine.sign_on(frame_bytes_max=FRAME_BYTES)
    said = _allow(talk)
    boot, left_ms = talk.boot, engine.clock_ms()
    _go_away(engine, talk, engine.settings.backlog)
    talk = engine.sign_on(frame_bytes_max=FRAME_BYTES)
    first = _backlog(engine, talk, boot, left_ms, said)
    talk.take_in(first, PAUSE_MS)
    began = engine.door.now_s()
    engine.tester.do(Act.SCAN)
    seen: dict[int, float] = {}
    while len(seen) < 2:
        got = engine.until(talk, lambda got: got.kind in (m.Replay.TYPE, m.Scan.TYPE), COMES_S)
        if got is None:
            break
        if got.kind == m.Replay.TYPE:
            talk.take_in(got)
        else:
            talk.answer(got)
        seen.setdefault(got.kind, (engine.door.now_s() - began) * 1000)
    paused_ms, live_ms = seen.get(m.Replay.TYPE), seen.get(m.Scan.TYPE)
    if paused_ms is None:
        engine.report.unseen("R-REPLAY-4", f"one REPLAY of {len(first.body[0])} events was all")
    else:
        early = paused_ms < PAUSE_MS - SLACK_MS
        engine.report.check("R-REPLAY-4", not early, f"{paused_ms:.0f} ms, {PAUSE_MS} were told")
    if live_ms is None:
        engine.report.failed("R-REPLAY-5", f"no live scan within {COMES_S:g} s")
    elif paused_ms is None:
        engine.report.unseen("R-REPLAY-5", "there was no backlog left to wait for")
    else:
        behind = next(iter(seen)) == m.Replay.TYPE
        engine.report.check(
            "R-REPLAY-5", not behind, f"live after {live_ms:.0f} ms, backlog after {paused_ms:.0f} ms"
        )
    talk.settle(2.0)
