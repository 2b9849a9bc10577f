"""A small blocking reader and service, written from docs/protocol.md with the standard library alone.

It shares nothing with the engine, so that a misreading there cannot hide here. One thread, one
socket; every wait has a deadline. Every body the engine sends must be in the smallest form and
have the fields the protocol gives it, else BadFrame.
"""

import hashlib
import hmac
import secrets
import socket
import ssl
import time
from typing import Any, NamedTuple, Self

from tests.independent.frames import (
    FIRST_FRAME_BYTES_MAX,
    BadFrame,
    Frame,
    Splitter,
    Type,
    encode,
    encode_body,
)
from tests.independent.packing import pack

READER, SERVICE = 1, 2
QR, CARD, SUN, PLATE = 1, 2, 3, 4
PASSED, BACKED_OUT, FOLLOWED, FORCED = 1, 2, 3, 4
OPEN, REFUSE, PAY_FIRST = 1, 2, 3
WAIT_S = 10.0  # far above any answer's time; a test that needs it has failed anyway
REF_MAX = 0xFFFFFFFF

_ASKS_READER = (Type.VEND, Type.SET_LANE, Type.DISPLAY)
_REPLIES = (Type.DECISION, Type.ACK, Type.REPLAYED, Type.TIME, Type.PONG, Type.OUTCOME, Type.ANSWER)


class Closed(Exception):
    """The engine closed the stream."""


class EngineError(Exception):
    """The engine sent ERROR."""

    def __init__(self, frame: Frame) -> None:
        super().__init__(f"ERROR {frame.body!r}")
        self.frame = frame
        self.code, self.text, self.fatal = frame.body[:3]


class Decision(NamedTuple):
    """The answer to SCAN; price is [minor, currency]."""

    no: int
    verdict: int
    reason: int
    session: bytes | None
    spot: str | None
    text: str
    price: list[Any] | None
    durable: int
    position: int


class Welcome(NamedTuple):
    """The engine's side of a finished sign-on; gaps are ranges above done_to that are durable too."""

    mac: bytes
    done_to: int
    gaps: list[list[int]]
    in_flight_max: int
    frame_bytes_max: int
    heartbeat_s: int
    at_ms: int


class Replayed(NamedTuple):
    """The answer to REPLAY; findings are [no, reason]."""

    done_to: int
    gaps: list[list[int]]
    findings: list[list[int]]
    position: int
    pause_ms: int


class Outcome(NamedTuple):
    """The answer to COMMAND."""

    id: bytes
    ok: bool
    code: str
    body: Any
    position: int


class Answer(NamedTuple):
    """The answer to QUERY."""

    ok: bool
    code: str
    body: Any


def now_ms() -> int:
    """Return Unix time in ms."""
    return time.time_ns() // 1_000_000


def sign(key: bytes, side: str, hello: bytes, challenge: bytes) -> bytes:
    """Return the sign-on MAC of side "client" or "engine" over both bodies as sent."""
    return hmac.new(key, f"liftgate-1 {side}".encode() + hello + challenge, hashlib.sha256).digest()


class EventLog:
    """A reader's own numbering, and the events that nobody has acknowledged yet."""

    __slots__ = ("boot", "next_no", "pending")

    def __init__(self) -> None:
        self.boot = secrets.randbelow((1 << 64) - 1) + 1
        self.next_no = 1
        self.pending: dict[int, tuple[int, list[Any]]] = {}

    def append(self, message_type: int, *fields: Any, no: int | None = None) -> int:
        """Keep an event under the next number, or under no; returns the number."""
        number = self.next_no if no is None else no
        self.next_no = max(self.next_no, number + 1)
        self.pending[number] = (message_type, [number, *fields])
        return number


class Client:
    """One connection of one reader or service; the event log may outlive it."""

    def __init__(
        self,
        address: tuple[str, int],
        client_id: str,
        key: bytes,
        *,
        role: int = READER,
        log: EventLog | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.id, self.key, self.role = client_id, key, role
        self.log = log or EventLog()
        self.events: list[Frame] = []
        self.asked: list[Frame] = []
        self.pings = 0
        self.goodbye: str | None = None
        self.answers_pings = True
        self.frame_bytes_max = FIRST_FRAME_BYTES_MAX
        self._replies: dict[int, Frame] = {}
        self._splitter = Splitter()
        self._ref = 0
        raw = socket.create_connection(address, timeout=WAIT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.socket = tls.wrap_socket(raw, server_hostname=address[0]) if tls else raw
        except OSError:
            raw.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection without a word, as a power cut would."""
        self.socket.close()

    # Bytes and frames

    def send_bytes(self, data: bytes) -> None:
        """Write bytes as they are; Closed once the engine has hung up."""
        try:
            self.socket.sendall(data)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed from error

    def next_ref(self) -> int:
        """Return a number no open request carries."""
        self._ref = self._ref % REF_MAX + 1
        return self._ref

    def send(self, message_type: int, *fields: Any) -> int:
        """Send a request; returns the ref its reply will carry."""
        ref = self.next_ref()
        self.send_bytes(encode(message_type, ref, *fields))
        return ref

    def read(self, wait_s: float = WAIT_S) -> Frame:
        """Return the next frame of any kind; TimeoutError after wait_s, Closed at the end of the stream."""
        deadline = time.monotonic() + wait_s
        while (frame := self._splitter.next_frame()) is None:
            self._receive(deadline)
        if pack(frame.body) != frame.raw:
            raise BadFrame(5, f"not the smallest form: {frame.raw.hex()}")
        return frame

    def _receive(self, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("no frame in time")
        self.socket.settimeout(left_s)
        try:
            data = self.socket.recv(65_536)
        except (ConnectionError, ssl.SSLEOFError) as error:
            raise Closed from error
        if not data:
            raise Closed
        self._splitter.feed(data)

    # Sign-on

    def hello_body(self) -> bytes:
        """Return a HELLO body with a fresh nonce."""
        hello = [self.role, self.id, self.log.boot, [1], secrets.token_bytes(16), "independent 1", 4096]
        return pack(hello)

    def sign_on(self) -> Welcome:
        """Prove the key, check that the engine has it too, and forget events it says are durable."""
        hello = self.hello_body()
        challenge = self._exchange(Type.HELLO, hello, Type.CHALLENGE)
        mac = sign(self.key, "client", hello, challenge.raw)
        welcome = Welcome(*self._exchange(Type.AUTH, pack([mac]), Type.WELCOME).body[:7])
        if not hmac.compare_digest(welcome.mac, sign(self.key, "engine", hello, challenge.raw)):
            raise BadFrame(8, "the engine does not know the key")
        self.frame_bytes_max = self._splitter.body_bytes_max = welcome.frame_bytes_max
        self._forget_durable(welcome)
        return welcome

    def _exchange(self, message_type: int, raw: bytes, reply_type: int) -> Frame:
        ref = self.next_ref()
        self.send_bytes(encode_body(message_type, ref, raw))
        frame = self.read()
        if frame.type == Type.ERROR:
            raise EngineError(frame)
        if (frame.type, frame.ref) != (reply_type, ref):
            raise BadFrame(9, f"{frame} where {Type(reply_type).name} {ref} was due")
        return frame

    def _forget_durable(self, welcome: Welcome) -> None:
        ranges = [[1, welcome.done_to], *welcome.gaps]
        for no, (message_type, _body) in list(self.log.pending.items()):
            durable = any(first <= no <= last for first, last in ranges)
            if durable and message_type != Type.SCAN:  # a scan's answer is still wanted: a car waits for it
                del self.log.pending[no]

    # Replies, and what the engine sends unasked

    def wait_reply(self, ref: int, wait_s: float = WAIT_S) -> Frame:
        """Return the reply to ref, serving the engine meanwhile; EngineError if it is ERROR instead."""
        deadline = time.monotonic() + wait_s
        while ref not in self._replies:
            self.serve(self.read(max(0.0, deadline - time.monotonic())))
        return self._replies.pop(ref)

    def serve(self, frame: Frame) -> None:
        """Do what one received frame asks for."""
        if frame.type == Type.ERROR:
            raise EngineError(frame)
        if frame.type == Type.GOODBYE:
            self.goodbye = frame.body[0]
        elif frame.type == Type.PING:
            self._serve_ping(frame)
        elif frame.type in _ASKS_READER:
            self.asked.append(frame)
            self.send_bytes(encode(Type.DONE, frame.ref, True, ""))
        elif frame.type == Type.EVENTS:
            self.events.append(frame)
        elif frame.type in _REPLIES:
            self._replies[frame.ref] = frame

    def _serve_ping(self, frame: Frame) -> None:
        self.pings += 1
        if self.answers_pings:
            self.send_bytes(encode(Type.PONG, frame.ref))

    def wait_closed(self, wait_s: float = WAIT_S) -> list[Frame]:
        """Read until the engine closes; returns the frames that still came."""
        frames: list[Frame] = []
        deadline = time.monotonic() + wait_s
        try:
            while True:
                frames.append(self.read(deadline - time.monotonic()))
        except Closed:
            return frames

    # Requests

    def ask(self, reply_type: int, message_type: int, *fields: Any) -> Frame:
        """Send a request and return its reply, which must be of reply_type."""
        return self._expect(reply_type, self.send(message_type, *fields))

    def _expect(self, reply_type: int, ref: int) -> Frame:
        frame = self.wait_reply(ref)
        if frame.type != reply_type:
            raise BadFrame(9, f"{frame} is no {Type(reply_type).name}")
        return frame

    def ping(self) -> None:
        """Return once PONG is here, and so every answer sent before it."""
        self.send_bytes(encode(Type.PING, 0))
        while (frame := self.read()).type != Type.PONG:
            self.serve(frame)

    def event(self, message_type: int, *fields: Any, no: int | None = None) -> Frame:
        """Number, keep and send an event; returns its answer, which lets go of it."""
        return self.send_event(self.log.append(message_type, *fields, no=no))

    def send_event(self, no: int) -> Frame:
        """Send a kept event, again or for the first time; returns its answer."""
        message_type, body = self.log.pending[no]
        frame = self.ask(Type.DECISION if message_type == Type.SCAN else Type.ACK, message_type, *body)
        if frame.body[0] != no:
            raise BadFrame(6, f"answer to {frame.body[0]} where {no} was asked")
        del self.log.pending[no]
        return frame

    def resend(self) -> dict[int, Frame]:
        """Send every event nobody acknowledged; returns the answers by number."""
        return {no: self.send_event(no) for no in sorted(self.log.pending)}

    def scan(self, lane: int, token: bytes, kind: int = CARD, *, no: int | None = None) -> Decision:
        """Read a credential."""
        return Decision(*self.event(Type.SCAN, now_ms(), lane, kind, token, no=no).body[:9])

    def passage(self, lane: int, what: int, session: bytes | None = None) -> Frame:
        """Say what the car did; returns the ACK."""
        return self.event(Type.PASSAGE, now_ms(), lane, what, session)

    def lane_status(self, lane: int, *, no: int | None = None) -> Frame:
        """Say that the barrier is down and nobody is there; returns the ACK."""
        return self.event(Type.LANE_STATUS, now_ms(), lane, 0, False, [], no=no)

    def replay(self, *entries: list[Any]) -> Replayed:
        """Hand over history as [type, verdict_given, body]."""
        return Replayed(*self.ask(Type.REPLAYED, Type.REPLAY, list(entries)).body[:5])

    def command(self, lot: str, name: str, args: dict[str, Any], command_id: bytes) -> Frame:
        """Ask for a change; returns the OUTCOME."""
        return self.ask(Type.OUTCOME, Type.COMMAND, command_id, lot, name, args)

    def query(self, lot: str, name: str, args: dict[str, Any] | None = None) -> Answer:
        """Ask for a view of memory."""
        return Answer(*self.ask(Type.ANSWER, Type.QUERY, lot, name, args or {}).body[:3])

    def wait_events(self, last: int, wait_s: float = WAIT_S) -> list[Frame]:
        """Return all EVENTS so far once they reach position last."""
        deadline = time.monotonic() + wait_s
        while not self.events or self.events[-1].body[1] < last:
            self.serve(self.read(max(0.0, deadline - time.monotonic())))
        return self.events
