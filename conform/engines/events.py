"""Scenarios: what an engine makes of a reader's events, sent once, again, out of order, and too many."""

from typing import Any

from liftgate.codecs import messages as m
from liftgate.conform.engines.played import PlayedReader
from liftgate.conform.report import Missed
from liftgate.conform.runner import Stage
from liftgate.conform.wire import frame

STAGE: Stage[PlayedReader] = Stage()
scenario = STAGE.scenario

ANSWERS_KEPT = 256
"""How many answers of each numbering an engine keeps at the least (protocol.md)."""

GAPS_MAX = 300
"""Ranges tried before giving up on ERROR 11: an engine that takes more is not short of memory."""

OPEN, REFUSE = m.OPEN, m.REFUSE
DECIDED_LONG_AGO = 205


@scenario("E-EVENT-1", "E-EVENT-2")
def decided_once(reader: PlayedReader) -> None:
    """Scan a card, then send the scan again, and under the same number another card."""
    talk, _ = reader.sign_on()
    fields = reader.scan()
    first = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    no, verdict, reason, session, _, _, _, durable, position = first.body[:9]
    right = no == fields[0] and durable in (1, 2) and position > 0
    seen = f"verdict {verdict}, reason {reason}, durable {durable}, position {position}"
    reader.report.check(
        "E-EVENT-1", right, seen if no == fields[0] else f"number {no}, {fields[0]} was asked"
    )
    again = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    other = talk.ask(m.Scan.TYPE, *reader.scan(no=no), reply=m.Decision.TYPE)
    same = first.raw == again.raw == other.raw
    reader.report.check("E-EVENT-2", same, "the same bytes" if same else f"{first}, then {again}, {other}")


@scenario("E-EVENT-3")
def decided_once_for_ever(reader: PlayedReader) -> None:
    """Scan a card, lose the connection, send the scan again."""
    talk, _ = reader.sign_on()
    fields = reader.scan()
    first = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    talk.close()
    talk, _ = reader.sign_on()
    again = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    same = again.raw == first.raw
    reader.report.check("E-EVENT-3", same, "the same bytes" if same else f"{first}, then {again}")


@scenario("E-EVENT-4")
def long_ago(reader: PlayedReader) -> None:
    """Send a scan again after more events than answers have to be kept."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    fields = reader.scan()
    first = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    for _ in range(ANSWERS_KEPT - 1):
        talk.ask(m.LaneStatus.TYPE, *reader.status(), reply=m.Ack.TYPE)
    kept = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    for _ in range(ANSWERS_KEPT):
        talk.ask(m.LaneStatus.TYPE, *reader.status(), reply=m.Ack.TYPE)
    late = talk.ask(m.Scan.TYPE, *fields, reply=m.Decision.TYPE)
    right = late.raw == first.raw or late.body[1:3] == [REFUSE, DECIDED_LONG_AGO]
    seen = f"after 255 events {_told(kept.body)}, after 511 {_told(late.body)}"
    reader.report.check("E-EVENT-4", kept.raw == first.raw and right, seen)


def _told(body: list[object]) -> str:
    return f"verdict {body[1]} reason {body[2]}"


@scenario("E-EVENT-5")
def acknowledged(reader: PlayedReader) -> None:
    """Report a lane and a passage, each twice."""
    talk, _ = reader.sign_on()
    passage = (reader.next_no(), reader.line.unix_ms(), reader.settings.lane, 2, None)
    events = ((m.LaneStatus.TYPE, reader.status()), (m.Passage.TYPE, passage))
    right, seen = True, []
    for kind, fields in events:
        acks = [talk.ask(kind, *fields, reply=m.Ack.TYPE) for _ in range(2)]
        right = right and all(ack.body[0] == fields[0] for ack in acks) and acks[0].body[1] > 0
        seen.append(f"{fields[0]} acknowledged as {[ack.body[0] for ack in acks]}")
    reader.report.check("E-EVENT-5", right, ", ".join(seen))


@scenario("E-EVENT-6", "E-EVENT-7")
def out_of_order(reader: PlayedReader) -> None:
    """Send numbers 2, 7, 4, 1, 5, then sign on again, then close the gaps."""
    reader.use_new_boot()
    before = reader.boot
    told = [_known(reader)]
    for numbers in ((2, 7, 4, 1, 5), (6, 3)):
        talk, _ = reader.sign_on()
        for no in numbers:
            talk.ask(m.LaneStatus.TYPE, *reader.status(no), reply=m.Ack.TYPE)
        told.append(_known(reader))
    right = told == [(0, []), (2, [[4, 5], [7, 7]]), (7, [])]
    reader.report.check("E-EVENT-6", right, " then ".join(f"{done_to} {gaps}" for done_to, gaps in told))
    reader.use_new_boot()
    other = _known(reader)
    reader.boot = before
    same = _known(reader)
    right = (other, same) == ((0, []), (7, []))
    reader.report.check("E-EVENT-7", right, f"another boot has {other[0]}, the first still {same[0]}")
    reader.use_new_boot()


def _known(reader: PlayedReader) -> tuple[int, list[list[int]]]:
    """What WELCOME says is durable of the current boot."""
    _, welcome = reader.sign_on()
    return welcome.body[1], welcome.body[2]


@scenario("E-EVENT-8")
def in_flight(reader: PlayedReader) -> None:
    """Send in_flight_max events in one piece, then one more than that."""
    talk, welcome = reader.sign_on()
    most = welcome.body[3]
    talk.send_bytes(_burst(reader, talk.next_ref(), most))
    got = [talk.find_kind(m.Ack.TYPE, 5) for _ in range(most)]
    if None in got:
        raise Missed(f"{most} at once: {got.index(None)} acknowledged")
    talk.send_bytes(_burst(reader, 1, most + 1))
    holds, seen = talk.refused(10)
    reader.report.check("E-EVENT-8", holds, f"{most} answered; {most + 1}: {seen}")


def _burst(reader: PlayedReader, ref: int, count: int) -> bytes:
    return b"".join(frame(m.LaneStatus.TYPE, ref + at, *reader.status()) for at in range(count))


@scenario("E-EVENT-9")
def no_such_lane(reader: PlayedReader) -> None:
    """Scan at a lane that the reader does not have."""
    talk, _ = reader.sign_on()
    talk.request(m.Scan.TYPE, *reader.scan(lane=reader.settings.no_lane))
    reader.report.check("E-EVENT-9", *talk.refused(13))
    reader.use_new_boot()  # whether that number is used up is the engine's to say


@scenario("E-EVENT-10")
def wrong_clock(reader: PlayedReader) -> None:
    """Scan with a clock that is an hour slow."""
    talk, _ = reader.sign_on()
    no, at_ms, *rest = reader.scan()
    found = talk.ask(m.Scan.TYPE, no, at_ms - 3_600_000, *rest, reply=m.Decision.TYPE)
    reader.report.passed("E-EVENT-10", _told(found.body))


@scenario("E-EVENT-11")
def many_gaps(reader: PlayedReader) -> None:
    """Send every other number."""
    reader.use_new_boot()
    talk, _ = reader.sign_on()
    taken = []
    for no in range(2, 2 * GAPS_MAX, 2):
        ref = talk.request(m.LaneStatus.TYPE, *reader.status(no))
        answer = talk.find(lambda received, ref=ref: received.ref == ref, 5)  # type: ignore[misc]
        if answer is None:
            raise Missed(f"no answer to number {no}")
        if answer.kind == m.Error.TYPE:
            break
        taken.append([no, no])
    else:
        answer = None
    known = _known(reader)
    right = known == (0, taken) and (answer is None or answer.body[0] == 11)
    after = f"{answer} after {len(taken)} ranges" if answer else f"{len(taken)} ranges taken"
    reader.report.check(
        "E-EVENT-11", right, after + (", all known" if known == (0, taken) else f", known {known}")
    )
    reader.use_new_boot()


@scenario("E-ROLE-1")
def not_a_service(reader: PlayedReader) -> None:
    """Ask, as a reader, what only services may."""
    asked: tuple[tuple[Any, ...], ...] = (
        (m.CommandMessage.TYPE, bytes(16), "north", "correct_count", {}),
        (m.Query.TYPE, "north", "occupancy", {}),
        (m.Subscribe.TYPE, "", None),
    )
    for kind, *fields in asked:
        talk, _ = reader.sign_on()
        talk.request(kind, *fields)
        if not reader.report.check("E-ROLE-1", *talk.refused(9)):
            return
    reader.report.passed("E-ROLE-1", "COMMAND, QUERY, SUBSCRIBE: ERROR 9, closed")


@scenario("E-ROLE-2")
def not_the_engine(reader: PlayedReader) -> None:
    """Say, as a reader, what only the engine says."""
    decision = (m.Decision.TYPE, 1, OPEN, 0, None, None, "", None, 1, 1)
    for kind, *fields in (decision, (m.Ack.TYPE, 1, 1), (m.Vend.TYPE, reader.settings.lane, "me")):
        talk, _ = reader.sign_on()
        talk.request(kind, *fields)
        if not reader.report.check("E-ROLE-2", *talk.refused(9)):
            return
    reader.report.passed("E-ROLE-2", "DECISION, ACK, VEND: ERROR 9, closed")
