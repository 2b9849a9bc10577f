"""A small reader, right by default, wrong in the ways named in `faults`."""

import hashlib
import hmac
import random
from typing import Any

from liftgate.codecs import messages as m
from liftgate.conform.port import Act, Ended
from liftgate.conform.wire import BadFrame, Frame, Splitter, frame_of, pack

KEY = bytes(range(32))
LANE = 0
TICK_S = 0.05
RETRY_S = 0.5
ALONE_S = 5.0
ORDERS = (m.Vend.TYPE, m.SetLane.TYPE, m.Display.TYPE, m.Policy.TYPE)
LENGTHS = {m.Vend.TYPE: 2, m.SetLane.TYPE: 2, m.Display.TYPE: 3, m.Policy.TYPE: 3}


class SimReader:
    """A reader with a lasting log: boot, last number, live events that await an answer, and a backlog."""

    def __init__(self, *faults: str) -> None:
        self.faults = set(faults)
        self.door: Any = None
        self.random: random.Random = random.Random(3)
        self.boot = 1234567890123456789
        self.no = 0
        self.pending: dict[int, tuple[int, list[Any]]] = {}
        self.backlog: dict[int, tuple[int, int, list[Any]]] = {}
        self.policy: dict[str, Any] = {}
        self.offset_ms = 0
        self.end: Any = None
        self.retry_at = 0.0
        self.lost_at = 0.0
        self.cards = 0
        self.sign_ons = 0
        self.step_now = 0.0
        self._reset()

    def _reset(self) -> None:
        self.splitter = Splitter()
        self.state = "new"
        self.since = self.heard = self.step_now
        self.in_flight_max, self.frame_bytes_max, self.heartbeat_s = 1, 4096, 15
        self.mac = b""
        self.sent_at = 0.0
        self.pinged = False
        self.refs = 0
        self.asked: dict[int, int] = {}
        self.replay_ref = 0
        self.pause_until = 0.0
        self.hello = self.challenge = b""

    def has(self, fault: str) -> bool:
        """Whether it is wrong in that way."""
        return fault in self.faults

    # -- what happens at the lane

    def act(self, act: Act) -> None:
        """Somebody scans, passes, or pulls the plug."""
        assert self.door is not None
        at_ms = self.door.unix_ms() + self.offset_ms
        if self.has("no clock"):
            at_ms = int(self.door.now * 1000)
        if act is Act.RESTART:
            self._power_cut()
        elif act is Act.SCAN:
            self.cards += 1
            lane = 9 if self.has("other lane") else LANE
            self._happened(m.Scan.TYPE, [at_ms, lane, 2, b"\x04card%d" % self.cards])
        else:
            self._happened(m.Passage.TYPE, [at_ms, LANE, 1, None])

    def _happened(self, kind: int, fields: list[Any]) -> None:
        alone = self.end is None and self.door.now - self.lost_at >= ALONE_S
        if alone and kind == m.Scan.TYPE and self.has("refuses alone"):
            return
        self.no += 2 if self.has("leaves out numbers") and self.no % 4 == 1 else 1
        if alone and self.policy.get("hours") and not self.has("replays as live"):
            verdict = m.OPEN if kind == m.Scan.TYPE and not self.has("no verdicts") else 0
            self.backlog[self.no] = (kind, verdict, [self.no, *fields])
        else:
            self.pending[self.no] = (kind, [self.no, *fields])

    def _power_cut(self) -> None:
        self._drop()
        if self.has("log without numbers"):
            self.pending.clear()
        if self.has("boot from nowhere"):
            self.boot += 1
            self.pending.clear()
        elif self.has("new boot each time"):
            self.boot, self.no = self.boot + 1, 0
            self.pending.clear()

    # -- its turns

    def step(self, now: float) -> None:
        """Do what is due."""
        self.step_now = now
        if self.end is None:
            self._connect(now)
        if self.end is None:
            return
        try:
            self._turn(now)
        except Ended:
            self._drop()

    def _connect(self, now: float) -> None:
        if now < self.retry_at or (self.has("never comes again") and self.sign_ons):
            return
        assert self.door is not None
        self.end = self.door.dial()
        self.retry_at = now + RETRY_S
        if self.end is not None:
            self._reset()

    def _drop(self) -> None:
        if self.end is not None:
            self.end.close()
            self.end = None
            self.lost_at = self.step_now
            self.retry_at = self.step_now + RETRY_S
            if self.has("forgets to resend"):
                self.pending.clear()
            if self.has("renumbers"):
                kept, self.pending = self.pending, {}
                for kind, body in kept.values():
                    self._happened(kind, body[1:])

    def _turn(self, now: float) -> None:
        assert self.end is not None
        late_s = 3.0 if self.has("signs on slowly") else 0.0
        if self.state == "new" and now >= self.since + late_s:
            self._say_hello()
        while self.end is not None and self.end.inbox:
            self.heard, self.pinged = now, False
            data = self.end.inbox.pop(0)
            self._take(data)
        if self.end is None:
            return
        if self.end.over:
            raise Ended
        if self.state == "challenged" and now >= self.since + 2 * late_s:
            self._prove()
        if self.state == "online":
            self._beat(now)
            self._tell(now)

    def _say_hello(self) -> None:
        nonce = bytes(16) if self.has("same nonce") else self.random.randbytes(16)
        id = "somebody" if self.has("another id") else "r0"
        self.hello = pack(1, id, self.boot, (1,), nonce, "sim", 65_536)
        self._send_raw(m.Hello.TYPE, self._ref(), self.hello)
        self.state = "greeted"

    def _prove(self) -> None:
        key = bytes(32) if self.has("another key") else KEY
        challenge = self.challenge
        self.mac = hmac.digest(KEY, b"liftgate-1 engine" + self.hello + challenge, hashlib.sha256)
        self._send(
            m.Auth.TYPE,
            self._ref(),
            hmac.digest(key, b"liftgate-1 client" + self.hello + challenge, "sha256"),
        )
        self.state = "proven"

    def _beat(self, now: float) -> None:
        quiet = now - self.heard
        if not self.pinged and quiet >= self.heartbeat_s and not self.has("asks nobody"):
            self.pinged = True
            self._send(m.Ping.TYPE, 0)
        if quiet >= 2 * self.heartbeat_s and not self.has("stays with the silent"):
            raise Ended

    def _tell(self, now: float) -> None:
        """Live events first, as many as may be in flight; then the backlog."""
        most = 99 if self.has("floods") else self.in_flight_max
        hold_live = self.has("backlog first") and self.backlog
        for no, (kind, body) in list(self.pending.items()):
            if no not in self.asked.values() and len(self.asked) < most and not hold_live:
                ref = self._ref()
                self.asked[ref] = no
                self.sent_at = now
                self._send(kind, ref, *body)
        if self.has("impatient") and self.asked and now - self.sent_at > 1:
            no = self.asked.popitem()[1]
            kind, body = self.pending.pop(no)
            self._happened(kind, body[1:])
        if self.backlog and not self.replay_ref and now >= self.pause_until and len(self.asked) < most:
            self._replay()

    def _replay(self) -> None:
        entries: list[tuple[int, int, list[Any]]] = []
        for _, entry in sorted(self.backlog.items()):
            if len(pack([*entries, entry])) > self.frame_bytes_max - 4 and not self.has("any frame size"):
                break
            entries.append(entry)
        self.replay_ref = self._ref()
        self._send(m.Replay.TYPE, self.replay_ref, entries)
        if self.has("forgets its backlog"):
            self.backlog.clear()

    # -- what comes

    def _take(self, data: bytes) -> None:
        if self.has("whole frames only") and len(data) < 16:
            return
        if self.has("no crc"):
            data = self._with_crc(data)
        self.splitter.feed(data)
        try:
            while self.end is not None and (got := self.splitter.next_frame()) is not None:
                self._act_on(got)
                if self.has("first frame only"):
                    self.splitter = Splitter()
        except BadFrame as bad:
            self._violated(bad.code)

    def _with_crc(self, data: bytes) -> bytes:
        """The frame at the beginning with the CRC it should have."""
        size = int.from_bytes(data[4:8], "little")
        if data[:2] != b"LG" or len(data) < 16 + size:
            return data
        ref = int.from_bytes(data[8:12], "little")
        return frame_of(data[3], ref, data[16 : 16 + size], version=data[2]) + data[16 + size :]

    def _violated(self, code: int) -> None:
        if code == 7:
            if self.has("ends at the unknown"):
                raise Ended
            self._send(m.Error.TYPE, 0, 7, "unknown type", False)
            # The kit's splitter let go of the frame already; what follows it is still to be read.
            self._take(b"")
            return
        if not self.has("leaves without a word"):
            said = 6 if self.has("one code for all") else code
            self._send(m.Error.TYPE, 0, said, "no", True)
        raise Ended

    def _act_on(self, got: Frame) -> None:
        kind, ref, body, raw = got
        if kind == m.Challenge.TYPE:
            known = pack(*body[:3]) if self.has("known fields only") else raw
            self.challenge, self.state = known, "challenged"
            if not self.has("signs on slowly"):
                self._prove()
        elif kind == m.Welcome.TYPE:
            self._welcomed(body)
        elif kind in ORDERS:
            self._obey(kind, ref, body)
        elif kind == m.Ping.TYPE:
            if self.has("bad pong"):
                assert self.end is not None
                self.end.send(frame_of(m.Pong.TYPE, 0, pack(), crc=1))
            elif not self.has("no pong"):
                self._send(m.Pong.TYPE, 0)
        elif kind in (m.Decision.TYPE, m.Ack.TYPE):
            self._answered(ref, body[0])
        elif kind == m.Replayed.TYPE:
            self.replay_ref = 0
            self._forget(body[0], body[1])
            pause_ms = 0 if self.has("does not pause") else body[4]
            self.pause_until = self.step_now + pause_ms / 1000
        elif kind == m.Goodbye.TYPE and not self.has("stays after goodbye"):
            raise Ended
        elif kind == m.Error.TYPE:
            self._told_error(ref, body)

    def _welcomed(self, body: list[Any]) -> None:
        if body[0] != self.mac and not self.has("believes anybody"):
            raise Ended
        assert self.door is not None
        self.state = "online"
        self.sign_ons += 1
        _, done_to, gaps, self.in_flight_max, self.frame_bytes_max, self.heartbeat_s, at_ms = body[:7]
        jumped = abs(at_ms - self.door.unix_ms() - self.offset_ms) > 1000
        self.offset_ms = at_ms - self.door.unix_ms()
        if jumped and self.has("numbers by the clock"):
            self.no = 0
        self.splitter.body_bytes_max = self.frame_bytes_max
        if not self.has("ignores what is durable"):
            self._forget(done_to, gaps)

    def _forget(self, done_to: int, gaps: list[list[int]]) -> None:
        for no in [*self.pending, *self.backlog]:
            if no <= done_to or any(low <= no <= high for low, high in gaps):
                if no in self.backlog or self.pending[no][0] != m.Scan.TYPE:
                    self.pending.pop(no, None)
                    self.backlog.pop(no, None)

    def _obey(self, kind: int, ref: int, body: list[Any]) -> None:
        if self.state != "online" and not self.has("obeys anybody"):
            self._send(m.Error.TYPE, ref, 9, "not now", True)
            raise Ended
        if self.has("counts fields") and len(body) > LENGTHS[kind]:
            self._violated(6)
        if self.has(f"no done for {kind:#x}"):
            return
        there = kind == m.Policy.TYPE or body[0] == LANE or self.has("has every lane")
        if kind == m.Policy.TYPE:
            self.policy = body[2]
        self._send(m.Done.TYPE, ref, there, "" if there else "no such lane")

    def _answered(self, ref: int, no: int) -> None:
        if not self.has("sends for ever"):
            self.asked.pop(ref, None)
            self.pending.pop(no, None)

    def _told_error(self, ref: int, body: list[Any]) -> None:
        if body[2] and not self.has("stays after error"):
            raise Ended
        if ref in self.asked:
            no = self.asked.pop(ref)
            if self.has("drops what got 12"):
                self.pending.pop(no, None)

    # -- what goes

    def _ref(self) -> int:
        self.refs += 1
        return self.refs

    def _send(self, kind: int, ref: int, *fields: Any) -> None:
        raw = pack(*fields)
        if self.has("long numbers") and kind == m.Scan.TYPE:
            raw = b"\x95\xcf" + fields[0].to_bytes(8, "big") + pack(*fields[1:])[1:]
        self._send_raw(kind, ref, raw)

    def _send_raw(self, kind: int, ref: int, raw: bytes) -> None:
        assert self.end is not None
        self.end.send(frame_of(kind, ref, raw))
