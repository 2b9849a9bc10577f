"""A device's way to the engine: it dials, signs on, watches the connection, and dials again."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from liftgate.codecs import messages as m
from liftgate.codecs.client import ClientConnection, Identity, SignOnFailed
from liftgate.codecs.frame import Fault

if TYPE_CHECKING:
    from liftgate.sim.world.network import Wire
    from liftgate.sim.world.world import World

SIGN_ON_MS_MAX = 10_000
"""From the dial. Twice what the engine gives a client: the network takes its time too."""

OLD_MS_MAX = 20_000
"""How long a connection that a newer one replaced is still listened to."""

PAUSE_MS_MIN = 100

HOLD_MS = 2_000
"""After ERROR 12 (stopping, or its disk is full) nothing is asked for so long."""

EXPECTED = (Fault.TOO_MANY_GAPS, Fault.UNAVAILABLE, Fault.NO_SUCH_LANE, Fault.TOO_SLOW, Fault.POSITION_GONE)
"""What a client may be answered although it keeps to the protocol."""


class Astonished(Exception):
    """The engine said something that it may not say to a client that keeps to the protocol."""


class Session:
    """One dialled connection, from the dial to its end; the network's Peer.

    asked: what waits for the reply with that ref; over: nothing comes or goes any more.
    """

    __slots__ = ("_caller", "_client", "_dialled_ms", "_heard_ms", "_wire", "asked", "over")

    def __init__(self, caller: Caller, identity: Identity, nonce: bytes) -> None:
        self._caller = caller
        self._client = ClientConnection(identity, nonce)
        self._wire: Wire | None = None
        self._dialled_ms = self._heard_ms = caller.world.loop.now_ms
        self.asked: dict[int, Any] = {}
        self.over = False

    @property
    def welcome(self) -> m.Welcome | None:
        """The engine's, once its mac was right."""
        return self._client.welcome

    # -- the network's side

    def connected(self, wire: Wire) -> None:
        """The dial reached an engine."""
        if self.over:
            wire.close()
            return
        self._wire = wire
        self._flush()

    def received(self, data: bytes) -> None:
        """Take what came, b"" when the engine closed. Raises PeerError where it broke the protocol."""
        if self.over:
            return
        self._heard_ms = self._caller.world.loop.now_ms
        signed_on = self.welcome is not None
        try:
            received = self._client.receive(data)
        except SignOnFailed:
            self.drop()
            return
        self._flush()
        if self.welcome is not None and not signed_on:
            self._caller.welcomed(self)
        for ref, message in received:
            if not self.over:
                self._caller.take(self, ref, message)
        if self._client.closed:
            self.drop()

    def broken(self) -> None:
        """The dial failed, or the connection was lost."""
        if not self.over:
            self.over = True
            self._caller.ended(self)

    # -- the device's side

    def ask(self, message: m.Message, what: Any) -> None:
        """Send a request; `what` comes back with its reply."""
        self.asked[self._client.request(message)] = what
        self._flush()

    def tell(self, message: m.Message, ref: int = 0) -> None:
        """Send what gets no reply."""
        if not self.over:
            self._client.tell(message, ref)
            self._flush()

    def drop(self) -> None:
        """Close, and have the device look for another way."""
        if not self.over:
            self.over = True
            if self._wire is not None:
                self._wire.close()
            self._caller.ended(self)

    def vanish(self, close: bool) -> None:
        """The device lost power: nothing more is heard or said. close: its stack still said so."""
        self.over = True
        if close and self._wire is not None:
            self._wire.close()

    def judge(self) -> None:
        """End it where sign-on takes too long or the engine is silent; ask where it is silent for a while."""
        now_ms = self._caller.world.loop.now_ms
        welcome = self.welcome
        if welcome is None:
            if now_ms - self._dialled_ms >= SIGN_ON_MS_MAX:
                self.drop()
            return
        silent_ms = now_ms - self._heard_ms
        if silent_ms >= 2000 * welcome.heartbeat_s:
            self.drop()
        elif silent_ms >= 1000 * welcome.heartbeat_s:
            self.tell(m.Ping())

    def _flush(self) -> None:
        data = self._client.outgoing()
        if data and self._wire is not None:
            self._wire.send(data)


class Caller:
    """One id that wants to be connected: a base for devices, who override what is for subclasses.

    session: the newest one that is signed on; powered: it is switched on.
    """

    __slots__ = (
        "_held_until_ms",
        "_pause_ms",
        "_pause_ms_max",
        "_redial",
        "_rng",
        "_sessions",
        "id",
        "key",
        "powered",
        "session",
        "world",
    )

    ROLE = m.SERVICE

    def __init__(self, world: World, id: str, key: bytes, retries_s: int = 8) -> None:
        """retries_s: its longest pause between two dials."""
        self.world = world
        self.id = id
        self.key = key
        self.session: Session | None = None
        self.powered = False
        self._sessions: list[Session] = []
        self._redial: Any = None
        self._pause_ms = PAUSE_MS_MIN
        self._pause_ms_max = 1000 * retries_s
        self._held_until_ms = 0
        self._rng: Random = world.rng(f"device {id}")

    # -- for subclasses

    def boot(self) -> int:
        """What HELLO names; a reader's numbering."""
        return 1

    def on_welcome(self, session: Session) -> None:
        """A connection is signed on, and `session` already."""

    def on_lost(self, session: Session) -> None:
        """The connection that was `session` is gone."""

    def take(self, session: Session, ref: int, message: m.Message) -> None:
        """A message that is not the connection's own business."""

    def pump(self) -> None:
        """Send what may go now."""

    def calm(self) -> None:
        """Whatever is wrong with it ends."""

    # -- refusals

    def held(self) -> bool:
        """Whether the engine said that it takes nothing at the moment."""
        now_ms: int = self.world.loop.now_ms
        return now_ms < self._held_until_ms

    def hold(self) -> None:
        """Ask nothing for a while."""
        self._held_until_ms = self.world.loop.now_ms + HOLD_MS
        self.world.loop.after(HOLD_MS, self.pump)

    def expect(self, error: m.Error) -> None:
        """Raise Astonished at an ERROR that only a fault of this device could explain."""
        if error.code not in EXPECTED:
            raise Astonished(f"{self.id}: ERROR {error.code}: {error.text}")

    # -- connecting

    def start(self) -> None:
        """The world begins."""
        self.switch_on()

    def switch_on(self) -> None:
        """Begin, or come back from being off."""
        self.powered = True
        self._pause_ms = PAUSE_MS_MIN
        self.dial()

    def switch_off(self, close: bool = False) -> None:
        """Be gone at once. close: the other side is told by its stack."""
        self.powered = False
        sessions, self._sessions = self._sessions, []
        for session in sessions:
            session.vanish(close)
        self.session = None
        if self._redial is not None:
            self._redial.cancel()
            self._redial = None

    def dial(self) -> None:
        """Try to connect; beside a connection that is there, this one replaces it."""
        self._redial = None
        if not self.powered:
            return
        identity = Identity(self.ROLE, self.id, self.key, self.boot(), "liftgate world")
        session = Session(self, identity, self._rng.randbytes(16))
        self._sessions.append(session)
        self.world.network.dial(self.id, session)
        self.world.loop.after(SIGN_ON_MS_MAX, lambda: self._watch(session))

    def hang_up(self) -> None:
        """Leave in order, and come back."""
        session = self.session
        if session is not None:
            session.tell(m.Goodbye("maintenance"))
            session.drop()

    def welcomed(self, session: Session) -> None:
        """The session signed on: it is the one to use. An older one is heard out."""
        old, self.session = self.session, session
        self._pause_ms = PAUSE_MS_MIN
        if old is not None:
            self.on_lost(old)
            self.world.loop.after(OLD_MS_MAX, old.drop)
        self.on_welcome(session)

    def ended(self, session: Session) -> None:
        """The session is over."""
        if session in self._sessions:
            self._sessions.remove(session)
        if session is self.session:
            self.session = None
            self.on_lost(session)
        signing_on = any(other.welcome is None for other in self._sessions)
        if self.powered and self.session is None and not signing_on and self._redial is None:
            self._redial = self.world.loop.after(self._next_pause_ms(), self.dial)

    def _next_pause_ms(self) -> int:
        """Doubling, each with jitter, so that devices don't march."""
        pause_ms = self._pause_ms
        self._pause_ms = min(2 * pause_ms, self._pause_ms_max)
        return pause_ms // 2 + self._rng.randrange(pause_ms)

    def _watch(self, session: Session) -> None:
        session.judge()
        if not session.over:
            heartbeat_s = session.welcome.heartbeat_s if session.welcome is not None else 1
            self.world.loop.after(500 * heartbeat_s, lambda: self._watch(session))
