"""Messages: types, fields, ranges and defaults, by protocol.md."""

from typing import Any

import msgpack
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, PeerError
from liftgate.codecs.unpack import DEPTH_MAX
from tests.codecs.samples import SAMPLES, any_message

TYPES = {
    0x01: m.Hello,
    0x02: m.Challenge,
    0x03: m.Auth,
    0x04: m.Welcome,
    0x10: m.Scan,
    0x11: m.Decision,
    0x12: m.Passage,
    0x13: m.LaneStatus,
    0x14: m.Ack,
    0x15: m.Replay,
    0x16: m.Replayed,
    0x20: m.Vend,
    0x21: m.SetLane,
    0x22: m.Display,
    0x23: m.Done,
    0x24: m.Policy,
    0x28: m.TimeAsk,
    0x29: m.Time,
    0x2A: m.Ping,
    0x2B: m.Pong,
    0x2E: m.Goodbye,
    0x2F: m.Error,
    0x40: m.CommandMessage,
    0x41: m.Outcome,
    0x42: m.Query,
    0x43: m.Answer,
    0x44: m.Subscribe,
    0x45: m.Events,
    0x46: m.Cursor,
}
DEFAULTS = {m.Passage: {"session": None}, m.Subscribe: {"after": None}}

U8, U16, U64 = [0, 255], [0, 65_535], [0, 2**63, 2**64 - 1]
BAD_U8, BAD_U16, BAD_U64 = [-1, 256, "1", True, 1.0], [-1, 65_536, None], [-1, -(2**63), "1", 0.5, None]
BIN16, BAD_BIN16 = [bytes(16)], [bytes(15), bytes(17), "x" * 16, b""]
RANGES: list[tuple[type[m.Message], str, list[Any], list[Any]]] = [
    (m.Hello, "role", [1, 2], [0, 3, -1]),
    (m.Hello, "id", ["a", "x" * 64, "ä" * 64], ["x" * 65, b"a", None]),
    (m.Hello, "boot", [1, 2**64 - 1], [0, -1, "1"]),
    (m.Hello, "versions", [(), (1, 255)], [(256,), (-1,), ("1",), 1]),
    (m.Hello, "nonce", BIN16, BAD_BIN16),
    (m.Hello, "software", ["", "x" * 64], ["x" * 65, None]),
    (m.Challenge, "nonce", BIN16, BAD_BIN16),
    (m.Auth, "mac", [bytes(32)], [bytes(31), bytes(33), "x" * 32, None]),
    (m.Welcome, "mac", [bytes(32)], [bytes(31), bytes(33)]),
    (m.Welcome, "gaps", [(), ((1, 2), (4, 2**64 - 1))], [((1,),), ((1, 2, 3),), ((-1, 2),), (5,)]),
    (m.Welcome, "frame_bytes_max", [64, 65_536], [65_537, -1]),
    (m.Scan, "no", [1, 2**64 - 1], [0, -1, "1", None]),
    (m.Scan, "at_ms", U64, BAD_U64),
    (m.Scan, "lane", U8, BAD_U8),
    (m.Scan, "kind", [1, 2, 3, 4], [0, 5, -1]),
    (m.Scan, "token", [b"", bytes(512)], [bytes(513), "x", None]),
    (m.Decision, "verdict", [1, 2, 3], [0, 4]),
    (m.Decision, "reason", U16, BAD_U16),
    (m.Decision, "session", [*BIN16, None], BAD_BIN16),
    (m.Decision, "spot", ["P1-A-001", None], [b"P1", 1]),
    (m.Decision, "price", [None, (-5, "EUR"), (2**63, "JPY")], [(1,), (1, "EURO"), ("1", "EUR"), 5]),
    (m.Decision, "position", U64, BAD_U64),
    (m.Passage, "what", [1, 2, 3, 4], [0, 5]),
    (m.Passage, "session", [*BIN16, None], BAD_BIN16),
    (m.LaneStatus, "no", [1, 2**64 - 1], [0, -1]),
    (m.LaneStatus, "barrier", [0, 1, 2, 3], [4, -1]),
    (m.LaneStatus, "loop", [True, False], [0, 1, None]),
    (m.LaneStatus, "faults", [(), ("arm",)], [(1,), (b"arm",), "arm"]),
    (m.Replayed, "findings", [(), ((9, 300),)], [((9, 65_536),), ((-9, 300),), ((9,),)]),
    (m.Vend, "lane", U8, BAD_U8),
    (m.SetLane, "mode", [1, 2, 3, 4, 5], [0, 6]),
    (m.Done, "ok", [True, False], [1, None]),
    (m.Policy, "offline", [{}, {"hours": 12}], [[], {1: 2}, None]),
    (m.Error, "code", U16, BAD_U16),
    (m.CommandMessage, "id", BIN16, BAD_BIN16),
    (m.CommandMessage, "args", [{}, {"a": [{"b": b"c"}]}], [[], {1: 2}, None]),
    (m.Subscribe, "after", [None, *U64], [-1, "1"]),
    (m.Events, "records", [b"", bytes(5000)], ["x", None]),
    (m.Cursor, "position", U64, BAD_U64),
]


def fault_of(kind: int, body: bytes) -> Fault:
    """Return the code that a body is refused with."""
    with pytest.raises(PeerError) as caught:
        m.decode(kind, body)
    return caught.value.code


def test_types_are_those_of_the_protocol() -> None:
    """Every type of protocol.md has its message under its number, and there are no others."""
    assert m.MESSAGES == TYPES
    assert set(SAMPLES) == set(TYPES.values())


@pytest.mark.parametrize("cls", TYPES.values(), ids=lambda cls: cls.__name__)
@settings(max_examples=20)  # for each of 29 types
@given(data=st.data())
def test_round_trip(cls: type[m.Message], data: st.DataObject) -> None:
    """Any fields in range come back equal, and a body is the array that the msgpack package would write."""
    message = data.draw(any_message(cls))
    body = m.encode(message)
    assert m.decode(cls.TYPE, body) == message
    if cls is not m.Replay:
        assert body == msgpack.packb(list(msgspec.structs.astuple(message)))


def test_replay_bodies_are_kept_as_sent() -> None:
    """An entry's body keeps the reader's own bytes, unknown trailing fields included."""
    event = msgpack.packb([8, 1, 0, 2, b"x", "later", 1.5])
    body = b"\x91\x91\x93\x10\x01" + event
    message = m.decode(m.Replay.TYPE, body)
    assert bytes(message.entries[0].body) == event
    assert m.encode(message) == body


@pytest.mark.parametrize("message", SAMPLES.values(), ids=lambda message: type(message).__name__)
def test_trailing_unknown_fields_are_ignored(message: m.Message) -> None:
    """Fields that a newer peer appends, of any type, change nothing."""
    fields = msgpack.unpackb(m.encode(message))
    later = ["later", None, 1.5, {"a": [1]}, b"x", msgpack.ExtType(5, b"x"), msgpack.Timestamp(1)]
    for count in range(1, len(later) + 1):
        assert m.decode(message.TYPE, msgpack.packb(fields + later[:count])) == message


@pytest.mark.parametrize("message", SAMPLES.values(), ids=lambda message: type(message).__name__)
def test_missing_fields(message: m.Message) -> None:
    """A field with a default may be missing from the end; any other missing one is a wrong field."""
    defaults = DEFAULTS.get(type(message), {})
    fields = msgpack.unpackb(m.encode(message))
    for count in range(len(fields)):
        body = msgpack.packb(fields[:count])
        left_out = message.__struct_fields__[count:]
        if set(left_out) <= set(defaults):
            expected = msgspec.structs.replace(message, **{name: defaults[name] for name in left_out})
            assert m.decode(message.TYPE, body) == expected
        else:
            assert fault_of(message.TYPE, body) is Fault.BAD_FIELD


@pytest.mark.parametrize(
    ("cls", "field", "good", "bad"), RANGES, ids=[f"{cls.__name__}.{field}" for cls, field, _, _ in RANGES]
)
def test_ranges(cls: type[m.Message], field: str, good: list[Any], bad: list[Any]) -> None:
    """Each field takes its range to both ends, and what lies beyond or has another type is BAD_FIELD."""
    for value in good:
        message = msgspec.structs.replace(SAMPLES[cls], **{field: value})
        assert m.decode(cls.TYPE, m.encode(message)) == message
    for value in bad:
        body = m.encode(msgspec.structs.replace(SAMPLES[cls], **{field: value}))
        assert fault_of(cls.TYPE, body) is Fault.BAD_FIELD, value


@pytest.mark.parametrize("text", [b"\xff", b"\xc3\x28", b"\xed\xa0\x80"])
def test_text_must_be_utf8(text: bytes) -> None:
    """Text that is not UTF-8 is a wrong field, as a field, a map's key or a map's value."""
    raw = bytes([0xA0 | len(text)]) + text
    assert fault_of(m.Goodbye.TYPE, b"\x91" + raw) is Fault.BAD_FIELD
    head = b"\x93\xa5north\xa9occupancy\x81"
    assert fault_of(m.Query.TYPE, head + raw + b"\x01") is Fault.BAD_FIELD
    assert fault_of(m.Query.TYPE, head + b"\xa1k" + raw) is Fault.BAD_FIELD


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc0",
        b"\x05",
        b"\x80",
        b"\xa1x",
        b"\x90\x90",
        b"\x90\xc0",
        b"\x91",
        b"\x91\xc1",
        b"\xdd\xff\xff\xff\xff",
        b"\xdc\xff\xff" + bytes(100),
        b"\x91" * (DEPTH_MAX + 1) + b"\xc0",
        b"\x91" * 4000 + b"\x90",
    ],
    ids=lambda body: body.hex()[:16],
)
@pytest.mark.parametrize("kind", [m.Ping.TYPE, m.Goodbye.TYPE, m.CommandMessage.TYPE, 0x7F])
def test_a_body_is_one_array(kind: int, body: bytes) -> None:
    """No value, another type, a second value, a cut or too deep one is BAD_BODY, whatever the type."""
    assert fault_of(kind, body) is Fault.BAD_BODY


def test_a_cut_body_is_bad_everywhere() -> None:
    """Every message's body cut at every byte is BAD_BODY."""
    for message in SAMPLES.values():
        body = m.encode(message)
        for cut in range(len(body)):
            assert fault_of(message.TYPE, body[:cut]) is Fault.BAD_BODY


def test_an_unknown_type_is_named() -> None:
    """A good array of a type that nobody knows is UNKNOWN_TYPE, which does not end the connection."""
    with pytest.raises(PeerError, match="0x7f") as caught:
        m.decode(0x7F, b"\x93\x01\xc0\x80")
    assert caught.value.code is Fault.UNKNOWN_TYPE and not caught.value.fatal


@pytest.mark.parametrize("cls", TYPES.values(), ids=lambda cls: cls.__name__)
@settings(max_examples=20)  # for each of 29 types
@given(data=st.data())
def test_mutated_bodies_give_only_peer_errors(cls: type[m.Message], data: st.DataObject) -> None:
    """A body with bytes changed is decoded, or refused with code 5 or 6 and nothing else."""
    body = bytearray(m.encode(SAMPLES[cls]))
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        m.decode(cls.TYPE, bytes(body))
    except PeerError as error:
        assert error.code in (Fault.BAD_BODY, Fault.BAD_FIELD)


@given(st.sampled_from(sorted(TYPES)), st.binary(max_size=60), st.integers(0, 15))
def test_random_bodies_give_only_peer_errors(kind: int, data: bytes, count: int) -> None:
    """Random bytes behind the head of an array are decoded, or refused with code 5 or 6."""
    try:
        m.decode(kind, bytes([0x90 | count]) + data)
    except PeerError as error:
        assert error.code in (Fault.BAD_BODY, Fault.BAD_FIELD)


@given(st.binary(max_size=40))
def test_random_args_give_only_peer_errors(data: bytes) -> None:
    """A map of anything, where a message takes anything, is decoded or refused with code 5 or 6."""
    try:
        m.decode(m.Query.TYPE, b"\x93\xa0\xa1n\x81\xa1k" + data)
    except PeerError as error:
        assert error.code in (Fault.BAD_BODY, Fault.BAD_FIELD)


def test_what_was_refused_is_said() -> None:
    """The text of BAD_FIELD names the field's place, within the length of an ERROR's text."""
    with pytest.raises(PeerError, match=r"\$\[2\]") as caught:
        m.decode(m.Scan.TYPE, msgpack.packb([1, 2, 256, 1, b""]))
    assert len(caught.value.text) <= 512
