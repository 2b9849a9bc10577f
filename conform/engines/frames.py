"""Scenarios: what an engine makes of frames, good, odd and wrong."""

from liftgate.codecs import messages as m
from liftgate.conform.bad import TO_ENGINE, UNKNOWN, header
from liftgate.conform.engines.played import PlayedReader, ReaderTalk
from liftgate.conform.report import Missed
from liftgate.conform.runner import Stage
from liftgate.conform.wire import HEADER_BYTES, frame, frame_of, pack

STAGE: Stage[PlayedReader] = Stage()
scenario = STAGE.scenario

MANY = 16
"""Frames in one piece, where the engine takes so many at once."""


def _each_refused(reader: PlayedReader, id: str, *codes: int) -> None:
    """Send every bad frame of these codes on a connection of its own."""
    tried = [bad for bad in TO_ENGINE if bad.error in codes]
    for bad in tried:
        talk, _ = reader.sign_on()
        talk.send_bytes(bad.frame)
        holds, seen = talk.refused(bad.error)
        if not reader.report.check(id, holds, f"{bad.name}: {seen}"):
            return
    reader.report.passed(id, ", ".join(bad.name for bad in tried))


@scenario("E-FRAME-3")
def bad_headers(reader: PlayedReader) -> None:
    """Send headers that are wrong."""
    _each_refused(reader, "E-FRAME-3", 1, 2, 3)


@scenario("E-FRAME-4")
def bad_crc(reader: PlayedReader) -> None:
    """Send frames with a bit turned on the way."""
    _each_refused(reader, "E-FRAME-4", 4)


@scenario("E-FRAME-5")
def bad_bodies(reader: PlayedReader) -> None:
    """Send bodies that are no array."""
    _each_refused(reader, "E-FRAME-5", 5)


@scenario("E-FRAME-6")
def bad_fields(reader: PlayedReader) -> None:
    """Send scans with one wrong field."""
    _each_refused(reader, "E-FRAME-6", 6)


@scenario("E-FRAME-7")
def unknown_type(reader: PlayedReader) -> None:
    """Send a message type of a later version."""
    talk, _ = reader.sign_on()
    ref = talk.request(UNKNOWN)
    error = talk.error()
    if error is None:
        raise Missed("no ERROR")
    talk.ask(m.LaneStatus.TYPE, *reader.status(), reply=m.Ack.TYPE)
    right = error.body[0] == 7 and not error.body[2] and error.ref in (0, ref)
    reader.report.check("E-FRAME-7", right, f"{error}, and goes on")


@scenario("E-FRAME-8", "E-FRAME-9")
def after_a_violation(reader: PlayedReader) -> None:
    """Send a good event, a frame with a wrong CRC, and a good event, in one piece."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    before = frame(m.LaneStatus.TYPE, talk.next_ref(), *reader.status())
    wrong = frame_of(m.Ping.TYPE, 0, pack(), crc=0)
    after = frame(m.LaneStatus.TYPE, talk.next_ref(), *reader.status())
    talk.send_bytes(before + wrong + after)
    holds, seen = talk.refused(4)
    acked = [each.body[0] for each in talk.got if each.kind == m.Ack.TYPE]
    _, welcome = reader.sign_on()
    done_to, gaps = welcome.body[1:3]
    acted = done_to > 1 or gaps or 2 in acked
    reader.report.check("E-FRAME-8", holds and not acted, "number 2 was taken" if acted else seen)
    reader.report.check(
        "E-FRAME-9", acked == [1] and done_to == 1, f"acknowledged {acked}, then done_to {done_to}"
    )


@scenario("E-FRAME-10")
def largest(reader: PlayedReader) -> None:
    """Send a body of exactly frame_bytes_max, then announce one byte more."""
    talk, welcome = reader.sign_on()
    limit = welcome.body[4]
    fields = reader.status()
    padding = limit - len(pack(*fields, b"")) + 2  # the empty bin's own two bytes
    whole = next(
        raw for size in range(padding - 8, padding) if len(raw := pack(*fields, bytes(size))) == limit
    )
    ref = talk.next_ref()
    talk.send_body(m.LaneStatus.TYPE, ref, whole)
    talk.reply(ref, m.Ack.TYPE)
    talk.send_bytes(header(m.Scan.TYPE, limit + 1))
    holds, seen = talk.refused(3)
    reader.report.check("E-FRAME-10", holds, f"{limit} bytes taken, {limit + 1}: {seen}")


@scenario("E-FRAME-11")
def largest_hello(reader: PlayedReader) -> None:
    """Announce a HELLO of 4,097 bytes."""
    talk = reader.dial()
    talk.send_bytes(header(m.Hello.TYPE, 4097))
    reader.report.check("E-FRAME-11", *talk.refused(3))


@scenario("E-FRAME-12")
def split(reader: PlayedReader) -> None:
    """Send one scan in two pieces, cut at every byte, and one byte by byte."""
    talk, _ = reader.sign_on()
    fields = reader.scan()
    size = HEADER_BYTES + len(pack(*fields))
    first = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    for cut in range(1, size):
        if not _same_in_pieces(reader, talk, fields, [cut], first.raw):
            reader.report.failed("E-FRAME-12", f"another answer when cut at byte {cut}")
            return
    same = _same_in_pieces(reader, talk, fields, list(range(1, size)), first.raw)
    reader.report.check("E-FRAME-12", same, f"{size - 1} cuts, and byte by byte: the same answer")


def _same_in_pieces(
    reader: PlayedReader, talk: ReaderTalk, fields: tuple[object, ...], cuts: list[int], answer: bytes
) -> bool:
    """Whether this scan, sent again in pieces, gets that answer."""
    ref = talk.next_ref()
    whole = frame(m.Scan.TYPE, ref, *fields)
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        talk.send_bytes(whole[start:end])
        reader.line.wait(0.001)  # so that it travels by itself
    return talk.reply(ref, m.Decision.TYPE).raw == answer


@scenario("E-FRAME-13")
def many(reader: PlayedReader) -> None:
    """Send many scans in one piece."""
    talk, welcome = reader.sign_on()
    count = min(MANY, welcome.body[3])
    numbers = {talk.next_ref(): reader.scan() for _ in range(count)}
    talk.send_bytes(b"".join(frame(m.Scan.TYPE, ref, *fields) for ref, fields in numbers.items()))
    mixed = [ref for ref, fields in numbers.items() if talk.reply(ref, m.Decision.TYPE).body[0] != fields[0]]
    reader.report.check(
        "E-FRAME-13", not mixed, f"{count} in one piece" + (", answers mixed up" if mixed else "")
    )


@scenario("E-FRAME-14")
def appended(reader: PlayedReader) -> None:
    """Append fields of a later version to each kind of event."""
    talk, _ = reader.sign_on()
    talk.ask(m.Scan.TYPE, *reader.scan(), "later", {"more": 1}, reply=m.Decision.TYPE)
    talk.ask(m.LaneStatus.TYPE, *reader.status(), None, reply=m.Ack.TYPE)
    passage = (reader.next_no(), reader.line.unix_ms(), reader.settings.lane, 2, None, [1, 2])
    talk.ask(m.Passage.TYPE, *passage, reply=m.Ack.TYPE)
    reader.report.passed("E-FRAME-14", "SCAN, LANE_STATUS, PASSAGE")
