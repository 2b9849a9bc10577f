"""One end of a connection, sans I/O: bytes in, messages out, and the table of what is legal when.

    conn = WireConnection(Role.ENGINE)
    conn.feed(chunk)                      # b"" = peer closed
    message = conn.next_event()           # Hello | Scan | … | NEED_MORE | PEER_CLOSED; conn.ref is its ref
    chunk = conn.encode(Challenge(…), ref=conn.ref)

The same class serves engine, reader and service. It remembers the bodies of HELLO and CHALLENGE as they
were sent, since the macs of sign-on are over those bytes.
"""

from enum import Enum
from typing import Final, NoReturn

from liftgate.codecs import codes
from liftgate.codecs import messages as m
from liftgate.codecs.frame import BODY_BYTES_BEFORE_WELCOME, Fault, FrameReader, PeerError, frame
from liftgate.codecs.scans import ScanFields


class Role(Enum):
    ENGINE = "engine"
    CLIENT = "client"


class State(Enum):
    """Where the dialogue stands. It is one for both ends."""

    NEW = "new"
    GREETED = "greeted"  # HELLO went
    CHALLENGED = "challenged"
    PROVEN = "proven"  # AUTH went
    READER = "reader"  # WELCOME went, role 1
    SERVICE = "service"  # WELCOME went, role 2
    CLOSED = "closed"


class Pause(Enum):
    NEED_MORE = "need more"
    PEER_CLOSED = "peer closed"


NEED_MORE: Final = Pause.NEED_MORE
PEER_CLOSED: Final = Pause.PEER_CLOSED

_EITHER = (m.TimeAsk, m.Time, m.Ping, m.Pong, m.Error)


def _stay(state: State, *types: type[m.Message]) -> dict[int, State]:
    return {cls.TYPE: state for cls in types}


_ENDS = {m.Goodbye.TYPE: State.CLOSED}

FROM_CLIENT: dict[State, dict[int, State]] = {
    State.NEW: {m.Hello.TYPE: State.GREETED},
    State.GREETED: {},
    State.CHALLENGED: {m.Auth.TYPE: State.PROVEN},
    State.PROVEN: {},
    State.READER: _stay(State.READER, m.Scan, m.Passage, m.LaneStatus, m.Replay, m.Done, *_EITHER) | _ENDS,
    State.SERVICE: _stay(State.SERVICE, m.CommandMessage, m.Query, m.Subscribe, m.Cursor, *_EITHER) | _ENDS,
    State.CLOSED: {},
}

FROM_ENGINE: dict[State, dict[int, State]] = {
    State.NEW: _stay(State.NEW, m.Error) | _ENDS,
    State.GREETED: {m.Challenge.TYPE: State.CHALLENGED, **_stay(State.GREETED, m.Error), **_ENDS},
    State.CHALLENGED: _stay(State.CHALLENGED, m.Error) | _ENDS,
    State.PROVEN: {m.Welcome.TYPE: State.READER, **_stay(State.PROVEN, m.Error), **_ENDS},
    State.READER: _stay(
        State.READER,
        *(m.Decision, m.Ack, m.Replayed, m.Vend, m.SetLane, m.Display, m.Policy, *_EITHER),
    )
    | _ENDS,
    State.SERVICE: _stay(State.SERVICE, m.Outcome, m.Answer, m.Events, *_EITHER) | _ENDS,
    State.CLOSED: {},
}


class WireConnection:
    """One end of one connection.

    state: the dialogue's; ref: of the last event; hello, challenge: their bodies as sent, b"" before.
    After a PeerError with `fatal`, and after GOODBYE, nothing more is read.
    """

    def __init__(self, role: Role) -> None:
        self.role = role
        self.ref = 0
        self.hello = b""
        self.challenge = b""
        self.frame_bytes_max = BODY_BYTES_BEFORE_WELCOME
        self.frames = FrameReader()
        self._client_role = 0
        self._eof = False
        self._taken = False
        self._enter(State.NEW)

    def _enter(self, state: State) -> None:
        """Both directions' rows of the table are looked up here once, not for every frame."""
        self.state = state
        self._open = state is not State.CLOSED
        self._reads = state is State.READER and self.role is Role.ENGINE
        client, engine = FROM_CLIENT[state], FROM_ENGINE[state]
        self._theirs, self._ours = (client, engine) if self.role is Role.ENGINE else (engine, client)

    def assume_reader(self, frame_bytes_max: int) -> None:
        """Go on as after a reader's WELCOME: another protocol around this one has shown who it is."""
        self._enter(State.READER)
        self.frame_bytes_max = self.frames.body_bytes_max = frame_bytes_max

    def feed(self, data: bytes) -> None:
        """Take what was received; b"" says that the peer closed."""
        if not data:
            self._eof = True
        elif self._open:
            self.frames.feed(data)

    def drained(self) -> bool:
        """Whether every byte that was fed is used up."""
        return not self._eof and not self._taken and self.frames.drained()

    def next_event(self) -> m.Message | Pause:
        """The next message, or NEED_MORE, or PEER_CLOSED.

        Raises PeerError. A fatal one closes this end: only ERROR may still be encoded, and is best sent.
        """
        if not self._open:
            return PEER_CLOSED
        self.ref = 0
        try:
            if self._taken:
                self._taken = False
            elif not self.frames.take():
                return PEER_CLOSED if self._eof else NEED_MORE
            return self._message()
        except PeerError as error:
            error.ref = error.ref or self.ref
            if error.fatal:
                self._enter(State.CLOSED)
            raise

    def next_scan(self, fields: ScanFields) -> bool:
        """Read the next frame into `fields` if it is a plain SCAN and legal; all else is next_event's."""
        if not self._reads or self._taken:
            return False
        frames = self.frames
        try:
            if not frames.take():
                return False
        except PeerError:
            return False  # next_event finds it again
        if (
            frames.kind == codes.SCAN
            and frames.ref
            and fields.parse(frames.data, frames.body_at, frames.body_end)
        ):
            self.ref = frames.ref
            return True
        self._taken = True
        return False

    def _message(self) -> m.Message:
        frames = self.frames
        kind = frames.kind
        self.ref = frames.ref
        after = self._theirs.get(kind)
        if after is None:
            self._refuse(kind)
        body = frames.body()
        message = m.decode(kind, body)
        if message.REQUEST and not frames.ref:
            raise PeerError(Fault.BAD_FIELD, "a request's ref is never 0")
        if after is not self.state:
            self._advance(message, body)
        return message

    def _refuse(self, kind: int) -> NoReturn:
        if kind in m.MESSAGES or self.state not in (State.READER, State.SERVICE):
            raise PeerError(Fault.NOT_ALLOWED, ref=self.frames.ref)
        raise PeerError(Fault.UNKNOWN_TYPE, f"unknown type 0x{kind:02x}", self.frames.ref)

    def _advance(self, message: m.Message, body: bytes) -> None:
        """Move the dialogue on by a message of sign-on or farewell, whichever side it came from."""
        if isinstance(message, m.Hello):
            self.hello, self._client_role = body, message.role
            self._enter(State.GREETED)
        elif isinstance(message, m.Challenge):
            self.challenge = body
            self._enter(State.CHALLENGED)
        elif isinstance(message, m.Auth):
            self._enter(State.PROVEN)
        elif isinstance(message, m.Welcome):
            self._enter(State.READER if self._client_role == m.READER else State.SERVICE)
            self.frame_bytes_max = self.frames.body_bytes_max = message.frame_bytes_max
        else:
            self._enter(State.CLOSED)

    def encode(self, message: m.Message, ref: int = 0) -> bytes:
        """The frame of a message of ours. Raises ValueError if it is not legal now, or too long."""
        kind = message.TYPE
        after = self._ours.get(kind)
        if after is None and not (self.state is State.CLOSED and kind == m.Error.TYPE):
            raise ValueError(f"{type(message).__name__} is not legal when {self.state.value}")
        body = m.encode(message)
        if len(body) > self.frame_bytes_max:
            raise ValueError(f"{len(body)} bytes of body, {self.frame_bytes_max} are allowed")
        if after is not None and after is not self.state:
            self._advance(message, body)
        return frame(kind, ref, body)
