"""A reader as the kit plays it, for an engine under test."""

import hashlib
import hmac
import random
from typing import Any, NamedTuple

from liftgate.codecs import messages as m
from liftgate.conform.port import Ended, Line, Link
from liftgate.conform.report import Missed, Report, Unseen
from liftgate.conform.talk import Talk
from liftgate.conform.wire import BadFrame, Frame, name, pack

REPLY_S = 5.0
"""Far above any answer's time: what takes longer keeps a car waiting."""

END_S = 7.0
"""How long an engine may take to close after a fatal ERROR: as long as a sign-on may take, and some."""

CARD = 2
_ORDERS = (m.Vend.TYPE, m.SetLane.TYPE, m.Display.TYPE, m.Policy.TYPE)
_UNASKED = (*_ORDERS, m.Ping.TYPE, m.Goodbye.TYPE)
"""What the engine says under refs of its own: no reply, whatever ref it has."""


class Settings(NamedTuple):
    """Who the kit is for the engine. lane: one for entry that takes any card; no_lane: one it does not have.

    patience_s: the longest that anything is waited for, heartbeats among it.
    """

    reader: str
    key: bytes
    lane: int = 0
    no_lane: int = 250
    patience_s: float = 60.0


class ReaderTalk(Talk):
    """A connection of the reader's. serves: whether it answers PING; orders: what the engine had it do."""

    def __init__(self, line: Line, link: Link) -> None:
        super().__init__(line, link)
        self.serves = True
        self.orders: list[Frame] = []
        self.replies: dict[int, Frame] = {}
        self.hello = b""
        self.challenge = b""

    def serve(self, received: Frame) -> None:
        """Answer PING and orders; an ERROR that nobody waits for ends the scenario."""
        if received.kind == m.Ping.TYPE:
            if self.serves:
                self.send(m.Pong.TYPE, 0)
        elif received.kind in _ORDERS:
            self.orders.append(received)
            self.send(m.Done.TYPE, received.ref, True, "")
        elif received.kind == m.Error.TYPE:
            raise Missed(f"{received} to what was right")
        elif received.ref and received.kind not in _UNASKED:
            self.replies[received.ref] = received

    def request(self, kind: int, *fields: Any) -> int:
        """Send a request; return its ref."""
        ref = self.next_ref()
        self.send(kind, ref, *fields)
        return ref

    def reply(self, ref: int, kind: int) -> Frame:
        """The reply to `ref`, which must be of that type. Raises Missed."""
        found = self.replies.pop(ref, None) or self.find(
            lambda received: received.ref == ref and received.kind not in _UNASKED, REPLY_S
        )
        if found is None:
            raise Missed(f"no {name(kind)} within {REPLY_S:g} s")
        if found.kind != kind:
            raise Missed(f"{found} where {name(kind)} was due")
        return found

    def ask(self, kind: int, *fields: Any, reply: int) -> Frame:
        """Send a request and wait for its reply. Raises Missed."""
        return self.reply(self.request(kind, *fields), reply)

    def error(self, wait_s: float = REPLY_S) -> Frame | None:
        """The next ERROR, what else comes left aside; None if none comes."""
        deadline = self.clock.now_s() + wait_s
        while (left_s := deadline - self.clock.now_s()) >= 0:
            try:
                received = self.read(left_s)
            except Ended:
                return None
            if received is None or received.kind == m.Error.TYPE:
                return received
        return None

    def refused(self, code: int) -> tuple[bool, str]:
        """Whether what was sent is answered ERROR `code`, fatal, and closed; and what was seen."""
        error = self.error()
        if error is None:
            return False, "closed without a word" if self.left else f"no ERROR within {REPLY_S:g} s"
        if error.body[0] != code:
            return False, f"ERROR {error.body[0]} where {code} was due"
        if not error.body[2]:
            return False, f"ERROR {code} says it is not fatal"
        rest = self.wait_end(END_S)
        if rest is None:
            return False, f"ERROR {code}, and the connection stays open"
        return not rest, f"ERROR {code}, closed" if not rest else f"{rest[0]} after ERROR {code}"


class PlayedReader:
    """The reader that the kit plays, over one run.

    boot: this run's numbering; no: the number given last in it. Numbers of a boot are never used twice in a
    run but on purpose, and a run's boots are drawn anew, so that it can be repeated against the same engine.
    """

    of_whole_run = frozenset({"E-FRAME-1", "E-FRAME-2"})

    def __init__(self, line: Line, report: Report, settings: Settings, seed: int | None = None) -> None:
        self.line = line
        self.report = report
        self.settings = settings
        self.random = random.Random(seed)
        self.boot = self.new_boot()
        self.no = 0
        self.nonces: list[bytes] = []
        self._talks: list[ReaderTalk] = []
        self._frames = 0
        self._loose = ""

    # -- numbers and tokens

    def new_boot(self) -> int:
        """A numbering that nobody has used."""
        return self.random.getrandbits(63) | 1

    def use_new_boot(self) -> None:
        """Begin a numbering: what this scenario does to it is its own."""
        self.boot, self.no = self.new_boot(), 0

    def next_no(self) -> int:
        """The next event's number."""
        self.no += 1
        return self.no

    def card(self) -> bytes:
        """A card that nobody has used."""
        return b"\x04" + self.random.randbytes(6)

    def scan(self, token: bytes = b"", lane: int | None = None, no: int = 0) -> tuple[Any, ...]:
        """The fields of a SCAN: a card of its own at the lane, unless given."""
        at_lane = self.settings.lane if lane is None else lane
        return no or self.next_no(), self.line.unix_ms(), at_lane, CARD, token or self.card()

    def status(self, no: int = 0, lane: int | None = None) -> tuple[Any, ...]:
        """The fields of a LANE_STATUS: the barrier is down, and nobody is there."""
        at_lane = self.settings.lane if lane is None else lane
        return no or self.next_no(), self.line.unix_ms(), at_lane, 0, False, ()

    # -- connections

    def dial(self) -> ReaderTalk:
        """A connection, nothing said yet. Raises Unseen where nobody listens."""
        try:
            link = self.line.dial()
        except Ended as error:
            raise Unseen(f"nothing listens: {error}") from error
        talk = ReaderTalk(self.line, link)
        self._talks.append(talk)
        return talk

    def hello(self, talk: ReaderTalk, *more: Any, id: str = "", versions: tuple[int, ...] = (1,)) -> Frame:
        """Say HELLO; return the CHALLENGE. Raises Missed."""
        nonce = self.random.randbytes(16)
        reader = id or self.settings.reader
        talk.hello = pack(m.READER, reader, self.boot, versions, nonce, "liftgate conform", 65_536, *more)
        ref = talk.next_ref()
        talk.send_body(m.Hello.TYPE, ref, talk.hello)
        found = talk.expect(m.Challenge.TYPE, REPLY_S)
        if found.ref != ref:
            raise Missed(f"CHALLENGE under ref {found.ref}, HELLO had {ref}")
        talk.challenge = found.raw
        self.nonces.append(found.body[0])
        return found

    def prove(self, talk: ReaderTalk, *more: Any, key: bytes = b"") -> int:
        """Send AUTH; return its ref."""
        mac = self.mac(talk, b"client", key or self.settings.key)
        return talk.request(m.Auth.TYPE, mac, *more)

    def mac(self, talk: ReaderTalk, side: bytes, key: bytes) -> bytes:
        """The proof of one side that it holds the key."""
        return hmac.digest(key, b"liftgate-1 " + side + talk.hello + talk.challenge, hashlib.sha256)

    def welcome(self, talk: ReaderTalk, ref: int) -> Frame:
        """The WELCOME to the AUTH of that ref, its mac right; its limits hold from here on. Raises Missed."""
        found = talk.expect(m.Welcome.TYPE, REPLY_S)
        if found.ref != ref:
            raise Missed(f"WELCOME under ref {found.ref}, AUTH had {ref}")
        if found.body[0] != self.mac(talk, b"engine", self.settings.key):
            raise Missed("WELCOME's mac is not the engine's over HELLO and CHALLENGE")
        talk.splitter.body_bytes_max = found.body[4]
        return found

    def sign_on(self, boot: int = 0) -> tuple[ReaderTalk, Frame]:
        """A signed-on connection and its WELCOME. Raises Missed."""
        self.boot = boot or self.boot
        talk = self.dial()
        self.hello(talk)
        return talk, self.welcome(talk, self.prove(talk))

    # -- the run

    def broken_by(self, bad: BadFrame) -> str:
        """See runner.Player."""
        return "E-FRAME-1"

    def hang_up(self) -> None:
        """Drop what a scenario left open, and keep what the whole run is judged by."""
        for talk in self._talks:
            talk.close()
            self._frames += len(talk.got)
            self._loose = self._loose or talk.splitter.loose
        self._talks.clear()

    def conclude(self) -> None:
        """Frames and nonces of the whole run."""
        if self._frames:
            self.report.check("E-FRAME-1", True, f"{self._frames} frames")
            seen = f"not the smallest form: {self._loose}" if self._loose else f"{self._frames} frames"
            self.report.check("E-FRAME-2", not self._loose, seen)
        if len(self.nonces) > 1:
            repeated = len(self.nonces) - len(set(self.nonces))
            self.report.check("E-SIGN-1", not repeated, f"{len(self.nonces)} challenges, {repeated} repeated")
