"""Scenarios: how an engine lets readers in, and how it parts from them."""

from statistics import median

from liftgate.codecs import messages as m
from liftgate.conform.engines.played import END_S, REPLY_S, PlayedReader, ReaderTalk
from liftgate.conform.report import Missed
from liftgate.conform.runner import Stage
from liftgate.conform.wire import frame

STAGE: Stage[PlayedReader] = Stage()
scenario = STAGE.scenario

TRIES = 30
"""Sign-ons of each kind whose times are compared: enough for a median on a busy machine."""

FURTHER_APART_S = 0.0005
"""Medians this near are the same: a hash or a look-up more is far less, a question to a database more."""

WRONG_KEY = bytes(range(100, 132))


@scenario("E-SIGN-1", "E-SIGN-2")
def sign_on(reader: PlayedReader) -> None:
    """Say HELLO twice, and sign on with the right key."""
    first = reader.hello(reader.dial()).body[0]
    talk = reader.dial()
    second = reader.hello(talk).body[0]
    reader.report.check("E-SIGN-1", first != second, "two CHALLENGEs, each with a nonce of its own")
    welcome = reader.welcome(talk, reader.prove(talk))
    _, _, _, in_flight, frame_bytes, heartbeat_s, at_ms = welcome.body[:7]
    sane = in_flight >= 1 and 64 <= frame_bytes <= 65_536 and heartbeat_s >= 1
    off_s = abs(at_ms - reader.line.unix_ms()) / 1000
    seen = (
        f"in flight {in_flight}, frames {frame_bytes}, heartbeat {heartbeat_s} s, clock off by {off_s:.1f} s"
    )
    reader.report.check("E-SIGN-2", sane, seen)


@scenario("E-SIGN-3")
def wrong_key(reader: PlayedReader) -> None:
    """Prove another key."""
    talk = reader.dial()
    reader.hello(talk)
    reader.prove(talk, key=WRONG_KEY)
    reader.report.check("E-SIGN-3", *talk.refused(8))


@scenario("E-SIGN-4")
def unknown_id(reader: PlayedReader) -> None:
    """Sign on as somebody whom the engine does not know."""
    talk = reader.dial()
    reader.hello(talk, id="nobody-of-that-name")
    reader.prove(talk)
    reader.report.check("E-SIGN-4", *talk.refused(8))


@scenario("E-SIGN-5")
def same_time(reader: PlayedReader) -> None:
    """Compare an unknown id with a wrong key, in turn."""
    took: dict[str, list[float]] = {"": [], "nobody-of-that-name": []}
    words = set()
    for _ in range(TRIES):
        for id, times in took.items():
            talk = reader.dial()
            reader.hello(talk, id=id)
            began = reader.line.now_s()
            reader.prove(talk, key=WRONG_KEY)
            error = talk.error()
            if error is None:
                raise Missed("no ERROR")
            times.append(reader.line.now_s() - began)
            words.add((error.body[0], error.body[1]))
            reader.hang_up()
    wrong, unknown = (median(times) for times in took.values())
    near = abs(wrong - unknown) <= max(FURTHER_APART_S, 0.25 * max(wrong, unknown))
    seen = f"medians of {TRIES}: {wrong * 1000:.2f} ms wrong key, {unknown * 1000:.2f} ms unknown id"
    if len(words) > 1:
        seen = f"answers differ: {sorted(words)}"
    reader.report.check("E-SIGN-5", near and len(words) == 1, seen)


@scenario("E-SIGN-6")
def slow_sign_on(reader: PlayedReader) -> None:
    """Say HELLO and then nothing."""
    began = reader.line.now_s()
    talk = reader.dial()
    reader.hello(talk)
    stayed = talk.wait_end(5 + END_S) is None
    took_s = reader.line.now_s() - began
    reader.report.check(
        "E-SIGN-6", not stayed and took_s > 3, f"cut after {took_s:.1f} s" if not stayed else "stays"
    )


@scenario("E-SIGN-7")
def appended(reader: PlayedReader) -> None:
    """Append fields of a later version to HELLO and AUTH."""
    talk = reader.dial()
    reader.hello(talk, "later", 7)
    welcome = reader.welcome(talk, reader.prove(talk, ["more"]))
    reader.report.passed("E-SIGN-7", f"done_to {welcome.body[1]}")


@scenario("E-SIGN-8")
def replaced(reader: PlayedReader) -> None:
    """Sign on again while signed on."""
    first, _ = reader.sign_on()
    second, _ = reader.sign_on()
    last_words = first.wait_end(END_S)
    second.ask(m.LaneStatus.TYPE, *reader.status(), reply=m.Ack.TYPE)
    said = last_words is not None and any(each.kind == m.Goodbye.TYPE for each in last_words)
    reader.report.check("E-SIGN-8", said, _parting(last_words))


def _parting(last_words: object) -> str:
    if last_words is None:
        return "the first connection stays open"
    return "GOODBYE, and the second works" if last_words else "closed without GOODBYE"


@scenario("E-SIGN-9")
def not_replaced(reader: PlayedReader) -> None:
    """Try to push a reader off with its id alone."""
    first, _ = reader.sign_on()
    stranger = reader.dial()
    reader.hello(stranger)
    reader.prove(stranger, key=WRONG_KEY)
    stranger.error()
    first.ask(m.LaneStatus.TYPE, *reader.status(), reply=m.Ack.TYPE)
    reader.report.passed("E-SIGN-9", "the first connection goes on")


@scenario("E-SIGN-10")
def too_early(reader: PlayedReader) -> None:
    """Send a scan before anything else."""
    talk = reader.dial()
    talk.request(m.Scan.TYPE, *reader.scan())
    reader.report.check("E-SIGN-10", *talk.refused(9))


@scenario("E-SIGN-11")
def other_versions(reader: PlayedReader) -> None:
    """Speak versions 2 and 9 only."""
    talk = reader.dial()
    hello = (m.READER, reader.settings.reader, reader.boot, (2, 9), bytes(16), "liftgate conform", 4096)
    talk.request(m.Hello.TYPE, *hello)
    reader.report.check("E-SIGN-11", *talk.refused(2))


@scenario("E-BEAT-1")
def ping(reader: PlayedReader) -> None:
    """Ask whether it is there."""
    talk, _ = reader.sign_on()
    talk.send(m.Ping.TYPE, 0)
    found = talk.find_kind(m.Pong.TYPE, REPLY_S)
    reader.report.check("E-BEAT-1", found is not None, "PONG" if found else f"nothing within {REPLY_S:g} s")


@scenario("E-BEAT-2", "E-BEAT-3")
def silence(reader: PlayedReader) -> None:
    """Say nothing, and do not answer PING."""
    talk, welcome = reader.sign_on()
    heartbeat_s = welcome.body[5]
    most_s = 2 * heartbeat_s + 2
    if most_s > reader.settings.patience_s:
        for id in ("E-BEAT-2", "E-BEAT-3"):
            reader.report.unseen(
                id, f"the heartbeat is {heartbeat_s} s, the patience {reader.settings.patience_s:g} s"
            )
        return
    talk.serves = False
    began = reader.line.now_s()
    asked_s = _seconds_to(talk, m.Ping.TYPE, most_s)
    seen = "no PING" if asked_s is None else f"PING after {asked_s:.1f} s, heartbeat_s is {heartbeat_s}"
    reader.report.check("E-BEAT-2", asked_s is not None and asked_s <= heartbeat_s + 2, seen)
    closed = talk.left or talk.wait_end(began + most_s - reader.line.now_s()) is not None
    took_s = reader.line.now_s() - began
    seen = f"closed after {took_s:.1f} s" if closed else f"still open after {took_s:.1f} s"
    reader.report.check("E-BEAT-3", closed and took_s >= heartbeat_s, seen)


def _seconds_to(talk: ReaderTalk, kind: int, wait_s: float) -> float | None:
    """How long until a frame of that type came, nothing answered meanwhile."""
    began = talk.clock.now_s()
    return None if talk.find_kind(kind, wait_s) is None else talk.clock.now_s() - began


@scenario("E-TIME-1")
def what_time(reader: PlayedReader) -> None:
    """Ask for the time."""
    talk, _ = reader.sign_on()
    t0, t1, t2 = talk.ask(m.TimeAsk.TYPE, 12_345, reply=m.Time.TYPE).body[:3]
    off_s = abs(t1 - reader.line.unix_ms()) / 1000
    seen = f"t0 {t0}, t2 - t1 = {t2 - t1} ms, off this machine's clock by {off_s:.1f} s"
    reader.report.check("E-TIME-1", t0 == 12_345 and t1 <= t2, seen)


@scenario("E-END-1")
def goodbye(reader: PlayedReader) -> None:
    """Say GOODBYE, and in the same piece one event more."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    late = frame(m.LaneStatus.TYPE, talk.next_ref(), *reader.status())
    talk.send_bytes(frame(m.Goodbye.TYPE, 0, "conform is done") + late)
    last_words = talk.wait_end(END_S)
    _, welcome = reader.sign_on()
    acted = bool(welcome.body[1]) or any(each.kind == m.Ack.TYPE for each in last_words or ())
    seen = "stays open" if last_words is None else "acts on what came after GOODBYE" if acted else "closed"
    reader.report.check("E-END-1", last_words is not None and not acted, seen)
