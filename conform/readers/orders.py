"""Scenarios: what a reader makes of frames and orders, good, odd and wrong."""

from typing import Any

from liftgate.codecs import messages as m
from liftgate.conform.bad import TO_READER, UNKNOWN, Bad
from liftgate.conform.port import Ended
from liftgate.conform.readers.played import ANSWER_S, EngineTalk, PlayedEngine
from liftgate.conform.report import Missed, Unseen
from liftgate.conform.runner import Stage
from liftgate.conform.wire import frame

STAGE: Stage[PlayedEngine] = Stage()
scenario = STAGE.scenario

LEAVES_S = 8.0
BYTE_S = 0.002
NORMAL, CLOSED = 1, 3

NO_POLICY: tuple[Any, ...] = ([], [], {"hours": 0, "entries": 0})
"""May decide nothing alone."""


@scenario("R-ORDER-1", "R-ORDER-2", "R-ORDER-3", "R-ORDER-4", "R-ORDER-5")
def orders(engine: PlayedEngine) -> None:
    """Give each order once, and one for a lane that it does not have."""
    talk = engine.sign_on()
    lane = engine.settings.lane
    _obeys(engine, talk, "R-ORDER-1", (m.Vend.TYPE, lane, "conform"))
    _obeys(engine, talk, "R-ORDER-2", (m.SetLane.TYPE, lane, CLOSED), (m.SetLane.TYPE, lane, NORMAL))
    _obeys(engine, talk, "R-ORDER-3", (m.Display.TYPE, lane, "Grüße", 2))
    _obeys(engine, talk, "R-ORDER-4", (m.Policy.TYPE, *NO_POLICY))
    if engine.settings.no_lane < 0:
        raise Unseen("it has every lane")
    done = talk.order(m.Vend.TYPE, engine.settings.no_lane, "conform")
    right = done is not None and not done.body[0]
    engine.report.check("R-ORDER-5", right, str(done) if done else "no DONE")


def _obeys(engine: PlayedEngine, talk: EngineTalk, id: str, *orders: tuple[Any, ...]) -> None:
    """Judge whether each order is answered DONE, ok."""
    for order in orders:
        done = talk.order(*order)
        if not engine.report.check(id, done is not None, str(done) if done else "no DONE"):
            return


@scenario("R-FRAME-8")
def appended(engine: PlayedEngine) -> None:
    """Append fields of a later version to each order."""
    talk = engine.sign_on()
    lane = engine.settings.lane
    more = ("later", {"more": 1})
    for order in (
        (m.Display.TYPE, lane, "more", 1),
        (m.SetLane.TYPE, lane, NORMAL),
        (m.Policy.TYPE, *NO_POLICY),
    ):
        plain, done = talk.order(*order), talk.order(*order, *more)
        same = plain is not None and done is not None and plain.body == done.body
        if not engine.report.check("R-FRAME-8", same, f"{plain}, with more fields {done}"):
            return


@scenario("R-FRAME-3")
def byte_by_byte(engine: PlayedEngine) -> None:
    """Send an order byte by byte."""
    talk = engine.sign_on()
    ref = talk.next_ref()
    for byte in frame(m.Display.TYPE, ref, engine.settings.lane, "byte by byte", 1):
        talk.send_bytes(bytes((byte,)))
        engine.door.wait(BYTE_S)
    found = talk.find(lambda got: got.kind == m.Done.TYPE and got.ref == ref, ANSWER_S)
    engine.report.check("R-FRAME-3", found is not None, "DONE" if found else "no DONE")


@scenario("R-FRAME-4")
def many(engine: PlayedEngine) -> None:
    """Send five requests in one piece."""
    talk = engine.sign_on()
    lane = engine.settings.lane
    orders = (
        (m.Display.TYPE, lane, "one", 1),
        (m.SetLane.TYPE, lane, NORMAL),
        (m.Display.TYPE, lane, "two", 1),
    )
    sent = {talk.next_ref(): order for order in orders}
    pings = frame(m.Ping.TYPE, 0)
    talk.send_bytes(pings + b"".join(frame(kind, ref, *rest) for ref, (kind, *rest) in sent.items()) + pings)
    got = [talk.find(lambda got: got.kind in (m.Done.TYPE, m.Pong.TYPE), ANSWER_S) for _ in range(5)]
    refs = {each.ref for each in got if each is not None and each.kind == m.Done.TYPE}
    pongs = sum(each is not None and each.kind == m.Pong.TYPE for each in got)
    right = refs == set(sent) and pongs == 2
    engine.report.check(
        "R-FRAME-4", right, f"DONE under {sorted(refs)} of {sorted(sent)}, {pongs} of 2 PONGs"
    )


@scenario("R-FRAME-7")
def unknown_type(engine: PlayedEngine) -> None:
    """Send a message type of a later version."""
    talk = engine.sign_on()
    talk.send(UNKNOWN, talk.next_ref(), 1, "later")
    if not talk.goes_on():
        raise Missed("no PONG after it")
    said = [str(each) for each in talk.errors]
    right = all(each.body[0] == 7 for each in talk.errors)
    engine.report.check("R-FRAME-7", right, f"{said[0] if said else 'nothing said'}, and goes on")


@scenario("R-FRAME-5")
def bad_crc(engine: PlayedEngine) -> None:
    """Send an order with a wrong CRC, and behind it a good one."""
    holds, seen = _refuses(engine, TO_READER[0])
    engine.report.check("R-FRAME-5", holds, seen)


@scenario("R-FRAME-6")
def violations(engine: PlayedEngine) -> None:
    """Break the protocol in five ways more."""
    for bad in TO_READER[1:]:
        holds, seen = _refuses(engine, bad)
        if not engine.report.check("R-FRAME-6", holds, f"{bad.name}: {seen}"):
            return
    engine.report.passed("R-FRAME-6", ", ".join(bad.name for bad in TO_READER[1:]))


def _refuses(engine: PlayedEngine, bad: Bad) -> tuple[bool, str]:
    """Whether the reader says ERROR with the code, obeys nothing more, and leaves; what was seen."""
    talk = engine.sign_on()
    talk.settle(0.2)
    start = len(talk.got)
    after = b"" if bad.error == 3 else frame(m.Display.TYPE, talk.next_ref(), engine.settings.lane, "no", 1)
    talk.send_bytes(bad.frame + after)
    left = _left(talk)
    said = [each for each in talk.got[start:] if each.kind in (m.Error.TYPE, m.Done.TYPE)]
    seen = ", ".join(str(each) for each in said) or "nothing said"
    if any(each.kind == m.Done.TYPE for each in said):
        return False, f"{seen}: it goes on after a violation"
    if not left:
        return False, f"{seen}, and it stays"
    right = len(said) == 1 and said[0].body[0] == bad.error and bool(said[0].body[2])
    return right, f"{seen}, and it leaves"


def _left(talk: EngineTalk) -> bool:
    try:
        return talk.wait_end(LEAVES_S) is not None
    except Ended:
        return True
