"""The kit against engines: ours passes, and each planted fault is found by the requirement that names it."""

import struct
from typing import Any

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.signon import client_mac
from liftgate.conform.engines.played import PlayedReader, Settings
from liftgate.conform.engines.requirements import REQUIREMENTS
from liftgate.conform.engines.scenarios import SCENARIOS
from liftgate.conform.report import Report, Result, Verdict
from liftgate.conform.runner import run
from liftgate.conform.wire import HEADER_BYTES, Frame, frame, frame_of
from tests.conform.engines import (
    Fault,
    RawPeer,
    VirtualLine,
    alters,
    miscodes,
    never_says,
    said,
    with_field,
)
from tests.gateways.network import KEY

EVERYTHING = {requirement.id for requirement in REQUIREMENTS}


def judge(fault: Fault | None = None, wanted: set[str] = EVERYTHING) -> dict[str, Result]:
    """Results by id of the scenarios that judge what is wanted."""
    line = VirtualLine(fault)
    if isinstance(fault, Forgetful):
        line.world.gateway.nonces = lambda: bytes(16)
    report = Report(REQUIREMENTS)
    player = PlayedReader(line, report, Settings("r0", KEY), seed=1)
    run(SCENARIOS, player, wanted, lambda _: None)
    return {result.requirement.id: result for result in report.results()}


def fields_of(data: bytes) -> tuple[int, list[Any]]:
    """Type and body of the first frame in data; (0, []) where it is none."""
    if len(data) <= HEADER_BYTES or data[:2] != b"LG":
        return 0, []
    size = struct.unpack_from("<I", data, 4)[0]
    try:
        return data[3], msgspec.msgpack.decode(data[HEADER_BYTES : HEADER_BYTES + size])
    except msgspec.DecodeError:
        return 0, []


def refuse(peer: RawPeer, code: int) -> bytes:
    """Say ERROR and close: the engine gets nothing."""
    peer.say(said(m.Error.TYPE, 0, code, "no", True))
    peer.close()
    peer.ended = True
    return b""


class Forgetful(Fault):
    """Draws the same nonce each time."""


class LetsAnybodyIn(Fault):
    """Any proof will do: the mac of AUTH is put right."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, _ = fields_of(data)
        if kind != m.Auth.TYPE:
            return data
        conn = peer.link.conn
        return frame(m.Auth.TYPE, 2, client_mac(KEY, conn.hello, conn.challenge))


class LetsKnownKeysIn(LetsAnybodyIn):
    """Whoever says an id that nobody has is taken for r0."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, body = fields_of(data)
        if kind == m.Hello.TYPE and body[1] != "r0":
            return frame(kind, 1, body[0], "r0", *body[2:])
        return super().up(peer, data)


class SaysWhoIsKnown(Fault):
    """Says in words that an id is unknown."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, body = fields_of(data)
        peer.said["stranger"] = peer.said.get("stranger") or (kind == m.Hello.TYPE and body[1] != "r0")
        return data

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind == m.Error.TYPE and peer.said.get("stranger"):
            return [said(sent.kind, sent.ref, 8, "no such reader", True)]
        return [sent]


class LooksLong(SaysWhoIsKnown):
    """Takes 5 ms longer for ids that it does not know."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind == m.Error.TYPE and peer.said.get("stranger"):
            peer.line.world.now_ms += 5
        return [sent]


class PushedOffByName(Fault):
    """A HELLO alone ends the connection that there is."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        if fields_of(data)[0] == m.Hello.TYPE:
            for other in peer.line.peers:
                if other is not peer:
                    other.ended = True
        return data


class RefusesMoreFields(Fault):
    """Counts fields."""

    LENGTHS = {m.Hello.TYPE: 7, m.Auth.TYPE: 1, m.Scan.TYPE: 5, m.LaneStatus.TYPE: 6, m.Passage.TYPE: 5}

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, body = fields_of(data)
        return data if len(body) <= self.LENGTHS.get(kind, 99) else refuse(peer, 6)


class ReadsOn(Fault):
    """Skips a frame with a wrong CRC, acts on the next, and says ERROR at the end."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        bad = data.find(b"LG\x01\x2a\x01\0\0\0\0\0\0\0\0\0\0\0\x90")
        if bad < 0:
            return data
        peer.line.world.round((peer, data[:bad] + data[bad + HEADER_BYTES + 1 :]))  # type: ignore[arg-type]
        return refuse(peer, 4)


class ForgetsWhatItDid(Fault):
    """Drops the answers of a round that ends in ERROR."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        return [] if sent.kind == m.Ack.TYPE and sent.body[0] == 1 else [sent]


class SmallBuffer(Fault):
    """Takes no more than 1,000 bytes."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        return data if len(data) <= 1000 else refuse(peer, 3)


class WholeFramesOnly(Fault):
    """Takes each piece for a frame, and drops what is none."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        size = struct.unpack_from("<I", data, 4)[0] if len(data) >= HEADER_BYTES else 0
        return data if len(data) >= HEADER_BYTES + size else b""


class FirstFrameOnly(Fault):
    """Looks at the first frame of a piece only."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, _ = fields_of(data)
        size = struct.unpack_from("<I", data, 4)[0] if kind == m.Scan.TYPE else len(data)
        return data[: HEADER_BYTES + size]


class NotSmallest(Fault):
    """Writes every number in nine bytes."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind != m.Ack.TYPE:
            return [sent]
        raw = b"\x92" + b"".join(b"\xcf" + number.to_bytes(8, "big") for number in sent.body)
        return [Frame(-1, 0, [], frame_of(sent.kind, sent.ref, raw))]


class BadPong(Fault):
    """Computes no CRC for PONG."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind != m.Pong.TYPE:
            return [sent]
        return [Frame(-1, 0, [], b"LG\x01\x2b\x01\0\0\0\0\0\0\0\0\0\0\0\x90")]


class AnotherAnswer(Fault):
    """Decides a resend anew."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind != m.Decision.TYPE:
            return [sent]
        key = (peer.link.boot, sent.body[0])
        again = key in self.memory
        self.memory[key] = True
        return [said(sent.kind, sent.ref, sent.body[0], 2, 210, *sent.body[3:])] if again else [sent]


class RightClocksOnly(Fault):
    """Refuses a scan whose time is off."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, body = fields_of(data)
        off = kind == m.Scan.TYPE and peer.line.unix_ms() - body[1] > 60_000
        return refuse(peer, 6) if off else data


class BacklogFirst(Fault):
    """Lets live scans wait for the backlog."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, _ = fields_of(data)
        peer.said["replay"] = peer.said.get("replay") or kind == m.Replay.TYPE
        return data

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind == m.Decision.TYPE and peer.said.get("replay"):
            peer.line.world.now_ms += 3000
        return [sent]


class ActsAfterGoodbye(Fault):
    """Goes on after GOODBYE."""

    def up(self, peer: RawPeer, data: bytes) -> bytes:
        kind, _ = fields_of(data)
        size = struct.unpack_from("<I", data, 4)[0] if kind == m.Goodbye.TYPE else 0
        return data[HEADER_BYTES + size :] + data[: HEADER_BYTES + size] if size else data


def opens_long_after(peer: RawPeer, sent: Frame) -> list[Frame] | None:
    """Says open to what it no longer knows."""
    if sent.kind == m.Decision.TYPE and sent.body[2] == 205:
        return [said(sent.kind, sent.ref, sent.body[0], 1, 0, *sent.body[3:])]
    return None


def vends_history(peer: RawPeer, sent: Frame) -> list[Frame] | None:
    """Raises the barrier for what a reader replays."""
    return [said(m.Vend.TYPE, 9, 0, "replay"), sent] if sent.kind == m.Replayed.TYPE else None


def answers_readers(peer: RawPeer, sent: Frame) -> list[Frame] | None:
    """Lets a reader ask what services may."""
    wrong = sent.kind == m.Error.TYPE and sent.body[0] == 9
    return [said(m.Answer.TYPE, sent.ref, True, "", {})] if wrong else None


def fatal_unknown(peer: RawPeer, sent: Frame) -> list[Frame] | None:
    """Ends at a type that it does not know."""
    if sent.kind == m.Error.TYPE and sent.body[0] == 7:
        peer.ended = True
        return [said(sent.kind, sent.ref, 7, "what?", True)]
    return None


class Rising(Fault):
    """Records a REPLAY each time it comes."""

    def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
        if sent.kind != m.Replayed.TYPE:
            return [sent]
        self.memory["times"] = self.memory.get("times", 0) + 1
        done_to, gaps, findings, position, pause_ms = sent.body
        return [
            said(sent.kind, sent.ref, done_to, gaps, findings, position + 3 * self.memory["times"], pause_ms)
        ]


STAYS = alters(lambda peer, sent: None, open_for_ever=True)

PLANTED: list[tuple[str, type[Fault]]] = [
    ("E-SIGN-1", Forgetful),
    ("E-SIGN-2", with_field(m.Welcome.TYPE, 0, bytes(32))),
    ("E-SIGN-3", LetsAnybodyIn),
    ("E-SIGN-4", LetsKnownKeysIn),
    ("E-SIGN-5", SaysWhoIsKnown),
    ("E-SIGN-5", LooksLong),
    ("E-SIGN-6", STAYS),
    ("E-SIGN-7", RefusesMoreFields),
    ("E-SIGN-8", never_says(m.Goodbye.TYPE)),
    ("E-SIGN-9", PushedOffByName),
    ("E-SIGN-10", miscodes(9, 8)),
    ("E-SIGN-11", miscodes(2, 8)),
    ("E-FRAME-1", BadPong),
    ("E-FRAME-2", NotSmallest),
    ("E-FRAME-3", miscodes(1, 4)),
    ("E-FRAME-3", STAYS),
    ("E-FRAME-4", miscodes(4, 5)),
    ("E-FRAME-5", miscodes(5, 6)),
    ("E-FRAME-6", miscodes(6, 5)),
    ("E-FRAME-7", alters(fatal_unknown)),
    ("E-FRAME-8", ReadsOn),
    ("E-FRAME-9", ForgetsWhatItDid),
    ("E-FRAME-10", SmallBuffer),
    ("E-FRAME-11", never_says(m.Error.TYPE, 3)),
    ("E-FRAME-12", WholeFramesOnly),
    ("E-FRAME-13", FirstFrameOnly),
    ("E-FRAME-14", RefusesMoreFields),
    ("E-EVENT-1", with_field(m.Decision.TYPE, 7, 0)),
    ("E-EVENT-2", AnotherAnswer),
    ("E-EVENT-3", AnotherAnswer),
    ("E-EVENT-4", alters(opens_long_after)),
    ("E-EVENT-5", with_field(m.Ack.TYPE, 0, 1 << 40)),
    ("E-EVENT-6", with_field(m.Welcome.TYPE, 2, [])),
    ("E-EVENT-7", with_field(m.Welcome.TYPE, 1, lambda body: 7 if body[1] == 0 and not body[2] else body[1])),
    ("E-EVENT-8", never_says(m.Error.TYPE, 10, open_for_ever=True)),
    ("E-EVENT-9", miscodes(13, 6)),
    ("E-EVENT-10", RightClocksOnly),
    ("E-EVENT-11", with_field(m.Welcome.TYPE, 2, lambda body: body[2][:3])),
    ("E-ROLE-1", alters(answers_readers)),
    ("E-ROLE-2", alters(answers_readers)),
    ("E-REPLAY-1", alters(vends_history)),
    ("E-REPLAY-2", alters(opens_long_after)),
    ("E-REPLAY-3", Rising),
    ("E-REPLAY-4", BacklogFirst),
    ("E-REPLAY-5", miscodes(6, 5)),
    ("E-BEAT-1", never_says(m.Pong.TYPE)),
    ("E-BEAT-2", never_says(m.Ping.TYPE)),
    ("E-BEAT-3", STAYS),
    ("E-TIME-1", with_field(m.Time.TYPE, 0, 1)),
    ("E-END-1", ActsAfterGoodbye),
    ("E-END-1", STAYS),
]


def test_our_engine_conforms() -> None:
    """Every requirement is seen and holds on the real gateway."""
    wrong = [result for result in judge().values() if result.verdict is not Verdict.PASS]
    assert wrong == []


@pytest.mark.parametrize(
    ("id", "fault"), [pytest.param(*each, id=f"{each[0]}-{each[1].__name__}") for each in PLANTED]
)
def test_a_planted_fault_is_found(id: str, fault: type[Fault]) -> None:
    """The requirement that names the fault fails, and says what was seen."""
    found = judge(fault(), {id})[id]
    assert found.verdict is Verdict.FAIL, found.seen
    assert found.seen


def test_every_requirement_can_fail() -> None:
    """There is a planted fault for each of them."""
    assert {id for id, _ in PLANTED} == EVERYTHING
