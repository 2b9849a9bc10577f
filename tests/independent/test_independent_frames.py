"""Frames against the real engine: the vectors as they are, joined, cut and broken."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.independent.engine_process import ENTRY, KEY, Engine
from tests.independent.frames import Frame, Type, encode, encode_body
from tests.independent.packing import pack
from tests.independent.reader import Client, EngineError, now_ms, sign
from tests.independent.vectors import BAD, VECTORS, value_of

BY_NAME = {vector["name"]: vector for vector in VECTORS["good"]}
ANSWERED = {  # requests of role 1, and what may answer them
    Type.SCAN: Type.DECISION,
    Type.PASSAGE: Type.ACK,
    Type.LANE_STATUS: Type.ACK,
    Type.REPLAY: Type.REPLAYED,
    Type.TIME_ASK: Type.TIME,
}
SERVICE_ASKS = (Type.COMMAND, Type.QUERY)
UNANSWERED = (Type.PONG, Type.DONE)
ENDS = (Type.GOODBYE, Type.ERROR)
SERVICE_TYPES = (Type.COMMAND, Type.QUERY, Type.SUBSCRIBE, Type.CURSOR)


def good(*types: int) -> list[Any]:
    """Return the good vectors of these types as pytest parameters."""
    return [pytest.param(vector, id=vector["name"]) for vector in VECTORS["good"] if vector["type"] in types]


def frame_bytes(vector: dict[str, Any]) -> bytes:
    """Return a vector's frame."""
    return bytes.fromhex(vector["frame"])


def read_except_pings(client: Client) -> Frame:
    """Return the next frame that is no heartbeat and no standing order to the reader."""
    while (frame := client.read()).type in (Type.PING, Type.POLICY):
        client.serve(frame)
    return frame


@pytest.fixture
def client(engine: Engine) -> Iterator[Client]:
    """Sign on the reader that sends the vectors."""
    with engine.reader("north-entry-1") as reader:
        yield reader


@pytest.mark.parametrize("vector", BAD)
def test_bad_vector_gets_its_error(engine: Engine, vector: dict[str, Any]) -> None:
    """A signed-on reader that sends a bad frame gets its code, alone is cut, and may come back."""
    with engine.reader("north-witness") as witness, engine.reader("north-entry-1") as client:
        client.send_bytes(frame_bytes(vector))
        error = read_except_pings(client)
        assert (error.type, error.body[0]) == (Type.ERROR, vector["error"])
        if vector["error"] == 7:
            assert error.body[2] is False
            client.ping()
        else:
            assert error.body[2] is True
            assert client.wait_closed() == []
        assert witness.lane_status(ENTRY).type == Type.ACK
        with engine.reader("north-entry-1") as again:
            again.ping()


def test_nothing_after_a_bad_frame_is_acted_on(engine: Engine, client: Client) -> None:
    """An event behind a broken frame is not recorded, one before it stays answered for."""
    first = client.log.append(Type.LANE_STATUS, now_ms(), ENTRY, 0, False, [])
    second = client.log.append(Type.LANE_STATUS, now_ms(), ENTRY, 0, False, [])
    frames = [encode(Type.LANE_STATUS, no, *client.log.pending[no][1]) for no in (first, second)]
    broken = frame_bytes(next(vector for vector in VECTORS["bad"] if vector["name"] == "crc zero"))
    client.send_bytes(frames[0] + broken + frames[1])
    seen = client.wait_closed()
    assert [frame.body[0] for frame in seen if frame.type == Type.ERROR] == [4]
    assert second not in [frame.body[0] for frame in seen if frame.type == Type.ACK]
    with Client(engine.address, client.id, KEY, log=client.log) as again:
        welcome = again.sign_on()
        assert welcome.done_to <= 1 and welcome.gaps == []  # 0 where the first was not durable yet
        assert second in again.resend()


@pytest.mark.parametrize("vector", good(*ANSWERED))
def test_good_request_is_answered(client: Client, vector: dict[str, Any]) -> None:
    """Every good request of a reader gets the answer of its kind, under its ref and number."""
    client.send_bytes(frame_bytes(vector))
    frame = client.wait_reply(vector["ref"])
    assert frame.type == ANSWERED[vector["type"]]
    if vector["type"] not in (Type.REPLAY, Type.TIME_ASK):
        assert frame.body[0] == vector["body"][0]


@pytest.mark.parametrize("vector", good(*UNANSWERED))
def test_good_message_without_an_answer_is_harmless(client: Client, vector: dict[str, Any]) -> None:
    """A PONG or DONE that nobody waits for changes nothing, or is at most refused as out of place."""
    client.send_bytes(frame_bytes(vector))
    try:
        client.ping()
    except EngineError as error:
        assert (vector["type"], error.code) == (Type.DONE, 9)


@pytest.mark.parametrize("vector", good(*ENDS))
def test_end_said_by_the_reader(engine: Engine, client: Client, vector: dict[str, Any]) -> None:
    """After a reader's GOODBYE or fatal ERROR the engine hangs up, without blaming it."""
    client.send_bytes(frame_bytes(vector))
    assert Type.ERROR not in [frame.type for frame in client.wait_closed()]
    with engine.reader("north-entry-1") as again:
        again.ping()


@pytest.mark.parametrize("vector", good(Type.HELLO, Type.AUTH))
def test_second_sign_on_is_out_of_place(client: Client, vector: dict[str, Any]) -> None:
    """Sign-on messages on a signed-on connection are refused with 9."""
    client.send_bytes(frame_bytes(vector))
    assert client.wait_closed()[0].body[0] == 9


@pytest.mark.parametrize("vector", good(*SERVICE_TYPES))
def test_service_message_from_a_reader(client: Client, vector: dict[str, Any]) -> None:
    """What only a service may send is refused with 9 when a reader sends it."""
    client.send_bytes(frame_bytes(vector))
    frame = read_except_pings(client)
    assert (frame.type, frame.body[0]) == (Type.ERROR, 9)


@pytest.mark.parametrize("message", good(Type.CHALLENGE, Type.WELCOME, Type.DECISION, Type.VEND, Type.EVENTS))
def test_engines_message_sent_to_the_engine(client: Client, message: dict[str, Any]) -> None:
    """What only the engine may send is refused when a reader sends it."""
    client.send_bytes(frame_bytes(message))
    frame = read_except_pings(client)
    assert frame.type == Type.ERROR
    assert frame.body[0] in (7, 9)


@pytest.mark.parametrize("vector", good(Type.SCAN, Type.TIME_ASK, Type.COMMAND, Type.PASSAGE))
def test_nothing_but_hello_before_sign_on(engine: Engine, vector: dict[str, Any]) -> None:
    """Before HELLO every other message is refused with 9 and the connection closed."""
    with Client(engine.address, "north-entry-1", KEY) as client:
        client.send_bytes(frame_bytes(vector))
        assert [frame.body[0] for frame in client.wait_closed()] == [9]


@pytest.mark.parametrize("vector", good(*SERVICE_ASKS))
def test_good_request_of_a_service_is_answered(engine: Engine, vector: dict[str, Any]) -> None:
    """The COMMAND and QUERY of the vectors are done as they stand."""
    with engine.service() as service:
        service.send_bytes(frame_bytes(vector))
        frame = service.wait_reply(vector["ref"])
    if vector["type"] == Type.COMMAND:
        assert (frame.type, frame.body[:3]) == (Type.OUTCOME, [value_of(vector["body"][0]), True, ""])
    else:
        assert (frame.type, frame.body[:2]) == (Type.ANSWER, [True, ""])


@pytest.mark.parametrize("vector", good(Type.SUBSCRIBE, Type.CURSOR))
def test_subscription_vectors_are_accepted(engine: Engine, vector: dict[str, Any]) -> None:
    """SUBSCRIBE and CURSOR of the vectors, sent by a service that has subscribed, are no violation."""
    with engine.service() as service:
        if vector["type"] == Type.CURSOR:
            service.send_bytes(frame_bytes(BY_NAME["subscribe from stored cursor"]))
            vector = {"frame": encode(Type.CURSOR, 0, 0).hex()}  # nothing of 4,099 has been sent yet
        service.send_bytes(frame_bytes(vector))
        service.ping()


def test_hello_of_the_vectors(engine: Engine) -> None:
    """The very HELLO of the vectors signs on, over the engine's fresh challenge."""
    with Client(engine.address, "north-entry-1", KEY) as client:
        client.send_bytes(frame_bytes(BY_NAME["hello"]))
        challenge = client.read()
        assert (challenge.type, challenge.ref) == (Type.CHALLENGE, 1)
        hello = bytes.fromhex(VECTORS["sign_on"]["hello_body"])
        client.send_bytes(encode(Type.AUTH, 2, sign(KEY, "client", hello, challenge.raw)))
        welcome = client.read()
    assert (welcome.type, welcome.ref) == (Type.WELCOME, 2)
    assert welcome.body[0] == sign(KEY, "engine", hello, challenge.raw)
    assert welcome.body[4] <= 4096  # as much as HELLO said the reader can hold


class ByteByByte(Client):
    """A client whose every byte is a write of its own."""

    def send_bytes(self, data: bytes) -> None:
        for byte in data:
            super().send_bytes(bytes((byte,)))


def test_sign_on_and_requests_byte_by_byte(engine: Engine) -> None:
    """A sign-on and an event sent one byte at a time are answered like any other."""
    with ByteByByte(engine.address, "north-entry-1", KEY) as client:
        client.sign_on()
        assert client.lane_status(ENTRY).type == Type.ACK


def test_frame_cut_at_every_byte(client: Client) -> None:
    """A frame may be cut anywhere: its start is read with the PING before it, its rest comes later."""
    ping = encode(Type.PING, 0)
    size = len(lane_status(1))
    for cut in range(size):
        no = cut + 1
        data = lane_status(no)
        client.send_bytes(ping + data[:cut])
        assert read_except_pings(client).type == Type.PONG  # so the engine holds the first piece now
        client.send_bytes(data[cut:])
        frame = client.wait_reply(no)
        assert (frame.type, frame.body[0]) == (Type.ACK, no)


def lane_status(no: int) -> bytes:
    """Return a LANE_STATUS frame of constant size for numbers up to 127."""
    return encode(Type.LANE_STATUS, no, no, 1795348801234, ENTRY, 0, False, [])


def test_joined_frames(client: Client) -> None:
    """Thirty requests in one write get thirty answers, each under its own ref."""
    client.send_bytes(b"".join(lane_status(no) for no in range(1, 31)))
    assert [client.wait_reply(no).body[0] for no in range(1, 31)] == list(range(1, 31))


def test_body_at_the_limit_and_one_above(client: Client) -> None:
    """A body of exactly frame_bytes_max is read; one byte more is ERROR 3 before any of it is sent."""
    limit = client.frame_bytes_max
    head = len(pack([now_ms(), b""])) + 1  # a bin of 256 bytes and more has a head one byte longer
    client.send_bytes(encode(Type.TIME_ASK, 7, now_ms(), bytes(limit - head)))
    assert client.wait_reply(7).type == Type.TIME
    client.send_bytes(encode_body(Type.TIME_ASK, 8, bytes(limit + 1))[:16])
    assert client.wait_closed()[0].body[0] == 3
