"""The dialogue: what is legal when, for both ends, and that nothing else is ever acted on."""

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liftgate.codecs import messages as m
from liftgate.codecs import signon
from liftgate.codecs.connection import NEED_MORE, PEER_CLOSED, Role, State, WireConnection
from liftgate.codecs.frame import Fault, PeerError, frame
from tests.codecs.samples import KEY, SAMPLES, any_message, carry, pair, pair_in, ref_of, welcome

BOTH = {m.TimeAsk, m.Time, m.Ping, m.Pong, m.Error, m.Goodbye}
ENDINGS = {m.Error, m.Goodbye}
UP = {m.Scan, m.Passage, m.LaneStatus, m.Replay, m.Done}
DOWN = {m.Decision, m.Ack, m.Replayed, m.Vend, m.SetLane, m.Display, m.Policy}
# Written from protocol.md, not from connection.py: (who sends, state) -> what it may send.
LEGAL: dict[tuple[Role, State], set[type[m.Message]]] = {
    (Role.CLIENT, State.NEW): {m.Hello},
    (Role.CLIENT, State.GREETED): set(),
    (Role.CLIENT, State.CHALLENGED): {m.Auth},
    (Role.CLIENT, State.PROVEN): set(),
    (Role.CLIENT, State.READER): UP | BOTH,
    (Role.CLIENT, State.SERVICE): {m.CommandMessage, m.Query, m.Subscribe, m.Cursor} | BOTH,
    (Role.CLIENT, State.CLOSED): set(),
    (Role.ENGINE, State.NEW): ENDINGS,
    (Role.ENGINE, State.GREETED): {m.Challenge} | ENDINGS,
    (Role.ENGINE, State.CHALLENGED): ENDINGS,
    (Role.ENGINE, State.PROVEN): {m.Welcome} | ENDINGS,
    (Role.ENGINE, State.READER): DOWN | BOTH,
    (Role.ENGINE, State.SERVICE): {m.Outcome, m.Answer, m.Events} | BOTH,
    (Role.ENGINE, State.CLOSED): set(),
}
OPEN_STATES = [state for state in State if state is not State.CLOSED]
SIGNED_ON = [State.READER, State.SERVICE]
PING = frame(m.Ping.TYPE, 0, b"\x90")
Outcome = m.Message | tuple[str, Fault]


def ends(sender: Role, state: State) -> tuple[WireConnection, WireConnection]:
    """Return the sender's and the receiver's end in this state."""
    client, engine = pair_in(state)
    return (client, engine) if sender is Role.CLIENT else (engine, client)


def as_frame(message: m.Message) -> bytes:
    """Return a message's frame without asking any connection whether it is legal."""
    return frame(message.TYPE, ref_of(message), m.encode(message))


def drained(conn: WireConnection) -> Iterator[Outcome]:
    """Yield all events that are there, and errors as their codes; a fatal one is the last."""
    while True:
        try:
            event = conn.next_event()
        except PeerError as error:
            yield "refused", error.code
            if error.fatal:
                return
            continue
        if event is NEED_MORE or event is PEER_CLOSED:
            return
        assert isinstance(event, m.Message)
        yield event


def in_pieces(conn: WireConnection, stream: bytes, cuts: list[int]) -> list[Outcome]:
    """Feed a stream cut at these places and return everything that came of it."""
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    found: list[Outcome] = []
    for start, end in zip(edges, edges[1:], strict=False):
        if start < end:
            conn.feed(stream[start:end])
            found += drained(conn)
    return found


@pytest.mark.parametrize("state", OPEN_STATES)
@pytest.mark.parametrize("sender", Role)
@pytest.mark.parametrize("cls", SAMPLES, ids=lambda cls: cls.__name__)
def test_every_message_in_every_state(sender: Role, state: State, cls: type[m.Message]) -> None:
    """Each message is taken where the protocol has it, else refused with code 9, which closes."""
    message = SAMPLES[cls]
    _, receiver = ends(sender, state)
    receiver.feed(as_frame(message))
    if cls in LEGAL[sender, state]:
        assert receiver.next_event() == message
        assert receiver.ref == ref_of(message)
        return
    with pytest.raises(PeerError) as caught:
        receiver.next_event()
    assert caught.value.code is Fault.NOT_ALLOWED and caught.value.fatal
    assert caught.value.ref == ref_of(message)
    assert receiver.state is State.CLOSED


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("sender", Role)
def test_what_is_not_legal_is_not_sent(sender: Role, state: State) -> None:
    """encode frames what is legal and raises ValueError for the rest; ERROR may leave a closed end."""
    for cls, message in SAMPLES.items():
        conn, _ = ends(sender, state)
        if cls in LEGAL[sender, state] or (cls is m.Error and state is State.CLOSED):
            assert conn.encode(message, ref_of(message)) == as_frame(message)
        else:
            with pytest.raises(ValueError, match=cls.__name__):
                conn.encode(message, ref_of(message))
            assert conn.state is state


@pytest.mark.parametrize(("role", "state"), [(m.READER, State.READER), (m.SERVICE, State.SERVICE)])
def test_sign_on(role: int, state: State) -> None:
    """Both ends go through the same states together, and each can check the other's mac."""
    client, engine = pair()
    hello = msgspec.structs.replace(SAMPLES[m.Hello], role=role)
    assert carry(client, engine, hello) == hello
    assert client.state is engine.state is State.GREETED
    carry(engine, client, SAMPLES[m.Challenge])
    assert client.state is engine.state is State.CHALLENGED
    assert client.hello == engine.hello == m.encode(hello)
    assert client.challenge == engine.challenge == m.encode(SAMPLES[m.Challenge])
    auth = carry(client, engine, m.Auth(signon.client_mac(KEY, client.hello, client.challenge)))
    assert isinstance(auth, m.Auth)
    assert signon.same(auth.mac, signon.client_mac(KEY, engine.hello, engine.challenge))
    assert client.state is engine.state is State.PROVEN
    greeting = carry(engine, client, welcome(engine, 8192))
    assert isinstance(greeting, m.Welcome)
    assert signon.same(greeting.mac, signon.engine_mac(KEY, client.hello, client.challenge))
    assert client.state is engine.state is state
    assert client.frame_bytes_max == engine.frame_bytes_max == 8192


def test_the_macs_cover_hello_as_sent() -> None:
    """The engine keeps HELLO's very bytes, a newer client's trailing fields included."""
    body = m.encode(SAMPLES[m.Hello])
    newer = bytes([body[0] + 1]) + body[1:] + b"\xa5later"
    engine = WireConnection(Role.ENGINE)
    engine.feed(frame(m.Hello.TYPE, 1, newer))
    assert engine.next_event() == SAMPLES[m.Hello]
    assert engine.hello == newer


@pytest.mark.parametrize("cls", [cls for cls in SAMPLES if cls.REQUEST], ids=lambda cls: cls.__name__)
def test_a_request_has_a_ref(cls: type[m.Message]) -> None:
    """A request whose ref is 0 is refused with code 6."""
    for (sender, state), legal in LEGAL.items():
        if cls in legal:
            _, receiver = ends(sender, state)
            receiver.feed(frame(cls.TYPE, 0, m.encode(SAMPLES[cls])))
            assert list(drained(receiver)) == [("refused", Fault.BAD_FIELD)]


@pytest.mark.parametrize("state", OPEN_STATES)
def test_length_until_welcome_and_after(state: State) -> None:
    """4,096 bytes of body are the most until WELCOME, then what it named, by the header alone."""
    limit = 65_536 if state in SIGNED_ON else 4096
    for conn in pair_in(state):
        conn.feed(frame(m.Ping.TYPE, 0, bytes(limit + 1))[:16])
        with pytest.raises(PeerError) as caught:
            conn.next_event()
        assert caught.value.code is Fault.TOO_LONG
    for conn in pair_in(state):
        conn.feed(frame(m.Ping.TYPE, 0, bytes(limit))[:-1])
        assert conn.next_event() is NEED_MORE


def test_a_long_frame_right_behind_welcome() -> None:
    """WELCOME's limit holds for what follows it in the same chunk."""
    client, engine = pair_in(State.PROVEN, m.SERVICE)
    events = m.Events(1, 2, bytes(60_000))
    greeting = welcome(engine, 65_536)
    client.feed(engine.encode(greeting, 2) + engine.encode(events))
    assert [*drained(client)] == [greeting, events]


@pytest.mark.parametrize("state", SIGNED_ON)
def test_a_body_too_long_is_not_sent(state: State) -> None:
    """encode refuses a body beyond the limit with ValueError, and the connection goes on."""
    client, engine = pair_in(state)
    for conn, peer in ((client, engine), (engine, client)):
        with pytest.raises(ValueError, match="65536"):
            conn.encode(m.Goodbye("x" * 65_536))
        assert carry(conn, peer, m.Ping()) == m.Ping()


@pytest.mark.parametrize("state", OPEN_STATES)
def test_peer_closed(state: State) -> None:
    """feed(b"") says PEER_CLOSED for ever, after the whole frames before it and in spite of a begun one."""
    for conn in pair_in(state):
        assert conn.next_event() is NEED_MORE
        conn.feed(b"LG\x01")
        assert conn.next_event() is NEED_MORE
        conn.feed(b"")
        assert [conn.next_event() for _ in range(3)] == [PEER_CLOSED] * 3


def test_whole_frames_before_the_end_are_read() -> None:
    """What arrived before the peer closed is still given."""
    _, engine = pair_in(State.READER)
    engine.feed(PING * 2 + PING[:5])
    engine.feed(b"")
    assert [engine.next_event() for _ in range(3)] == [m.Ping(), m.Ping(), PEER_CLOSED]


@pytest.mark.parametrize("sender", Role)
@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (b"X", Fault.BAD_MAGIC),
        (b"LG\x02", Fault.BAD_VERSION),
        (b"LG\x01\x2a\x01\x00\x01\x00" + bytes(8), Fault.TOO_LONG),
        (PING[:-1] + b"\x91", Fault.BAD_CRC),
        (frame(m.Ping.TYPE, 0, b"\xc0"), Fault.BAD_BODY),
        (frame(m.TimeAsk.TYPE, 1, b"\x91\xff"), Fault.BAD_FIELD),
        (frame(m.Auth.TYPE, 1, b"\x90"), Fault.NOT_ALLOWED),
    ],
)
def test_nothing_is_read_after_a_fatal_error(sender: Role, bad: bytes, fault: Fault) -> None:
    """What came before is given, the error once, and what follows never, fed with it or later."""
    peer, conn = ends(sender, State.READER)
    conn.feed(PING + bad + PING)
    assert conn.next_event() == m.Ping()
    with pytest.raises(PeerError) as caught:
        conn.next_event()
    assert caught.value.code is fault and caught.value.fatal
    conn.feed(PING)
    assert [conn.next_event() for _ in range(3)] == [PEER_CLOSED] * 3
    with pytest.raises(ValueError, match="Ping"):
        conn.encode(m.Ping())
    error = m.Error(fault, caught.value.text, True)
    assert carry(conn, peer, error) == error


@pytest.mark.parametrize("state", SIGNED_ON)
@pytest.mark.parametrize("sender", Role)
def test_nothing_is_read_after_goodbye(sender: Role, state: State) -> None:
    """GOODBYE closes both ends: what follows it is not read, and nothing more is sent."""
    leaver, conn = ends(sender, state)
    conn.feed(leaver.encode(m.Goodbye("done")) + PING)
    assert leaver.state is State.CLOSED
    assert conn.next_event() == m.Goodbye("done")
    conn.feed(PING)
    assert conn.next_event() is PEER_CLOSED
    for end in (leaver, conn):
        with pytest.raises(ValueError, match="Ping"):
            end.encode(m.Ping())


@pytest.mark.parametrize("state", OPEN_STATES)
def test_unknown_types(state: State) -> None:
    """Signed on, an unknown type gets code 7 with its ref and the next frame is read; before, code 9."""
    for conn in pair_in(state):
        conn.feed(frame(0x7F, 5, b"\x90") + PING)
        with pytest.raises(PeerError) as caught:
            conn.next_event()
        assert caught.value.ref == 5
        if state in SIGNED_ON:
            assert caught.value.code is Fault.UNKNOWN_TYPE and not caught.value.fatal
            assert conn.next_event() == m.Ping()
        else:
            assert caught.value.code is Fault.NOT_ALLOWED
            assert conn.next_event() is PEER_CLOSED


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """Return frames a reader may send, with at most one of another kind among them, and perhaps damage."""
    legal = any_message(*sorted(UP | BOTH - {m.Goodbye}, key=lambda cls: cls.TYPE))
    frames = [as_frame(message) for message in draw(st.lists(legal, max_size=4))]
    if draw(st.booleans()):
        odd = st.sampled_from(
            [frame(0x7F, 1, b"\x90"), frame(0x10, 1, b"\x90"), PING[:-1], as_frame(SAMPLES[m.Goodbye])]
            + [as_frame(message) for message in SAMPLES.values()]
        )
        frames.insert(draw(st.integers(0, len(frames))), draw(odd))
    stream = bytearray(b"".join(frames))
    if stream and draw(st.booleans()):
        stream[draw(st.integers(0, len(stream) - 1))] ^= draw(st.integers(1, 255))
    return bytes(stream)


@given(streams(), st.lists(st.integers(0, 1500), max_size=12))
def test_any_split_gives_the_same_events(stream: bytes, cuts: list[int]) -> None:
    """The same bytes, cut anywhere, give the same events, errors and state as all at once."""
    whole, split = pair_in(State.READER)[1], pair_in(State.READER)[1]
    assert in_pieces(split, stream, cuts) == in_pieces(whole, stream, [])
    assert split.state is whole.state


@settings(max_examples=30)
@given(streams())
def test_byte_by_byte_gives_the_same_events(stream: bytes) -> None:
    """A peer that sends one byte at a time is understood alike."""
    whole, split = pair_in(State.READER)[1], pair_in(State.READER)[1]
    assert in_pieces(split, stream, list(range(len(stream)))) == in_pieces(whole, stream, [])


@pytest.mark.parametrize("state", OPEN_STATES)
@pytest.mark.parametrize("receiver", Role)
@settings(max_examples=30)
@given(data=st.binary(max_size=80), start=st.sampled_from([b"", b"LG", b"LG\x01"]))
def test_random_bytes_give_only_peer_errors(receiver: Role, state: State, data: bytes, start: bytes) -> None:
    """Random bytes raise nothing but PeerError and move no dialogue on."""
    conn = next(end for end in pair_in(state) if end.role is receiver)
    conn.feed(start + data)
    events = list(drained(conn))
    assert not [event for event in events if isinstance(event, m.Message)]
    assert conn.state is (State.CLOSED if events else state)


@pytest.mark.parametrize("state", SIGNED_ON)
@pytest.mark.parametrize("receiver", Role)
@given(
    kind=st.integers(0, 255),
    ref=st.integers(0, 2**32 - 1),
    count=st.integers(0, 15),
    fields=st.binary(max_size=60),
)
def test_random_bodies_in_good_frames(
    receiver: Role, state: State, kind: int, ref: int, count: int, fields: bytes
) -> None:
    """Behind a right CRC, any type, ref and body is an event or a PeerError."""
    conn = next(end for end in pair_in(state) if end.role is receiver)
    conn.feed(frame(kind, ref, bytes([0x90 | count]) + fields))
    outcomes = list(drained(conn))
    assert len(outcomes) == 1
    assert (conn.state is state) == (
        outcomes[0] == ("refused", Fault.UNKNOWN_TYPE)
        or (isinstance(outcomes[0], m.Message) and not isinstance(outcomes[0], m.Goodbye))
    )
