"""Scenarios: a reader's events, with an engine that is slow, cut off, out of room, or in another hour."""

from liftgate.codecs import messages as m
from liftgate.conform.port import Act
from liftgate.conform.readers.played import CLOCK_MS_OFF, EVENT_KINDS, EngineTalk, PlayedEngine
from liftgate.conform.report import Missed, Unseen
from liftgate.conform.runner import Stage
from liftgate.conform.wire import Frame

STAGE: Stage[PlayedEngine] = Stage()
scenario = STAGE.scenario

SLOW_S = 3.0
"""How long a slow engine takes: a driver still waits."""

WATCH_S = 2.0
"""How long is watched whether something comes that should not."""

RETRY_S = 15.0
"""How long a reader may wait by itself before it sends again what got ERROR 12."""

HOUR_MS = 3_600_000
UNAVAILABLE = 12


@scenario("R-EVENT-2", "R-TIME-1", "R-EVENT-4")
def scan(engine: PlayedEngine) -> None:
    """Ask for a scan, answer it, and cut the connection."""
    talk = engine.sign_on()
    event = engine.asked_scan(talk)
    no, at_ms, lane, kind, token = event.body[:5]
    off_ms = at_ms - engine.clock_ms()
    seen = f"number {no}, lane {lane}, kind {kind}, {len(token)} bytes of token"
    engine.report.check("R-EVENT-2", lane == engine.settings.lane and bool(token), seen)
    engine.report.check("R-TIME-1", abs(off_ms) <= CLOCK_MS_OFF, f"off by {off_ms / 1000:.1f} s")
    talk.answer(event)
    talk.settle(0.5)
    talk.close()
    again = engine.sign_on().settle(WATCH_S)
    came = [each for each in again if each.kind == m.Scan.TYPE and each.body[0] == no]
    engine.report.check("R-EVENT-4", not came, f"{came[0]} again" if came else "it does not come again")


@scenario("R-EVENT-3")
def cut(engine: PlayedEngine) -> None:
    """Ask for a scan, and cut the connection instead of answering."""
    talk = engine.sign_on()
    event = engine.asked_scan(talk)
    boot = talk.boot
    talk.close()
    talk = engine.sign_on()
    if talk.boot != boot:
        raise Missed(f"boot {boot} before the cut, {talk.boot} after it")
    again = _again(engine, talk, event, engine.settings.act_s)
    if again is None:
        raise Missed(f"{event} did not come again within {engine.settings.act_s:g} s")
    engine.report.check("R-EVENT-3", again == event.body, f"number {event.body[0]} again, as it was")


def _again(engine: PlayedEngine, talk: EngineTalk, event: Frame, wait_s: float) -> object:
    """The body of an event that comes again, live or by REPLAY, and is answered; None if it does not."""
    no = event.body[0]

    def is_it(got: Frame) -> bool:
        if got.kind == m.Replay.TYPE:
            return any(entry[2][0] == no for entry in got.body[0])
        return got.kind in EVENT_KINDS and (got.body[0] == no or got.body[1:] == event.body[1:])

    found = engine.until(talk, is_it, wait_s)
    if found is None:
        return None
    if found.kind == m.Replay.TYPE:
        talk.take_in(found)
        return next(entry[2] for entry in found.body[0] if entry[2][0] == no)
    talk.answer(found)
    return found.body


@scenario("R-EVENT-6")
def slow(engine: PlayedEngine) -> None:
    """Ask for a scan, and answer it late."""
    talk = engine.sign_on()
    event = engine.asked_scan(talk)
    others = [
        each
        for each in talk.settle(SLOW_S)
        if each.kind == m.Scan.TYPE and each.body[0] != event.body[0] and each.body[4] == event.body[4]
    ]
    talk.answer(event)
    goes_on = talk.goes_on()
    seen = (
        f"{others[0]} for the same car" if others else f"it waits {SLOW_S:g} s under number {event.body[0]}"
    )
    engine.report.check("R-EVENT-6", not others and goes_on, seen if goes_on else "the connection is gone")


@scenario("R-EVENT-7")
def in_flight(engine: PlayedEngine) -> None:
    """Allow one request in flight, and ask for two scans."""
    talk = engine.sign_on(in_flight_max=1)
    first = engine.asked_scan(talk)
    engine.tester.do(Act.SCAN)
    early = engine.until(talk, lambda got: got.kind in EVENT_KINDS and got.body[0] != first.body[0], WATCH_S)
    if early is not None:
        raise Missed(f"{early} while number {first.body[0]} was unanswered")
    talk.answer(first)
    second = talk.event(m.Scan.TYPE, engine.settings.act_s)
    if second is None:
        raise Unseen("the second scan never came: a lane that takes one at a time")
    talk.answer(second)
    engine.report.passed("R-EVENT-7", f"number {second.body[0]} waited for the answer to {first.body[0]}")


@scenario("R-EVENT-8")
def no_room(engine: PlayedEngine) -> None:
    """Answer a scan with ERROR 12, not fatal."""
    talk = engine.sign_on()
    event = engine.asked_scan(talk)
    talk.send(m.Error.TYPE, event.ref, UNAVAILABLE, "disk full", False)
    again = _again(engine, talk, event, RETRY_S)
    how = "sent again"
    if again is None:
        talk.close()
        talk = engine.sign_on()
        again = _again(engine, talk, event, RETRY_S)
        how = "sent again over a new connection"
    if again is None:
        raise Missed(f"{event} did not come again")
    engine.report.check("R-EVENT-8", again == event.body, f"number {event.body[0]} {how}")


@scenario("R-EVENT-5")
def gaps(engine: PlayedEngine) -> None:
    """Ask for a passage, do not acknowledge it, and name it in WELCOME's gaps."""
    talk = engine.sign_on()
    opened = engine.asked_scan(talk)
    talk.answer(opened)
    talk.goes_on()  # the barrier is up by then
    event = engine.asked_passage(talk)
    no, boot = event.body[0], talk.boot
    talk.close()
    engine.ledger.keep(boot, no)
    # One number less than is durable, so that this one stands in a gap of its own: no lie, only not all.
    talk = engine.sign_on(known=(max(0, no - 2), [[no, no]]))
    came = [each for each in talk.settle(WATCH_S) if _names(each, no)]
    engine.report.check(
        "R-EVENT-5", not came, f"{came[0]} again" if came else f"number {no} does not come again"
    )


def _names(got: Frame, no: int) -> bool:
    if got.kind == m.Replay.TYPE:
        return any(entry[2][0] == no for entry in got.body[0])
    return got.kind in EVENT_KINDS and bool(got.body[0] == no)


@scenario("R-TIME-2")
def time_jump(engine: PlayedEngine) -> None:
    """Let the engine's clock jump an hour ahead, and back, with a scan each time."""
    for jump_ms in (HOUR_MS, 0):
        engine.jump_ms = jump_ms
        talk = engine.sign_on()
        before = engine.ledger.last(talk.boot)
        event = engine.asked_scan(talk)
        talk.answer(event)
        if not talk.goes_on():
            raise Missed("no PONG after the jump")
        if event.body[0] <= before:
            raise Missed(f"number {event.body[0]} after {before}")
        talk.close()
    engine.report.passed("R-TIME-2", "an hour ahead and back: numbered on, and answered")


@scenario("R-EVENT-9")
def power_cut(engine: PlayedEngine) -> None:
    """Ask for a scan, and have the reader lose power before the answer."""
    talk = engine.sign_on()
    event = engine.asked_scan(talk)
    before = talk.boot
    engine.tester.do(Act.RESTART)
    talk.close()
    talk = engine.sign_on()
    if talk.boot == before:
        again = _again(engine, talk, event, engine.settings.act_s)
        if again is None:
            raise Missed(f"the same boot, and number {event.body[0]} did not come again")
        engine.report.check(
            "R-EVENT-9", again == event.body, f"the same boot, number {event.body[0]} came again"
        )
        return
    new = engine.asked_scan(talk)
    talk.answer(new)
    first = engine.ledger.first(talk.boot)
    engine.report.check("R-EVENT-9", first == 1, f"boot {before}, then {talk.boot} from number {first}")
