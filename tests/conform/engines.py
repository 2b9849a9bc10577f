"""The real gateway behind the kit's port, in virtual time, with faults planted between the two.

A fault looks at every frame that the engine sends (`down`), and at what the kit sends (`up`): what a faulty
engine would have said instead is sent on. `open_for_ever`: connections that the engine ends stay open.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.conform.port import Ended
from liftgate.conform.wire import Frame, Splitter, frame
from liftgate.gateways.link import Link
from tests.gateways.network import World, make_config

STEP_S = 0.25


class Memory(dict[Any, Any]):
    """What a fault remembers over the whole run."""


class Fault:
    """No fault at all."""

    open_for_ever = False

    def __init__(self) -> None:
        self.memory = Memory()

    def down(self, peer: "RawPeer", sent: Frame) -> list[Frame]:
        """What the kit gets in place of this frame."""
        return [sent]

    def up(self, peer: "RawPeer", data: bytes) -> bytes:
        """What the engine gets in place of these bytes."""
        return data


def said(kind: int, ref: int, *fields: Any) -> Frame:
    """A frame of these fields."""
    return Frame(kind, ref, list(fields), msgspec.msgpack.encode(fields))


class RawPeer:
    """The kit's end of one link of the gateway."""

    def __init__(self, line: "VirtualLine", link: Link) -> None:
        self.line = line
        self.link = link
        self.inbox = b""
        self.ended = False
        self.room: int | None = None
        self.said: dict[str, Any] = {}
        self._splitter = Splitter()
        self._splitter.body_bytes_max = 1 << 20

    # -- for the gateway's World

    def receive(self, data: bytes) -> None:
        """Pass on what the engine sent, as its faults would have it."""
        self._splitter.feed(data)
        while (sent := self._splitter.next_frame()) is not None:
            self.say(*self.line.fault.down(self, sent))

    def say(self, *frames: Frame) -> None:
        """Have the kit get these."""
        for kind, ref, body, raw in frames:
            self.inbox += raw if kind < 0 else frame(kind, ref, *body)

    # -- for the kit

    def send(self, data: bytes) -> None:
        """See the port."""
        if self.ended and not self.line.fault.open_for_ever:
            raise Ended
        data = self.line.fault.up(self, data)
        if data and not self.ended:
            self.line.world.round((self, data))  # type: ignore[arg-type]

    def receive_wait(self, wait_s: float) -> bytes:
        """The port's receive."""
        until = self.line.now_s() + wait_s
        while not self.inbox:
            left_s = until - self.line.now_s()
            if self.ended and not self.line.fault.open_for_ever:
                raise Ended("it closed the connection")
            if left_s <= 0.0005:
                return b""
            self.line.wait(min(STEP_S, left_s))
        data, self.inbox = self.inbox, b""
        return data

    def close(self) -> None:
        """See the port."""
        if not self.ended:
            self.line.world.round((self, b""))  # type: ignore[arg-type]


class _KitEnd:
    """The port's Link for a RawPeer, whose own `receive` is the gateway's."""

    def __init__(self, peer: RawPeer) -> None:
        self.send, self.receive, self.close = peer.send, peer.receive_wait, peer.close


class VirtualLine:
    """The way to a gateway in virtual time."""

    def __init__(self, fault: Fault | None = None, **engine: Any) -> None:
        self.fault = fault or Fault()
        self.world = World(make_config(5000, heartbeat_s=2, **engine))
        self.peers: list[RawPeer] = []

    def dial(self) -> _KitEnd:
        """See the port."""
        link = self.world.gateway.connect("kit")
        assert link is not None
        link.handle = 1
        peer = RawPeer(self, link)
        self.world.peers[link] = peer  # type: ignore[assignment]
        self.peers.append(peer)
        return _KitEnd(peer)

    def now_s(self) -> float:
        """See the port."""
        return self.world.now_ms / 1000

    def unix_ms(self) -> int:
        """See the port."""
        return self.world.now_ms

    def wait(self, seconds: float) -> None:
        """See the port."""
        self.world.wait(max(0.001, seconds), step_s=STEP_S)


Down = Callable[[RawPeer, Frame], list[Frame] | None]


def alters(change: Down, *, open_for_ever: bool = False) -> type[Fault]:
    """A fault that says something else: `change` returns None for what it leaves alone."""

    class Altered(Fault):
        def down(self, peer: RawPeer, sent: Frame) -> list[Frame]:
            changed = change(peer, sent)
            return [sent] if changed is None else changed

    Altered.open_for_ever = open_for_ever
    return Altered


def never_says(kind: int, code: int = 0, *, open_for_ever: bool = False) -> type[Fault]:
    """A fault that keeps a type of message to itself; of ERROR, the one of that code."""

    def change(_peer: RawPeer, sent: Frame) -> list[Frame] | None:
        return [] if sent.kind == kind and (not code or sent.body[0] == code) else None

    return alters(change, open_for_ever=open_for_ever)


def miscodes(code: int, other: int) -> type[Fault]:
    """A fault that says another code in ERROR."""

    def change(_peer: RawPeer, sent: Frame) -> list[Frame] | None:
        wrong = sent.kind == m.Error.TYPE and sent.body[0] == code
        return [said(sent.kind, sent.ref, other, *sent.body[1:])] if wrong else None

    return alters(change)


def with_field(kind: int, at: int, value: Any) -> type[Fault]:
    """A fault that always says one field of a message so."""

    def change(_peer: RawPeer, sent: Frame) -> list[Frame] | None:
        if sent.kind != kind:
            return None
        body = list(sent.body)
        body[at] = value(body) if callable(value) else value
        return [said(kind, sent.ref, *body)]

    return alters(change)
