"""Random, mutated and well-framed nonsense: nothing raises, leaks, or changes what it may not."""

from typing import Any

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, frame
from tests.gateways.network import ENTRY, START_MS, Peer, World, codes, hello, scan

STRANGER, READER, SERVICE = 0, 1, 2

VALID = (
    hello("r0"),
    m.Auth(bytes(32)),
    scan(3),
    m.Passage(4, START_MS, ENTRY, 1, bytes(16)),
    m.LaneStatus(5, START_MS, ENTRY, 0, False, ("x",)),
    m.Replay(()),
    m.TimeAsk(1),
    m.Ping(),
    m.CommandMessage(bytes(16), "north", "correct_count", {"area": "north", "to": 1}),
    m.Query("north", "occupancy", {}),
    m.Subscribe("sink", 0),
    m.Cursor(1),
)


def peer_of(world: World, kind: int) -> Peer:
    """A stranger, a signed-on reader or a signed-on service."""
    return (world.connect, world.reader, world.service)[kind]()


@st.composite
def broken(draw: Any) -> bytes:
    """A valid frame with one byte changed, which CRC-32 always sees: no longer a frame."""
    message = draw(st.sampled_from(VALID))
    data = bytearray(frame(message.TYPE, 1, m.encode(message)))
    data[draw(st.integers(0, len(data) - 1))] ^= draw(st.integers(1, 255))
    return bytes(data)


def pieces(draw: Any, data: bytes) -> list[bytes]:
    """The bytes in up to three pieces."""
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=2)))
    return [data[low:high] for low, high in zip([0, *cuts], [*cuts, len(data)], strict=True) if low < high]


@given(st.data(), st.sampled_from((STRANGER, READER, SERVICE)))
@settings(max_examples=150)
def test_noise_changes_nothing(data: st.DataObject, kind: int) -> None:
    """Random bytes, broken frames, and valid frames behind them change neither state nor journal; the
    connection ends with one ERROR, or waits for more and ends at the heartbeat."""
    world = World()
    peer, other = peer_of(world, kind), world.reader("r1")
    before, position = world.dump(), world.engine.position
    noise = data.draw(st.one_of(st.binary(min_size=1, max_size=200), broken()))
    behind = b"".join(frame(message.TYPE, 9, m.encode(message)) for message in VALID)
    for piece in pieces(data.draw, noise + behind * data.draw(st.integers(0, 1))):
        if not peer.ended:
            world.round((peer, piece))
    assert world.dump() == before and world.engine.position == position
    assert len(codes(peer.take())) <= 1
    world.wait(20)
    other.ask(m.Pong())
    world.wait(11)
    assert peer.ended and list(world.gateway.links) == [other.link]
    assert not world.gateway.strangers and not world.gateway.services


@pytest.mark.parametrize("kind", [STRANGER, READER, SERVICE])
@pytest.mark.parametrize("message", VALID, ids=lambda message: type(message).__name__)
def test_every_byte_of_a_frame(message: m.Message, kind: int) -> None:
    """A frame with any one byte changed is refused or waited for, and changes nothing."""
    whole = frame(message.TYPE, 1, m.encode(message))
    world = World()
    before = world.dump()
    for place in range(len(whole)):
        peer = peer_of(world, kind)
        world.round((peer, whole[:place] + bytes([whole[place] ^ 0x21]) + whole[place + 1 :]))
        if not peer.ended:
            assert peer.take() == []  # a longer length was read: the rest of the frame is waited for
            world.hang_up(peer)
    assert world.dump() == before and not world.gateway.links


plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.sampled_from([0, 1, 2, 3, 2**31, 2**32, 2**63, 2**64 - 1, START_MS]),
    st.floats(),
    st.text(max_size=70),
    st.sampled_from(["north", "r0", "sink", "read_credential", "open_lane", "occupancy", "why", "status"]),
    st.binary(max_size=40),
    st.just(bytes(16)),
    st.builds(msgpack.ExtType, st.integers(0, 127), st.binary(max_size=20)),
    st.builds(msgpack.Timestamp, st.integers(0, 2**40), st.integers(0, 999_999_999)),
)
keys = st.one_of(
    st.text(max_size=8), st.sampled_from(["reader", "boot", "no", "lane", "token"]), st.integers(0, 2**64 - 1)
)
bodies = st.recursive(
    plain,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)
frames = st.builds(
    lambda kind, ref, body: frame(kind, ref, msgpack.packb(body)),
    st.one_of(st.sampled_from(sorted(m.MESSAGES)), st.integers(0, 255)),
    st.sampled_from([0, 1, 2**32 - 1]),
    st.one_of(st.lists(bodies, max_size=9), bodies),
)


@given(st.lists(frames, min_size=1, max_size=8), st.sampled_from((STRANGER, READER, SERVICE)))
@settings(max_examples=150)
def test_well_framed_nonsense(nonsense: list[bytes], kind: int) -> None:
    """Frames of any type with any body: nothing raises, and what was decided replays to the same state."""
    world = World()
    peer, other = peer_of(world, kind), world.reader("r1")
    for data in nonsense:
        if not peer.ended:
            world.round((peer, data))
    assert other.ask(scan(1))
    if not peer.ended:
        world.hang_up(peer)
    assert list(world.gateway.links) == [other.link]
    memory = world.dump()
    world.restart()
    assert world.dump() == memory


def fields(message: m.Message) -> list[Any]:
    """A message's fields as plain data."""
    return msgpack.unpackb(m.encode(message), strict_map_key=False)  # type: ignore[no-any-return]


@given(st.data())
@settings(max_examples=150)
def test_one_field_wrong(data: st.DataObject) -> None:
    """A valid request with one field replaced by anything: it is answered or refused, never worse."""
    message = data.draw(st.sampled_from([each for each in VALID if each.TYPE >= 0x10]))
    body = fields(message)
    if body:
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(bodies)
    world = World()
    for kind in (READER, SERVICE):
        peer = peer_of(world, kind)
        world.round((peer, frame(message.TYPE, 5, msgpack.packb(body))))
    memory = world.dump()
    world.restart()
    assert world.dump() == memory


@pytest.mark.parametrize(
    "args",
    [
        b"\x81\x80\x01",  # a map as a key
        b"\x81\x91\x80\x01",  # an array with a map in it as a key
        b"\x81\xc0\x01",  # nil as a key
        b"\x82\xa1a\x01\xa1a\x02",  # a key twice
        b"\x81\xa1a\xd6\xff\xff\xff\xff\xff",  # a timestamp
        b"\x81\xa1a\xc7\x0c\xff" + b"\xff" * 12,  # a timestamp out of range
        b"\x81\xa1a\xc7\x00\x05",  # an empty extension
        b"\x81\xa1a\xa1\xff",  # no UTF-8
        b"\x81\xa1\xff\x01",  # no UTF-8 as a key
        b"\x81\xa1a" + b"\x91" * 200 + b"\x01",  # deep
        b"\x81\xa1a\xdd\xff\xff\xff\xff",  # an array of 4 billion
        b"\x81\xa1a\xcb\x7f\xf8" + bytes(6),  # not a number
    ],
)
def test_strange_args(args: bytes) -> None:
    """Args that are MessagePack of the strangest kind are refused by ERROR or by code."""
    world = World()
    for kind, head in ((0x40, [bytes(16), "north", "open_lane"]), (0x42, ["north", "session"])):
        packed = msgpack.packb(head)
        body = bytes([packed[0] + 1]) + packed[1:] + args
        service = world.service()
        world.round((service, frame(kind, 1, body)))
        (reply,) = service.take()
        if isinstance(reply, m.Error):
            assert reply.code in (Fault.BAD_BODY, Fault.BAD_FIELD) and service.ended
        else:
            assert isinstance(reply, m.Outcome | m.Answer) and not reply.ok
    assert world.lot.counts()["occupancy"] == 0
