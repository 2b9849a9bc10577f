"""What docs/protocol.md requires of a reader, as far as an engine can see it."""

from liftgate.conform.report import Requirement
from liftgate.conform.sections import EITHER, EVENTS, FRAME, SIGN_ON, TO_READERS

_SCAN = "scan a card when asked"
_PASS = "let a car pass when asked: a lane that reports passages"
_ALONE = "scan when told that the engine is away: a reader that decides alone"
_MANY = "scan more than one REPLAY holds while the engine is away (a stimulus does)"
_RESTART = "switch the reader off and on when asked"

REQUIREMENTS = (
    Requirement(
        "R-SIGN-1", SIGN_ON, "HELLO comes first: role 1, its own id, a boot, version 1 among its versions"
    ),
    Requirement("R-SIGN-2", SIGN_ON, "AUTH proves the key over HELLO and CHALLENGE as sent"),
    Requirement("R-SIGN-3", SIGN_ON, "HELLO's nonce is another one each time"),
    Requirement(
        "R-SIGN-4", SIGN_ON, "a WELCOME whose mac is wrong is not obeyed: nothing is done, nothing told"
    ),
    Requirement(
        "R-SIGN-5", SIGN_ON, "fields appended to CHALLENGE and WELCOME are ignored, the mac is over them"
    ),
    Requirement("R-SIGN-6", SIGN_ON, "nothing is obeyed before WELCOME"),
    Requirement("R-SIGN-7", EVENTS, "it comes back by itself after the connection is gone"),
    Requirement("R-SIGN-8", SIGN_ON, "it signs on within 5 s of connecting"),
    Requirement("R-FRAME-1", FRAME, "every frame is well formed, its types and ranges as the tables say"),
    Requirement("R-FRAME-2", FRAME, "integers and lengths are in the smallest form"),
    Requirement("R-FRAME-3", FRAME, "a frame that comes byte by byte is understood"),
    Requirement("R-FRAME-4", FRAME, "many frames in one piece are each answered, under their own refs"),
    Requirement(
        "R-FRAME-5", FRAME, "a wrong CRC is ERROR 4, and the end: nothing of it or after it is obeyed"
    ),
    Requirement("R-FRAME-6", FRAME, "other violations are ERROR 1, 2, 3, 5, 6, and the end"),
    Requirement("R-FRAME-7", EITHER, "an unknown type is ERROR 7 at the most, and the connection goes on"),
    Requirement("R-FRAME-8", FRAME, "fields appended to an order are ignored"),
    Requirement(
        "R-FRAME-9", FRAME, "no body is longer than the limit: 4,096, then WELCOME's frame_bytes_max"
    ),
    Requirement("R-ORDER-1", TO_READERS, "VEND is answered DONE under its ref"),
    Requirement("R-ORDER-2", TO_READERS, "SET_LANE is answered DONE under its ref"),
    Requirement("R-ORDER-3", TO_READERS, "DISPLAY is answered DONE under its ref"),
    Requirement("R-ORDER-4", TO_READERS, "POLICY is answered DONE under its ref"),
    Requirement("R-ORDER-5", TO_READERS, "an order for a lane that it does not have is DONE with ok false"),
    Requirement(
        "R-EVENT-1", EVENTS, "events are numbered 1, 2, 3 …: none left out, none used for two", _SCAN
    ),
    Requirement("R-EVENT-2", EVENTS, "a scan names the lane as configured, its kind and token", _SCAN),
    Requirement(
        "R-EVENT-3", EVENTS, "an unanswered event comes again after a cut: same boot, number, contents", _SCAN
    ),
    Requirement("R-EVENT-4", EVENTS, "an answered event does not come again", _SCAN),
    Requirement(
        "R-EVENT-5", SIGN_ON, "what WELCOME names as durable, also in gaps, does not come again", _PASS
    ),
    Requirement(
        "R-EVENT-6", EVENTS, "while the engine is slow to answer, a scan gets no second number", _SCAN
    ),
    Requirement("R-EVENT-7", SIGN_ON, "no more than in_flight_max requests are unanswered at once", _SCAN),
    Requirement("R-EVENT-8", EITHER, "an event that got ERROR 12 is kept, and sent again later", _SCAN),
    Requirement(
        "R-EVENT-9", EVENTS, "after a power cut: same boot and its events, or a new boot from 1", _RESTART
    ),
    Requirement(
        "R-REPLAY-1", EVENTS, "what it acted on while alone comes by REPLAY, never as a live scan", _ALONE
    ),
    Requirement("R-REPLAY-2", EVENTS, "a REPLAY holds events, scans with the verdict that was given", _ALONE),
    Requirement(
        "R-REPLAY-3", EVENTS, "a REPLAY that was not answered comes again, under the same numbers", _ALONE
    ),
    Requirement("R-REPLAY-4", EVENTS, "pause_ms passes before the next REPLAY", _MANY),
    Requirement("R-REPLAY-5", EVENTS, "a live scan does not wait for the backlog", _MANY),
    Requirement("R-BEAT-1", EITHER, "PING is answered PONG"),
    Requirement(
        "R-BEAT-2", EITHER, "after heartbeat_s of silence it sends something, PING if it has nothing else"
    ),
    Requirement(
        "R-BEAT-3", EITHER, "it leaves an engine that is silent for 2 × heartbeat_s, and comes again"
    ),
    Requirement("R-TIME-1", EVENTS, "at_ms of a live scan is within 10 s of the engine's clock", _SCAN),
    Requirement(
        "R-TIME-2", EVENTS, "a jump of the engine's clock disturbs neither connection nor numbering", _SCAN
    ),
    Requirement("R-END-1", EITHER, "GOODBYE ends the connection; it comes again"),
    Requirement("R-END-2", EITHER, "a fatal ERROR ends the connection; it comes again"),
)
