"""Scenarios: how a reader signs on, and how it takes leave."""

from liftgate.codecs import messages as m
from liftgate.conform.port import Ended
from liftgate.conform.readers.played import EVENT_KINDS, SIGN_ON_S, EngineTalk, PlayedEngine
from liftgate.conform.report import Missed
from liftgate.conform.runner import Stage
from liftgate.conform.wire import Frame

STAGE: Stage[PlayedEngine] = Stage()
scenario = STAGE.scenario

LEAVES_S = 8.0
"""How long a reader may take to close a connection that is of no use: a sign-on's 5 s, and some."""

OBEYS_S = 1.5
"""How long is watched whether a reader does what it must not."""

HEARTBEAT_S = 2
"""What WELCOME names where heartbeats are watched."""


@scenario("R-SIGN-1", "R-SIGN-2", "R-SIGN-8")
def sign_on(engine: PlayedEngine) -> None:
    """Let the reader sign on."""
    talk, hello = engine.greet()
    role, id, boot, versions, _, software, frame_bytes_max = hello.body[:7]
    right = role == 1 and id == engine.settings.reader and boot and 1 in versions
    seen = f"role {role}, id {id!r}, boot {boot}, versions {versions}, {software!r}, frames {frame_bytes_max}"
    engine.report.check("R-SIGN-1", bool(right), seen)
    engine.challenge(talk, hello)
    auth = engine.proof(talk)
    engine.report.passed("R-SIGN-2", "the mac is right")
    took_s = engine.door.now_s() - talk.opened_s
    engine.report.check("R-SIGN-8", took_s <= SIGN_ON_S, f"AUTH {took_s:.1f} s after connecting")
    engine.welcome(talk, auth)
    talk.settle(OBEYS_S)


@scenario("R-SIGN-4")
def wrong_engine(engine: PlayedEngine) -> None:
    """Prove nothing in WELCOME, then give orders."""
    talk, hello = engine.greet()
    engine.challenge(talk, hello)
    engine.welcome(talk, engine.proof(talk), mac=bytes(32))
    said = _said_to(talk, LEAVES_S)
    obeyed = [each for each in said if each.kind in (m.Done.TYPE, m.Replay.TYPE, *EVENT_KINDS)]
    if obeyed:
        engine.report.failed("R-SIGN-4", f"{obeyed[0]} to an engine that does not hold the key")
        return
    left = talk.left or talk.wait_end(LEAVES_S) is not None
    engine.report.check("R-SIGN-4", left, "it leaves" if left else f"it stays for {LEAVES_S:g} s")


@scenario("R-SIGN-6")
def too_early(engine: PlayedEngine) -> None:
    """Give orders between HELLO and CHALLENGE."""
    talk, _ = engine.greet()
    said = _said_to(talk, OBEYS_S)
    obeyed = [each for each in said if each.kind == m.Done.TYPE and each.body[0]]
    seen = f"{obeyed[0]} before it knows whom it obeys" if obeyed else "nothing done"
    engine.report.check("R-SIGN-6", not obeyed, seen)


def _said_to(talk: EngineTalk, wait_s: float) -> list[Frame]:
    """What the reader says to orders that it must not obey, until it leaves or for so long."""
    said: list[Frame] = []
    until = talk.clock.now_s() + wait_s
    try:
        talk.send(m.Vend.TYPE, talk.next_ref(), talk.engine.settings.lane, "conform")
        talk.send(m.Display.TYPE, talk.next_ref(), talk.engine.settings.lane, "conform", 1)
        while (left_s := until - talk.clock.now_s()) > 0 and (found := talk.read(left_s)) is not None:
            said.append(found)
    except Ended:
        pass  # leaving is what it should do
    return said


@scenario("R-SIGN-5")
def appended(engine: PlayedEngine) -> None:
    """Append fields of a later version to CHALLENGE and WELCOME."""
    talk, hello = engine.greet()
    engine.challenge(talk, hello, "later", [1])
    engine.welcome(talk, engine.proof(talk), {"more": 1})
    goes_on = talk.goes_on()
    engine.report.check(
        "R-SIGN-5", goes_on, "it signs on and answers" if goes_on else "no PONG after WELCOME"
    )


@scenario("R-BEAT-1")
def ping(engine: PlayedEngine) -> None:
    """Ask whether it is there."""
    goes_on = engine.sign_on().goes_on()
    engine.report.check("R-BEAT-1", goes_on, "PONG" if goes_on else "no PONG")


@scenario("R-BEAT-2", "R-BEAT-3")
def silence(engine: PlayedEngine) -> None:
    """Say nothing more, and answer no PING."""
    talk = engine.sign_on(heartbeat_s=HEARTBEAT_S)
    talk.settle(0.5)  # what it has to say anyway
    talk.answers = False
    began = engine.door.now_s()
    first = talk.read(2 * HEARTBEAT_S + 1)
    took_s = engine.door.now_s() - began
    seen = "nothing came" if first is None else f"{first} after {took_s:.1f} s, {HEARTBEAT_S} were told"
    engine.report.check("R-BEAT-2", first is not None and took_s <= HEARTBEAT_S + 1, seen)
    left = talk.wait_end(3 * HEARTBEAT_S + 2) is not None
    if not left and not talk.left:
        left = talk.wait_end(2 * HEARTBEAT_S) is not None
    took_s = engine.door.now_s() - began
    seen = f"it left after {took_s:.1f} s" if left else f"still there after {took_s:.1f} s"
    engine.report.check("R-BEAT-3", left, seen)


@scenario("R-END-1")
def goodbye(engine: PlayedEngine) -> None:
    """Say GOODBYE."""
    talk = engine.sign_on()
    talk.settle(0.2)
    talk.send(m.Goodbye.TYPE, 0, "stopping")
    _leaves(engine, talk, "R-END-1")


@scenario("R-END-2")
def fatal(engine: PlayedEngine) -> None:
    """Say a fatal ERROR."""
    talk = engine.sign_on()
    talk.settle(0.2)
    talk.send(m.Error.TYPE, 0, 14, "too slow", True)
    _leaves(engine, talk, "R-END-2")


def _leaves(engine: PlayedEngine, talk: EngineTalk, id: str) -> None:
    """Judge whether the reader ends the connection and comes again."""
    if talk.wait_end(LEAVES_S) is None:
        engine.report.failed(id, f"still there after {LEAVES_S:g} s")
        return
    before = engine.door.now_s()
    if not engine.sign_on().goes_on():
        raise Missed("it comes again, and does not answer")
    engine.report.passed(id, f"it leaves, and is there again {engine.door.now_s() - before:.1f} s later")
