"""One message of every type, values of every kind, and two ends that have signed on."""

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

from liftgate.codecs import messages as m
from liftgate.codecs import signon
from liftgate.codecs.connection import Role, State, WireConnection

KEY = bytes(range(32))
SESSION = bytes(range(16, 32))

SAMPLES: dict[type[m.Message], m.Message] = {
    type(message): message
    for message in (
        m.Hello(m.READER, "north-entry-1", 7, (1,), bytes(16), "samples 1", 4096),
        m.Challenge(bytes(range(16)), "engine-a", 1_795_348_800_000),
        m.Auth(bytes(32)),
        m.Welcome(bytes(32), 41, ((43, 44),), 64, 4096, 15, 1_795_348_800_050),
        m.Scan(1, 1_795_348_801_234, 0, 2, b"\x04\xde\x5f\x1e"),
        m.Decision(1, m.PAY_FIRST, 402, SESSION, "P1-A-017", "Please pay", (450, "EUR"), 1, 4096),
        m.Passage(2, 1_795_348_801_235, 0, 1, SESSION),
        m.LaneStatus(3, 1_795_348_801_236, 0, 3, False, ("barrier arm",)),
        m.Ack(2, 4097),
        m.Replay((m.ReplayEntry(0x12, 0, msgspec.Raw(b"\x95\x04\x05\x00\x01\xc0")),)),
        m.Replayed(9, ((11, 12),), ((9, 300),), 4098, 250),
        m.Vend(0, "intercom"),
        m.SetLane(0, 3),
        m.Display(0, "Grüße", 10),
        m.Done(True, ""),
        m.Policy((("k1", bytes(32)),), (bytes(32),), {"hours": 12}),
        m.TimeAsk(5),
        m.Time(5, 6, 7),
        m.Ping(),
        m.Pong(),
        m.Goodbye("replaced"),
        m.Error(7, "unknown type", False),
        m.CommandMessage(bytes(16), "north", "correct_count", {"to": 17}),
        m.Outcome(bytes(16), True, "", {}, 4102),
        m.Query("north", "occupancy", {}),
        m.Answer(True, "", {"capacity": 120}),
        m.Subscribe("relay", 4096),
        m.Events(4097, 4099, b"\x00\x01\x02"),
        m.Cursor(4099),
    )
}

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.text(), st.binary(max_size=300)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(SCALARS, inner, max_size=20),
    max_leaves=30,
)
"""What `Packer.value` writes, a few levels deep."""


def of_type(info: inspect.Type) -> st.SearchStrategy:
    """Return values of a field's declared type, anywhere in its declared range."""
    match info:
        case inspect.IntType():
            return st.integers(-(2**63) if info.ge is None else info.ge, info.le or 2**64 - 1)
        case inspect.StrType():
            return st.text(min_size=info.min_length or 0, max_size=info.max_length)
        case inspect.BytesType():
            return st.binary(min_size=info.min_length or 0, max_size=info.max_length or 64)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.UnionType():
            return st.one_of(*map(of_type, info.types))
        case inspect.TupleType():
            return st.tuples(*map(of_type, info.item_types))
        case inspect.VarTupleType():
            return st.lists(of_type(info.item_type), max_size=min(info.max_length or 4, 4)).map(tuple)
        case inspect.DictType():
            return st.dictionaries(st.text(max_size=8), SCALARS, max_size=4)
        case inspect.StructType():
            return st.builds(info.cls, *(of_type(field.type) for field in info.fields))
        case inspect.RawType():
            return st.lists(SCALARS, max_size=4).map(msgspec.msgpack.encode).map(msgspec.Raw)
    raise AssertionError(f"no values are known for {info}")


def any_message(*types: type[m.Message]) -> st.SearchStrategy[m.Message]:
    """Return messages of these types with any fields that their declarations allow."""
    return st.one_of(*(of_type(inspect.type_info(cls)) for cls in types))


def ref_of(message: m.Message) -> int:
    """Return a ref that is legal for the message."""
    return 9 if message.REQUEST else 0


def pair() -> tuple[WireConnection, WireConnection]:
    """Return a client's and an engine's end, before HELLO."""
    return WireConnection(Role.CLIENT), WireConnection(Role.ENGINE)


def carry(sender: WireConnection, receiver: WireConnection, message: m.Message) -> object:
    """Send one message across and return what came out at the other end."""
    receiver.feed(sender.encode(message, ref_of(message)))
    return receiver.next_event()


def pair_in(
    state: State, role: int = m.READER, frame_bytes_max: int = 65_536
) -> tuple[WireConnection, WireConnection]:
    """Return a client's and an engine's end, brought to `state` by the dialogue that leads there."""
    client, engine = pair()
    hello = msgspec.structs.replace(
        SAMPLES[m.Hello], role=m.SERVICE if state is State.SERVICE else role, frame_bytes_max=frame_bytes_max
    )
    steps = [(client, engine, lambda: hello), (engine, client, lambda: SAMPLES[m.Challenge])]
    steps.append((client, engine, lambda: m.Auth(signon.client_mac(KEY, client.hello, client.challenge))))
    steps.append((engine, client, lambda: welcome(engine, frame_bytes_max)))
    for sender, receiver, message in steps:
        if client.state is state:
            break
        carry(sender, receiver, message())
    if state is State.CLOSED:
        carry(client, engine, SAMPLES[m.Goodbye])
    assert client.state is engine.state is state
    return client, engine


def welcome(engine: WireConnection, frame_bytes_max: int) -> m.Welcome:
    """Return the WELCOME that proves the engine's key on this connection."""
    mac = signon.engine_mac(KEY, engine.hello, engine.challenge)
    return msgspec.structs.replace(SAMPLES[m.Welcome], mac=mac, frame_bytes_max=frame_bytes_max)
