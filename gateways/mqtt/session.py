"""What the engine keeps for a reader between two of its MQTT connections.

In memory only: a restarted engine says "session present 0", and the reader sends again what it was not
acknowledged, which is decided once. What a session keeps is what went, or was to go, to the reader.
"""

from collections import deque
from collections.abc import Iterator

from mqtt5 import PublishPacket, QoS

from liftgate.codecs import messages as m
from liftgate.codecs.mqtt import topics
from liftgate.gateways.link import Link

EXPIRY_S_MAX = 3600
"""A session of an hour survives every reboot and outage that anything in it could still matter after."""

KEPT = topics.FRESH | {m.Ack.TYPE, m.Replayed.TYPE}
"""What is sent again on the next connection. Modes, policy and time are told anew at sign-on."""

PUBLISH_BYTES = 128
"""What a PUBLISH takes around its body: topic with an id of 64, packet id, correlation data, expiry."""


class Down:
    """A message to a reader. until_ms: after which nobody should act on it, -1 = never."""

    def __init__(self, kind: int, body: bytes, correlation: bytes | None, now_ms: int) -> None:
        self.kind = kind
        self.body = body
        self.correlation = correlation
        self.until_ms = now_ms + topics.FRESH_MS if kind in topics.FRESH else -1


class Will:
    """What to record for a reader that went without a word. due_ms: -1 while it is there."""

    __slots__ = ("body", "boot", "delay_s", "due_ms", "kind")

    def __init__(self, kind: int, body: bytes, boot: int, delay_s: int) -> None:
        self.kind = kind
        self.body = body
        self.boot = boot
        self.delay_s = delay_s
        self.due_ms = -1


class Session:
    """One reader's. All times are of the clock that never jumps, in ms.

    expiry_s: how long it outlives its connection; granted: QoS of its subscription, -1 where there is none;
    receive_max: the client's, how many may be unacknowledged; in_flight: those, by packet id, in order;
    waiting: those behind them; waiting_bytes: of their bodies.
    """

    def __init__(self, reader: str) -> None:
        self.reader = reader
        self.expiry_s = 0
        self.expires_ms = -1
        self.granted = -1
        self.receive_max = 0
        self.in_flight: dict[int, Down] = {}
        self.waiting: deque[Down] = deque()
        self.waiting_bytes = 0
        self.will: Will | None = None
        self.link: Link | None = None
        self._last_id = 0
        self._topics: dict[int, str] = {}

    def publish(self, kind: int, body: bytes, correlation: bytes | None, now_ms: int) -> bytes:
        """The packet to send now, b"" where there is none: nobody subscribed, or too many are in flight."""
        if self.granted < 0:
            return b""
        down = Down(kind, body, correlation, now_ms)
        if self.granted == 0:
            return self._packet(down, 0, False, now_ms)
        if len(self.in_flight) >= self.receive_max:
            self.waiting.append(down)
            self.waiting_bytes += len(body) + PUBLISH_BYTES
            return b""
        return self._begin(down, now_ms)

    def acknowledged(self, packet_id: int, now_ms: int) -> bytes:
        """The reader has that one; the packet that may go instead, if any."""
        if self.in_flight.pop(packet_id, None) is None:
            return b""
        if not self.waiting:
            return b""
        down = self._next_waiting(now_ms)
        return b"" if down is None else self._begin(down, now_ms)

    def resume(self, now_ms: int) -> Iterator[bytes]:
        """What a new connection is sent first: the unacknowledged again, then what waited behind them."""
        for packet_id, down in list(self.in_flight.items()):
            if down.kind not in KEPT or _stale(down, now_ms):
                del self.in_flight[packet_id]
            else:
                yield self._packet(down, packet_id, True, now_ms)
        while len(self.in_flight) < self.receive_max:
            next_down = self._next_waiting(now_ms)
            if next_down is None:
                return
            yield self._begin(next_down, now_ms)

    def _next_waiting(self, now_ms: int) -> Down | None:
        while self.waiting:
            down = self.waiting.popleft()
            self.waiting_bytes -= len(down.body) + PUBLISH_BYTES
            if not _stale(down, now_ms):
                return down
        return None

    def _begin(self, down: Down, now_ms: int) -> bytes:
        packet_id = self._last_id % 65_535 + 1
        while packet_id in self.in_flight:
            packet_id = packet_id % 65_535 + 1
        self._last_id = packet_id
        self.in_flight[packet_id] = down
        return self._packet(down, packet_id, False, now_ms)

    def _packet(self, down: Down, packet_id: int, again: bool, now_ms: int) -> bytes:
        left_s = None if down.until_ms < 0 else max(1, (down.until_ms - now_ms) // 1000)
        topic = self._topics.get(down.kind)
        if topic is None:
            topic = self._topics[down.kind] = topics.down(self.reader, down.kind)
        return PublishPacket(
            topic,
            down.body,
            qos=QoS.AT_LEAST_ONCE if packet_id else QoS.AT_MOST_ONCE,
            packet_id=packet_id or None,
            duplicate=again,
            message_expiry_interval=left_s,
            correlation_data=down.correlation,
        ).write()


def _stale(down: Down, now_ms: int) -> bool:
    return 0 <= down.until_ms <= now_ms


class Sessions:
    """All sessions: at most one for each reader that there is, so readers_max bounds them."""

    def __init__(self) -> None:
        self.by_reader: dict[str, Session] = {}
        self._due: list[tuple[str, Will]] = []

    def take(self, reader: str, clean_start: bool, link: Link, now_ms: int) -> tuple[Session, bool]:
        """(the session for a new connection of that reader, whether there was one)."""
        session = self.by_reader.get(reader)
        if session is not None:
            self._detach(session, now_ms)
            over = clean_start or session.expires_ms <= now_ms
            if session.will is not None and (over or session.will.due_ms <= now_ms):
                self._due.append((reader, session.will))
            if over:
                session = None
        present = session is not None
        if session is None:
            session = self.by_reader[reader] = Session(reader)
        session.link, session.expires_ms, session.will = link, -1, None
        return session, present

    def due(self, now_ms: int) -> list[tuple[str, Will]]:
        """Take what is to be recorded for readers that are gone, and forget sessions that have expired.

        Whether a link has ended is looked at here, some times a second: it can end in several ways.
        """
        wills, self._due = self._due, []
        for session in list(self.by_reader.values()):
            if session.link is not None and session.link.closed:
                self._detach(session, now_ms)
            will = session.will
            over = session.link is None and session.expires_ms <= now_ms
            if will is not None and session.link is None and (over or will.due_ms <= now_ms):
                wills.append((session.reader, will))
                session.will = None
            if over:
                del self.by_reader[session.reader]
        return wills

    def _detach(self, session: Session, now_ms: int) -> None:
        if session.link is not None:
            session.link = None
            session.expires_ms = now_ms + session.expiry_s * 1000
            if session.will is not None:
                session.will.due_ms = now_ms + session.will.delay_s * 1000
