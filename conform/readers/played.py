"""An engine as the kit plays it, for a reader under test."""

import hashlib
import hmac
import random
from collections.abc import Callable
from typing import Any, NamedTuple

from liftgate.codecs import messages as m
from liftgate.conform.port import Act, Door, Ended, Link, Tester
from liftgate.conform.readers.ledger import Ledger
from liftgate.conform.report import Missed, Report, Unseen
from liftgate.conform.talk import Talk
from liftgate.conform.wire import BadFrame, Frame, name, pack

ANSWER_S = 5.0
"""Far above any reader's time to answer an order."""

SIGN_ON_S = 5.0
LOOK_S = 0.5
"""How often is looked whether the reader under test still runs, while it is awaited."""

EVENT_KINDS = (m.Scan.TYPE, m.Passage.TYPE, m.LaneStatus.TYPE)
CLOCK_MS_OFF = 10_000
"""Above this a scan is decided by the engine's clock, and the difference is recorded (protocol.md)."""


class Settings(NamedTuple):
    """Who is under test, and how long things may take.

    lane: one of its lanes, for entry; no_lane: one it does not have; patience_s: for the reader to come;
    act_s: for somebody to act on it; alone_s: how long without an engine until it decides alone; backlog: how
    many scans a stimulus makes meanwhile: more than one REPLAY of 1,024 bytes holds.
    """

    reader: str
    key: bytes
    lane: int = 0
    no_lane: int = 250
    patience_s: float = 60.0
    act_s: float = 30.0
    alone_s: float = 8.0
    backlog: int = 45


class EngineTalk(Talk):
    """A connection of the reader under test. answers: whether its PING is answered."""

    def __init__(self, engine: "PlayedEngine", link: Link) -> None:
        super().__init__(engine.door, link)
        self.engine = engine
        self.hello_raw = b""
        self.challenge_raw = b""
        self.boot = 0
        self.answers = True
        self.errors: list[Frame] = []
        self.opened_s = engine.door.now_s()

    def serve(self, received: Frame) -> None:
        """What a friendly engine does with what nobody waits for. Raises Missed where the reader ends it."""
        kind, ref, body, _ = received
        if kind == m.Ping.TYPE and self.answers:
            self.send(m.Pong.TYPE, ref)
        elif kind == m.TimeAsk.TYPE:
            now_ms = self.engine.clock_ms()
            self.send(m.Time.TYPE, ref, body[0], now_ms, now_ms)
        elif kind in EVENT_KINDS:
            self.engine.note(self, received)
            self.answer(received)
        elif kind == m.Replay.TYPE:
            self.engine.note(self, received)
            self.take_in(received)
        elif kind == m.Error.TYPE:
            self.errors.append(received)
            if body[2]:
                raise Missed(f"{received} to what was right")

    def answer(self, event: Frame) -> None:
        """Answer a live event: a scan opens."""
        kind, ref, body, _ = event
        no = body[0]
        self.engine.ledger.keep(self.boot, no)
        position = self.engine.next_position()
        if kind == m.Scan.TYPE:
            self.send(m.Decision.TYPE, ref, no, m.OPEN, 0, bytes(16), None, "Welcome", None, 1, position)
        else:
            self.send(m.Ack.TYPE, ref, no, position)

    def take_in(self, replay: Frame, pause_ms: int = 0) -> None:
        """Take a REPLAY."""
        ledger = self.engine.ledger
        for _, _, body in replay.body[0]:
            ledger.keep(self.boot, body[0])
        done_to, gaps = ledger.known(self.boot)
        position = self.engine.next_position()
        self.send(m.Replayed.TYPE, replay.ref, done_to, gaps, (), position, pause_ms)

    def order(self, kind: int, *fields: Any) -> Frame | None:
        """Give an order; return its DONE, None if none came in time."""
        ref = self.next_ref()
        self.send(kind, ref, *fields)
        return self.find(lambda got: got.kind == m.Done.TYPE and got.ref == ref, ANSWER_S)

    def event(self, kind: int, wait_s: float) -> Frame | None:
        """The next live event of that type, noted and not answered."""
        found = self.find_kind(kind, wait_s)
        if found is not None:
            self.engine.note(self, found)
        return found

    def goes_on(self) -> bool:
        """Whether the connection still works."""
        self.send(m.Ping.TYPE, 0)
        return self.find_kind(m.Pong.TYPE, ANSWER_S) is not None


class PlayedEngine:
    """The engine that the kit plays, over one run.

    jump_ms: how far its clock is from this machine's; ledger: the reader's events.
    """

    of_whole_run = frozenset({"R-SIGN-3", "R-SIGN-7", "R-FRAME-1", "R-FRAME-2", "R-FRAME-9", "R-EVENT-1"})

    def __init__(
        self, door: Door, tester: Tester, report: Report, settings: Settings, seed: int | None = None
    ) -> None:
        self.door = door
        self.tester = tester
        self.report = report
        self.settings = settings
        self.ledger = Ledger(report)
        self.random = random.Random(seed)
        self.jump_ms = 0
        self.nonces: list[bytes] = []
        self._position = 0
        self._talks: list[EngineTalk] = []
        self._came = 0
        self._absent = False
        self._frames = 0
        self._largest = 0
        self._loose = ""

    def clock_ms(self) -> int:
        """This engine's Unix time in ms."""
        return self.door.unix_ms() + self.jump_ms

    def next_position(self) -> int:
        """Where in a journal the next event would be."""
        self._position += 1
        return self._position

    # -- letting the reader in

    def accept(self) -> EngineTalk:
        """The reader's next connection. Raises Unseen if none comes; who did not come once is not awaited."""
        link = self._wait_link(0 if self._absent else self.settings.patience_s)
        self._absent = link is None
        if link is None:
            if self._came:
                self.report.failed("R-SIGN-7", f"it did not come again within {self.settings.patience_s:g} s")
            raise Unseen(f"no reader connected within {self.settings.patience_s:g} s")
        talk = EngineTalk(self, link)
        self._talks.append(talk)
        return talk

    def _wait_link(self, wait_s: float) -> Link | None:
        """The next connection, None after wait_s. Raises Unseen as soon as the reader is known to be gone."""
        until = self.door.now_s() + wait_s
        while (link := self.door.accept(min(LOOK_S, wait_s))) is None and self.door.now_s() < until:
            self.tester.check()
        return link

    def greet(self) -> tuple[EngineTalk, Frame]:
        """The next connection that says HELLO, and its HELLO; one that ends before is an older attempt."""
        for _ in range(3):
            talk = self.accept()
            try:
                found = talk.read(SIGN_ON_S)
            except Ended:
                continue
            if found is None:
                raise Missed(f"connected, and no HELLO within {SIGN_ON_S:g} s")
            if found.kind != m.Hello.TYPE:
                raise Missed(f"{found} where HELLO was due")
            self._came += 1
            if self._came > 1:
                self.report.passed("R-SIGN-7", f"{self._came} connections")
            talk.hello_raw, talk.boot = found.raw, found.body[2]
            self.nonces.append(found.body[4])
            return talk, found
        raise Missed("it connects, and leaves before HELLO")

    def challenge(self, talk: EngineTalk, hello: Frame, *more: Any) -> None:
        """Answer HELLO."""
        talk.challenge_raw = pack(self.random.randbytes(16), "liftgate conform", self.clock_ms(), *more)
        talk.send_body(m.Challenge.TYPE, hello.ref, talk.challenge_raw)

    def proof(self, talk: EngineTalk) -> Frame:
        """The reader's AUTH, its mac right. Raises Missed."""
        found = talk.expect(m.Auth.TYPE, SIGN_ON_S)
        if not hmac.compare_digest(found.body[0], self.mac(talk, b"client")):
            raise Missed("AUTH's mac is not the reader's key over HELLO and CHALLENGE")
        return found

    def mac(self, talk: EngineTalk, side: bytes) -> bytes:
        """The proof of one side that it holds the key."""
        text = b"liftgate-1 " + side + talk.hello_raw + talk.challenge_raw
        return hmac.digest(self.settings.key, text, hashlib.sha256)

    def welcome(
        self,
        talk: EngineTalk,
        auth: Frame,
        *more: Any,
        mac: bytes = b"",
        known: tuple[int, list[list[int]]] | None = None,
        in_flight_max: int = 16,
        frame_bytes_max: int = 4096,
        heartbeat_s: int = 15,
    ) -> None:
        """Let the reader in under these limits; known: done_to and gaps, the ledger's unless given."""
        done_to, gaps = self.ledger.known(talk.boot) if known is None else known
        proof = mac or self.mac(talk, b"engine")
        limits = (in_flight_max, frame_bytes_max, heartbeat_s, self.clock_ms())
        talk.splitter.body_bytes_max = frame_bytes_max
        talk.send(m.Welcome.TYPE, auth.ref, proof, done_to, gaps, *limits, *more)

    def sign_on(self, **limits: Any) -> EngineTalk:
        """The reader, signed on. Raises Missed, Unseen."""
        talk, hello = self.greet()
        self.challenge(talk, hello)
        self.welcome(talk, self.proof(talk), **limits)
        return talk

    # -- the reader's events

    def note(self, talk: EngineTalk, event: Frame) -> None:
        """Keep what the reader told, and judge what each event shows."""
        if event.kind == m.Replay.TYPE:
            for kind, _, body in event.body[0]:
                self.ledger.note(talk.boot, kind, body)
        else:
            self.ledger.note(talk.boot, event.kind, event.body)

    def asked_scan(self, talk: EngineTalk) -> Frame:
        """Have a card scanned; the SCAN, noted and not answered. Raises Unseen."""
        return self._asked(talk, Act.SCAN, m.Scan.TYPE)

    def asked_passage(self, talk: EngineTalk) -> Frame:
        """Have a car pass; the PASSAGE, noted and not answered. Raises Unseen."""
        return self._asked(talk, Act.PASS, m.Passage.TYPE)

    def _asked(self, talk: EngineTalk, act: Act, kind: int) -> Frame:
        self.tester.do(act)
        found = talk.event(kind, self.settings.act_s)
        if found is None:
            raise Unseen(f"no {name(kind)} within {self.settings.act_s:g} s of being asked for")
        return found

    def until(self, talk: EngineTalk, wanted: Callable[[Frame], bool], wait_s: float) -> Frame | None:
        """The first frame that is wanted, noted if it is an event; others are served."""
        found = talk.find(wanted, wait_s)
        if found is not None and found.kind in (*EVENT_KINDS, m.Replay.TYPE):
            self.note(talk, found)
        return found

    # -- the run

    def broken_by(self, bad: BadFrame) -> str:
        """See runner.Player."""
        return "R-FRAME-9" if bad.code == 3 else "R-FRAME-1"

    def hang_up(self) -> None:
        """Drop what a scenario left open; the next begins with a reader that has to come again."""
        for talk in self._talks:
            talk.close()
            self._frames += len(talk.got)
            self._largest = max(self._largest, talk.splitter.largest)
            self._loose = self._loose or talk.splitter.loose
        self._talks.clear()

    def conclude(self) -> None:
        """Judge what only the whole run shows."""
        if self._frames:
            self.report.passed("R-FRAME-1", f"{self._frames} frames")
            self.report.passed("R-FRAME-9", f"the longest body had {self._largest} bytes")
            seen = f"not the smallest form: {self._loose}" if self._loose else f"{self._frames} frames"
            self.report.check("R-FRAME-2", not self._loose, seen)
        if len(self.nonces) > 1:
            repeated = len(self.nonces) - len(set(self.nonces))
            self.report.check("R-SIGN-3", not repeated, f"{len(self.nonces)} sign-ons, {repeated} repeated")
        self.ledger.conclude()
