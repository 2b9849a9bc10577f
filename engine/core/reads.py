"""A scan and its decision: the hot path of the core."""

from liftgate.codecs import codes, raw
from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lane, Lot, Stay
from liftgate.engine.core.rules.payment import PAID_TOO_LONG_AGO, PAY


def decision_time(at_ms: int, now_ms: int) -> int:
    """The reader's time, or the engine's where the two are more than 10 s apart (protocol.md)."""
    skew = at_ms - now_ms
    return now_ms if skew > codes.SKEW_MS_MAX or skew < -codes.SKEW_MS_MAX else at_ms


def decide_read(lot: Lot, read: ReadCredential) -> ScanDecided:
    """The decision on a scan that was not decided before."""
    lane = read.lane
    read.credential = raw.credential(read.kind, read.token)
    stay = read.stay = lot.stays.get(read.credential)
    way = read.way = way_through(lane, stay)
    read.time_ms = decision_time(read.at_ms, read.now_ms)
    read.soft_reason = 0
    read.marks = None
    read.said = None
    event = _scan(lot, read)
    for rule in lane.entry if way == codes.IN else lane.exit:
        reason = rule.check(lot, read)
        if reason:
            _refuse(lot, read, event, reason)
            return event
    _admit(lot, read, event)
    return event


def way_through(lane: Lane, stay: Stay | None) -> int:
    """IN or OUT. A lane for both takes a scan of somebody inside as exit, else as entry."""
    if lane.way:
        return lane.way
    inside = stay is not None and stay.area is not None and stay.area.within(lane.area)
    return codes.OUT if inside else codes.IN


def _scan(lot: Lot, read: ReadCredential) -> ScanDecided:
    """The event as far as the scan itself fills it."""
    lane = read.lane
    event = ScanDecided()
    event.name(lot, lane, read.numbering, read.no, read.time_ms)
    event.skew_ms = read.at_ms - read.time_ms
    event.kind = read.kind
    event.token = read.token
    event.way = read.way
    event.area = lane.area.id
    return event


def _admit(lot: Lot, read: ReadCredential, event: ScanDecided) -> None:
    """Open: name the stay, and on the way in its spot."""
    stay = read.stay
    event.verdict = codes.OPEN
    if read.soft_reason or read.marks is not None:
        _say_marks(read, event)
    event.effect = codes.PROMISED if read.lane.confirm else codes.MOVED
    if read.way == codes.IN:
        begins = stay is None or (stay.area is not read.lane.area.parent and _begins(lot, read.lane, stay))
        event.session = new_session(lot, event.at_ms) if begins or stay is None else stay.session
        block = read.block
        number = read.number
        if block is not None:
            event.spot = block.name(number) if number else block.key
    elif stay is not None:
        event.session = stay.session
    elif read.marks is not None and "unknown_entry" in read.marks:
        event.session = new_session(lot, event.at_ms)


def _begins(lot: Lot, lane: Lane, stay: Stay) -> bool:
    """Whether a car whose stay is not just outside the lane begins another one; its own then gives way.

    Off the street it does: it left unseen. Into an inner area too, unless `[lot.rules.passback]` is there:
    then it only went from one area to the other unseen, and owes for the whole stay.
    """
    return lane.area.parent is None or (stay.forgiven and "passback" not in lot.rules)


def _say_marks(read: ReadCredential, event: ScanDecided) -> None:
    """A rule objected and let the car through, or has something to be remembered."""
    event.reason = read.soft_reason
    if read.said is not None:
        event.rare = read.said.rare
    elif read.marks is not None:
        event.add(None, None, read.marks)


def _refuse(lot: Lot, read: ReadCredential, event: ScanDecided, reason: int) -> None:
    """Refuse, or ask for payment, with the trace of what the rules saw."""
    event.reason = reason
    event.verdict = codes.PAY_FIRST if reason in (PAY, PAID_TOO_LONG_AGO) else codes.REFUSE
    price = (read.price_minor, lot.currency) if read.price_minor else None
    trace = _trace(lot, read)
    event.add(price, trace, read.marks)
    if read.stay is not None:
        event.session = read.stay.session
    read.price_minor = 0


def _trace(lot: Lot, read: ReadCredential) -> tuple[str, ...]:
    """A line for each rule that was asked, the one that objected last."""
    lines = []
    for rule in lot.entry if read.way == codes.IN else lot.exit:
        reason = rule.check(lot, read)
        lines.append(f"{rule.name}: {rule.explain(lot, read)}")
        if reason:
            lines.append(f"reason {reason}")
            break
    return tuple(lines)


def new_session(lot: Lot, at_ms: int) -> bytes:
    """A session's name: a UUID of version 8 (RFC 9562) from time, lot and seq.

    48 bits of time, so that names sort; 12 + 14 bits of the lot's tag; 48 bits of seq, which alone makes it
    unique in the lot. No randomness, so a replay gives the same name.
    """
    tag = lot.tag
    high = raw.low_bits(at_ms, 48) << 16 | 0x8000 | (tag & 0xFFF)
    low = raw.bit(63) | raw.low_bits(tag >> 12, 14) << 48 | raw.low_bits(lot.seq + 1, 48)
    return raw.two_words(high, low)
