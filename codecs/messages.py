"""The messages of protocol.md, as msgspec structs that are MessagePack arrays on the wire.

Field order is wire order. Trailing fields that a receiver doesn't know are ignored by msgspec; fields with
a default are the `+` and `?` ones. Ranges are checked while a body is decoded.
"""

from typing import Annotated, Any, ClassVar

import msgspec
from msgspec import Meta

from liftgate.codecs.frame import Fault, PeerError
from liftgate.codecs.unpack import Malformed, Unpacker

U8 = Annotated[int, Meta(ge=0, le=255)]
U16 = Annotated[int, Meta(ge=0, le=65_535)]
U32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
U64 = Annotated[int, Meta(ge=0)]
"""MessagePack has no integer above 2**64-1, and msgspec takes no bound above 2**63-1."""
Number = Annotated[int, Meta(ge=1)]
Id = Annotated[str, Meta(min_length=1, max_length=64)]
Bin16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Bin32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
Token = Annotated[bytes, Meta(max_length=512)]
Text = Annotated[str, Meta(max_length=512)]
Range = tuple[U64, U64]

READER = 1
SERVICE = 2

OPEN = 1
REFUSE = 2
PAY_FIRST = 3


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Base of all messages. TYPE is the frame's type; REQUEST: its ref is never 0.

    Each repeats `frozen`: msgspec inherits it, type checkers don't.
    """

    TYPE: ClassVar[int] = 0
    REQUEST: ClassVar[bool] = False


class Hello(Message, frozen=True):
    TYPE: ClassVar[int] = 0x01
    REQUEST: ClassVar[bool] = True
    role: Annotated[int, Meta(ge=1, le=2)]
    id: Id
    boot: Number
    versions: Annotated[tuple[U8, ...], Meta(max_length=16)]
    nonce: Bin16
    software: Annotated[str, Meta(max_length=64)]
    frame_bytes_max: Annotated[int, Meta(ge=64, le=2**32 - 1)]


class Challenge(Message, frozen=True):
    TYPE: ClassVar[int] = 0x02
    nonce: Bin16
    engine: Text
    at_ms: U64


class Auth(Message, frozen=True):
    TYPE: ClassVar[int] = 0x03
    REQUEST: ClassVar[bool] = True
    mac: Bin32


class Welcome(Message, frozen=True):
    TYPE: ClassVar[int] = 0x04
    mac: Bin32
    done_to: U64
    gaps: tuple[Range, ...]
    in_flight_max: Number
    frame_bytes_max: Annotated[int, Meta(ge=64, le=65_536)]
    heartbeat_s: Number
    at_ms: U64


class Scan(Message, frozen=True):
    TYPE: ClassVar[int] = 0x10
    REQUEST: ClassVar[bool] = True
    no: Number
    at_ms: U64
    lane: U8
    kind: Annotated[int, Meta(ge=1, le=4)]
    token: Token


class Decision(Message, frozen=True):
    TYPE: ClassVar[int] = 0x11
    no: U64
    verdict: Annotated[int, Meta(ge=1, le=3)]
    reason: U16
    session: Bin16 | None
    spot: Text | None
    text: Text
    price: tuple[int, Annotated[str, Meta(max_length=3)]] | None
    durable: U8
    position: U64


class Passage(Message, frozen=True):
    TYPE: ClassVar[int] = 0x12
    REQUEST: ClassVar[bool] = True
    no: Number
    at_ms: U64
    lane: U8
    what: Annotated[int, Meta(ge=1, le=4)]
    session: Bin16 | None = None


class LaneStatus(Message, frozen=True):
    TYPE: ClassVar[int] = 0x13
    REQUEST: ClassVar[bool] = True
    no: Number
    at_ms: U64
    lane: U8
    barrier: Annotated[int, Meta(ge=0, le=3)]
    loop: bool
    faults: Annotated[tuple[Annotated[str, Meta(max_length=64)], ...], Meta(max_length=16)]


class Ack(Message, frozen=True):
    TYPE: ClassVar[int] = 0x14
    no: U64
    position: U64


class ReplayEntry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One entry of REPLAY: the type of the event, what the reader answered (0 for nothing), its body."""

    type: U8
    verdict_given: Annotated[int, Meta(ge=0, le=3)]
    body: msgspec.Raw


class Replay(Message, frozen=True):
    TYPE: ClassVar[int] = 0x15
    REQUEST: ClassVar[bool] = True
    entries: tuple[ReplayEntry, ...]


class Replayed(Message, frozen=True):
    TYPE: ClassVar[int] = 0x16
    done_to: U64
    gaps: tuple[Range, ...]
    findings: tuple[tuple[U64, U16], ...]
    position: U64
    pause_ms: U32


class Vend(Message, frozen=True):
    TYPE: ClassVar[int] = 0x20
    REQUEST: ClassVar[bool] = True
    lane: U8
    cause: Text


class SetLane(Message, frozen=True):
    TYPE: ClassVar[int] = 0x21
    REQUEST: ClassVar[bool] = True
    lane: U8
    mode: Annotated[int, Meta(ge=1, le=5)]


class Display(Message, frozen=True):
    TYPE: ClassVar[int] = 0x22
    REQUEST: ClassVar[bool] = True
    lane: U8
    text: Text
    seconds: U16


class Done(Message, frozen=True):
    TYPE: ClassVar[int] = 0x23
    ok: bool
    text: Text


class Policy(Message, frozen=True):
    TYPE: ClassVar[int] = 0x24
    REQUEST: ClassVar[bool] = True
    verify_keys: tuple[tuple[Text, bytes], ...]
    deny: tuple[bytes, ...]
    offline: dict[str, Any]


class TimeAsk(Message, frozen=True):
    TYPE: ClassVar[int] = 0x28
    REQUEST: ClassVar[bool] = True
    t0: U64


class Time(Message, frozen=True):
    TYPE: ClassVar[int] = 0x29
    t0: U64
    t1: U64
    t2: U64


class Ping(Message, frozen=True):
    TYPE: ClassVar[int] = 0x2A


class Pong(Message, frozen=True):
    TYPE: ClassVar[int] = 0x2B


class Goodbye(Message, frozen=True):
    TYPE: ClassVar[int] = 0x2E
    reason: Text


class Error(Message, frozen=True):
    TYPE: ClassVar[int] = 0x2F
    code: U16
    text: Text
    fatal: bool


class CommandMessage(Message, frozen=True):
    TYPE: ClassVar[int] = 0x40
    REQUEST: ClassVar[bool] = True
    id: Bin16
    lot: Id
    name: Id
    args: dict[str, Any]


class Outcome(Message, frozen=True):
    TYPE: ClassVar[int] = 0x41
    id: Bin16
    ok: bool
    code: Text
    body: dict[str, Any]
    position: U64


class Query(Message, frozen=True):
    TYPE: ClassVar[int] = 0x42
    REQUEST: ClassVar[bool] = True
    lot: Annotated[str, Meta(max_length=64)]
    name: Id
    args: dict[str, Any]


class Answer(Message, frozen=True):
    TYPE: ClassVar[int] = 0x43
    ok: bool
    code: Text
    body: dict[str, Any]


class Subscribe(Message, frozen=True):
    TYPE: ClassVar[int] = 0x44
    REQUEST: ClassVar[bool] = True
    name: Annotated[str, Meta(max_length=64)]
    after: U64 | None = None


class Events(Message, frozen=True):
    TYPE: ClassVar[int] = 0x45
    first: U64
    last: U64
    records: bytes


class Cursor(Message, frozen=True):
    TYPE: ClassVar[int] = 0x46
    position: U64


MESSAGES: dict[int, type[Message]] = {cls.TYPE: cls for cls in Message.__subclasses__()}
_DECODERS = {kind: msgspec.msgpack.Decoder(cls) for kind, cls in MESSAGES.items()}
_ENCODER = msgspec.msgpack.Encoder()


def decode(kind: int, body: bytes) -> Message:
    """Decode a frame's body.

    Raises PeerError: UNKNOWN_TYPE, BAD_BODY (not one array, truncated, too deep) or BAD_FIELD.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        _require_array(body)
        raise PeerError(Fault.UNKNOWN_TYPE, f"unknown type 0x{kind:02x}")
    _require_array(body)
    try:
        return decoder.decode(body)
    except (msgspec.ValidationError, UnicodeDecodeError) as error:  # msgspec lets the second one through
        raise PeerError(Fault.BAD_FIELD, str(error)[:200]) from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise PeerError(Fault.BAD_BODY) from error


def _require_array(body: bytes) -> None:
    """One whole array, nested no deeper than is read: judged apart from the fields, for its own code."""
    unpacker = Unpacker(body)
    try:
        unpacker.skip()
    except Malformed as error:
        raise PeerError(Fault.BAD_BODY) from error
    first = body[0]
    if unpacker.at != len(body) or not (0x90 <= first < 0xA0 or first in (0xDC, 0xDD)):
        raise PeerError(Fault.BAD_BODY)


def encode(message: Message) -> bytes:
    """A message's body."""
    return _ENCODER.encode(message)
