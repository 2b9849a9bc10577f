"""What docs/protocol.md requires of an engine, as far as a reader can see it."""

from liftgate.conform.report import Requirement
from liftgate.conform.sections import EITHER, EVENTS, FRAME, ROOM, SIGN_ON

_QUICK = "give its heartbeat_s a small value, or more time with --patience"

REQUIREMENTS = (
    Requirement(
        "E-SIGN-1", SIGN_ON, "HELLO is answered CHALLENGE with its ref and a nonce never used before"
    ),
    Requirement(
        "E-SIGN-2", SIGN_ON, "WELCOME proves the key over both bodies as sent, and names sane limits"
    ),
    Requirement("E-SIGN-3", SIGN_ON, "a wrong key is ERROR 8, and the end"),
    Requirement("E-SIGN-4", SIGN_ON, "an unknown id gets a CHALLENGE all the same, and ERROR 8 at AUTH"),
    Requirement("E-SIGN-5", SIGN_ON, "an unknown id fails in the same words and time as a wrong key"),
    Requirement("E-SIGN-6", SIGN_ON, "who has not signed on in 5 s is cut"),
    Requirement(
        "E-SIGN-7", SIGN_ON, "fields appended to HELLO and AUTH are ignored, the mac is over them too"
    ),
    Requirement("E-SIGN-8", SIGN_ON, "a second connection replaces the first, which gets GOODBYE"),
    Requirement("E-SIGN-9", SIGN_ON, "a second connection with a wrong key replaces nobody"),
    Requirement("E-SIGN-10", EITHER, "an event before sign-on is ERROR 9, and the end"),
    Requirement("E-SIGN-11", ROOM, "HELLO without version 1 among its versions is ERROR 2"),
    Requirement("E-FRAME-1", FRAME, "every frame is well formed, its types and ranges as the tables say"),
    Requirement("E-FRAME-2", FRAME, "integers and lengths are in the smallest form"),
    Requirement("E-FRAME-3", FRAME, "a bad magic, version or length is ERROR 1, 2, 3, before the body comes"),
    Requirement("E-FRAME-4", FRAME, "a wrong CRC is ERROR 4"),
    Requirement("E-FRAME-5", FRAME, "a body that is not one MessagePack array, or is too deep, is ERROR 5"),
    Requirement("E-FRAME-6", FRAME, "a field of a wrong type or range is ERROR 6"),
    Requirement("E-FRAME-7", EITHER, "an unknown type is ERROR 7, and the connection goes on"),
    Requirement(
        "E-FRAME-8", FRAME, "after a violation nothing on the connection is acted on, and it is closed"
    ),
    Requirement("E-FRAME-9", FRAME, "what was decided before a violation stays decided, and is answered"),
    Requirement("E-FRAME-10", FRAME, "a body of exactly frame_bytes_max is taken, one byte more is ERROR 3"),
    Requirement("E-FRAME-11", FRAME, "before WELCOME the limit is 4,096 bytes of body"),
    Requirement("E-FRAME-12", FRAME, "a frame split at every byte is understood"),
    Requirement("E-FRAME-13", FRAME, "many frames in one piece are each answered, under their own refs"),
    Requirement("E-FRAME-14", FRAME, "fields appended to an event are ignored"),
    Requirement("E-EVENT-1", EVENTS, "SCAN is answered DECISION with its number, durable, with a position"),
    Requirement(
        "E-EVENT-2", EVENTS, "a scan sent again gets the first answer again, also with other contents"
    ),
    Requirement("E-EVENT-3", EVENTS, "a scan sent again over a new connection gets the first answer"),
    Requirement(
        "E-EVENT-4", EVENTS, "a resend older than 256 answers gets the first, or 2 and 205: never opens"
    ),
    Requirement(
        "E-EVENT-5", EVENTS, "PASSAGE and LANE_STATUS are acknowledged by number, again if sent again"
    ),
    Requirement(
        "E-EVENT-6", SIGN_ON, "WELCOME names exactly what is durable of this boot: done_to, and gaps above"
    ),
    Requirement("E-EVENT-7", EVENTS, "another boot is another numbering"),
    Requirement("E-EVENT-8", EITHER, "in_flight_max requests at once are answered, one more is ERROR 10"),
    Requirement("E-EVENT-9", EITHER, "a lane that this reader does not have is ERROR 13"),
    Requirement("E-EVENT-10", EVENTS, "a scan whose time is an hour off is decided all the same"),
    Requirement("E-EVENT-11", EITHER, "too many gaps are ERROR 11, and none is forgotten"),
    Requirement("E-ROLE-1", EITHER, "what only a service may ask is ERROR 9 for a reader"),
    Requirement("E-ROLE-2", EITHER, "what only the engine says is ERROR 9 from a reader"),
    Requirement(
        "E-REPLAY-1", EVENTS, "REPLAY is answered REPLAYED: all of it durable, no verdict, no barrier"
    ),
    Requirement(
        "E-REPLAY-2", EVENTS, "a number known from a REPLAY never opens when it comes as a live scan"
    ),
    Requirement("E-REPLAY-3", EVENTS, "a REPLAY sent again is recorded once"),
    Requirement("E-REPLAY-4", EVENTS, "live events between REPLAYs are answered, whatever the backlog"),
    Requirement("E-REPLAY-5", EITHER, "an entry of a type that is no event is ERROR 6"),
    Requirement("E-BEAT-1", EITHER, "PING is answered PONG"),
    Requirement("E-BEAT-2", EITHER, "after heartbeat_s of silence the engine sends PING", _QUICK),
    Requirement("E-BEAT-3", EITHER, "a reader silent for 2 × heartbeat_s is closed", _QUICK),
    Requirement("E-TIME-1", EITHER, "TIME repeats t0, and t1 and t2 are the engine's clock, in order"),
    Requirement("E-END-1", EITHER, "after GOODBYE the engine closes, and nothing more is acted on"),
)
