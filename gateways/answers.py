"""What peers are told: events turned into DECISION and ACK, and reasons into words for a display.

An answer is a function of the event, so a repeated question gets the same bytes.
"""

from typing import Any

from liftgate.codecs import codes, values
from liftgate.codecs import frame as frames
from liftgate.codecs.pack import Packer
from liftgate.engine.core.events import ScanDecided
from liftgate.engine.core.model import Lot

DECIDED_LONG_AGO = 205

TEXTS = {
    100: "Lane closed",
    101: "Not taken here",
    102: "",
    200: "Not known here",
    201: "Not permitted",
    202: "Not valid now",
    203: "Not valid",
    204: "Used before",
    205: "Please scan again",
    210: "Already inside",
    211: "No entry on record",
    220: "Not at this time",
    300: "Full",
    301: "No spot of your class",
    302: "Group is full",
    310: "Reserved",
    400: "Please call for help",
    402: "Please pay",
    403: "Time to leave has passed",
    500: "Please call for help",
}


def text_of(event: ScanDecided) -> str:
    """The words for the lane's display."""
    if event.verdict == codes.OPEN:
        return "Welcome" if event.way == codes.IN else "Goodbye"
    return TEXTS.get(event.reason, "Please call for help")


def spot_of(lot: Lot, event: ScanDecided) -> str | None:
    """What the driver is told: the spot, the area, or nothing, as the lot assigns."""
    if event.spot is None or lot.assign == "spot":
        return event.spot
    return event.area if lot.assign == "area" else None


def pack_decision(out: Packer, ref: int, lot: Lot, event: ScanDecided) -> None:
    """Append the DECISION frame that answers the scan of `event`."""
    head = frames.begin_frame(out, codes.DECISION, ref)
    spot, text, session = spot_of(lot, event), text_of(event), event.session
    payload = values.text_bytes(spot) + values.text_bytes(text) + values.binary_bytes(session)
    out.reserve(9 * values.NUMBER_BYTES + payload)
    buf = out.buf
    at = values.put_array(buf, out.n, 9)
    at = values.put_uint(buf, at, event.no)
    at = values.put_uint(buf, at, event.verdict)
    at = values.put_uint(buf, at, event.reason)
    at = values.put_binary(buf, at, session)
    at = values.put_text(buf, at, spot)
    out.n = at = values.put_text(buf, at, text)
    if event.owes():
        out.value(event.price)
        out.reserve(2 * values.NUMBER_BYTES)
        at = out.n
    else:
        at = values.put_nil(buf, at)
    at = values.put_uint(buf, at, codes.ON_THIS_DISK)
    out.n = values.put_uint(buf, at, event.position)
    frames.end_frame(out, head)


def pack_too_old(out: Packer, ref: int, no: int) -> None:
    """Append the DECISION for a number that was decided and whose answer is not a live one any more."""
    at = frames.begin_frame(out, codes.DECISION, ref)
    text = TEXTS[DECIDED_LONG_AGO]
    out.value([no, codes.REFUSE, DECIDED_LONG_AGO, None, None, text, None, codes.ON_THIS_DISK, 0])
    frames.end_frame(out, at)


def pack_ack(out: Packer, ref: int, no: int, position: int) -> None:
    """Append the ACK frame for a PASSAGE or LANE_STATUS."""
    at = frames.begin_frame(out, 0x14, ref)
    out.array(2)
    out.uint(no)
    out.uint(position)
    frames.end_frame(out, at)


def decision_body(lot: Lot, event: ScanDecided) -> dict[str, Any]:
    """A decision as the body of an OUTCOME, for a service that scanned for somebody."""
    return {
        "no": event.no,
        "verdict": event.verdict,
        "reason": event.reason,
        "session": event.session,
        "spot": spot_of(lot, event),
        "text": text_of(event),
        "price": event.price,
        "durable": codes.ON_THIS_DISK,
    }
