"""POLICY: what readers may decide alone, sent after WELCOME and whenever it changes, at a bounded pace.

A change of one lot concerns all its readers at once, and a storm of sign-ons all readers of all lots. What
they are to be told is made once for all that are alike, one such body a tick; it goes out in what a tick has
room for, and has no hurry: as long as a reader is connected it is the engine that decides.
"""

import hashlib
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from liftgate.codecs import messages as m
from liftgate.engine.core.commands import MakeFinding
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.offline import OfflinePart, cards_of, policy_of

if TYPE_CHECKING:
    from liftgate.gateways.gateway import Gateway
    from liftgate.gateways.link import Link

log = structlog.get_logger()

SENDS_PER_TICK = 64
BYTES_PER_TICK = 256 * 1024
"""With four ticks a second 256 readers or 1 MiB a second: 5,000 readers of one lot, told of 10 KB each, have
it within a minute, and no round is longer by more than the packing of a quarter of a megabyte."""

LOOKS_PER_TICK = 512
"""Of those who wait some can be told nothing yet; the others have their turn with the next ticks."""

SETTLE_MS = 5_000
"""A lot's readers are told of its changes together: one order after another makes one POLICY of them."""

REFRESH_MS = 3_600_000
"""How often it is looked whether time changed anything: a pass that is good from today on."""

ANSWER_MS = 30_000
"""How long DONE may take (a reader may have to erase flash first); the next POLICY then goes without it."""

ROWS_MAX = 200
"""Readers in one answer to QUERY policies, some 200 bytes each, so that it fits a frame."""

TEXT_MAX = 200


class Body(msgspec.Struct, frozen=True):
    """What readers that are alike are sent. version: tells it from others, for people."""

    version: str
    bytes: bytes


class Told(msgspec.Struct):
    """What a reader was sent last. taken: by its DONE, None until that comes; text: what it said; ref: of the
    POLICY; steady_ms: when it went out, at_ms the same by the engine's clock.
    """

    version: str
    ref: int
    at_ms: int
    steady_ms: int
    taken: bool | None = None
    text: str = ""


class Policies:
    """All that is sent of POLICY. waiting: readers by id, first come first served; told: by reader's id;
    changed: lots, and when their readers are to be told; bodies: by lot, cards and room.
    """

    def __init__(self, gateway: "Gateway") -> None:
        self.gateway = gateway
        self.waiting: dict[str, None] = {}
        self.told: dict[str, Told] = {}
        self.changed: dict[Lot, int] = {}
        self.bodies: dict[tuple[str, str, int], Body] = {}
        self._sends = SENDS_PER_TICK
        self._bytes = BYTES_PER_TICK
        self._made = False
        self._refresh_ms = -1
        self._refused: dict[str, str] = {}
        self._cut: dict[str, None] = {}

    def signed_on(self, link: "Link") -> None:
        """A reader is there: what it holds may be old, or lost."""
        if _wanted(link.lot):
            self.told.pop(link.id, None)
            self.waiting[link.id] = None
            self._send_waiting()

    def order_done(self, lot: Lot) -> None:
        """An order may have changed what the lot's readers may do."""
        if lot not in self.changed and _wanted(lot):
            self.changed[lot] = self.gateway.steady_ms + SETTLE_MS

    def tick(self) -> None:
        """Some times a second: send what may go now."""
        now_ms = self.gateway.steady_ms
        self._sends, self._bytes, self._made = SENDS_PER_TICK, BYTES_PER_TICK, False
        if now_ms - self._refresh_ms >= REFRESH_MS or self._refresh_ms < 0:
            self._refresh_ms = now_ms
            for lot in filter(_wanted, self.gateway.engine.lots.values()):
                self.changed.setdefault(lot, now_ms)
        for lot in [lot for lot, due_ms in self.changed.items() if due_ms <= now_ms]:
            del self.changed[lot]
            self.bodies = {key: body for key, body in self.bodies.items() if key[0] != lot.id}
            self.waiting |= {id: None for id, link in self.gateway.readers.items() if link.lot is lot}
        self._send_waiting()

    def due_ms(self) -> int:
        """When a tick may have something to do, by the clock that never jumps."""
        if self.waiting:
            return self.gateway.steady_ms
        return min([self._refresh_ms + REFRESH_MS, *self.changed.values()])

    def busy(self) -> bool:
        """Whether somebody is still to be told something."""
        return bool(self.waiting or self.changed)

    def _send_waiting(self) -> None:
        for id in list(islice(self.waiting, LOOKS_PER_TICK)):
            if self._sends <= 0 or self._bytes <= 0:
                return
            del self.waiting[id]
            link = self.gateway.readers.get(id)
            if link is not None and not link.closing and not self._send(link):
                self.waiting[id] = None

    def _send(self, link: "Link") -> bool:
        """Send the reader its POLICY, if it has another one; False: not now."""
        told, now_ms = self.told.get(link.id), self.gateway.steady_ms
        unanswered = told is not None and told.taken is None and now_ms - told.steady_ms < ANSWER_MS
        if link.backlog or unanswered:
            return False
        body = self._body(link)
        if body is None:
            return False
        if told is None or told.version != body.version:
            ref = self.gateway.next_ref()
            self.told[link.id] = Told(body.version, ref, self.gateway.now_ms, now_ms)
            self.gateway.send_packed(link, m.Policy.TYPE, body.bytes, ref)
            self._sends -= 1
            self._bytes -= len(body.bytes)
        return True

    def _body(self, link: "Link") -> Body | None:
        """What the reader is to be told; None where another one was made in this tick. A frame's size is cut
        to a power of two, so that few are made, whatever readers ask for.
        """
        lot, reader = link.lot, link.reader
        if reader is None:
            return None
        room = 1 << (link.frame_bytes_max.bit_length() - 1)
        cards = cards_of(lot, reader)
        key = (lot.id, cards, room)
        body = self.bodies.get(key)
        if body is None and not self._made:
            self._made = True
            body = self.bodies[key] = self._make(lot, cards, room)
        return body

    def _make(self, lot: Lot, cards: str, room: int) -> Body:
        made = policy_of(lot, cards, self.gateway.now_ms, room)
        data = m.encode(m.Policy(made.verify_keys, made.deny, made.offline))
        self._say_cut(lot, made.left_out, room)
        return Body(hashlib.sha256(data).hexdigest()[:12], data)

    def _say_cut(self, lot: Lot, left_out: tuple[int, int], room: int) -> None:
        """Nothing is left out in silence: a line in the log each time, a finding when it begins."""
        denied, known = left_out
        if not denied and not known:
            self._cut.pop(lot.id, None)
            return
        log.warning("gateway.policy_cut", lot=lot.id, bytes=room, denied=denied, known=known)
        if lot.id not in self._cut:
            self._cut[lot.id] = None
            text = f"POLICY has no room for {denied} denied and {known} known credentials"
            self._find(lot, "policy_cut", text, {"denied": denied, "known": known, "bytes": room})

    def done(self, link: "Link", message: m.Done, ref: int) -> None:
        """A reader's DONE; that of another request is nobody's business here."""
        told = self.told.get(link.id)
        if told is None or told.ref != ref or told.taken is not None:
            return
        told.taken, told.text = message.ok, message.text[:TEXT_MAX]
        if message.ok:
            self._refused.pop(link.id, None)
            return
        log.warning("gateway.policy_refused", id=link.id, version=told.version, text=told.text)
        if self._refused.get(link.id) != told.version:
            self._refused[link.id] = told.version
            about = {"reader": link.id, "version": told.version, "text": told.text}
            text = f"reader {link.id} did not take its POLICY: {told.text or 'it says no more'}"
            self._find(link.lot, "policy_refused", text, about)

    def _find(self, lot: Lot, kind: str, text: str, about: dict[str, Any]) -> None:
        engine = self.gateway.engine
        if engine.accepting and not self.gateway.stopping:
            engine.do(lot, MakeFinding(engine.now_ms, kind, text, about))

    # -- for people

    def view(self, lot: Lot, reader: str | None) -> dict[str, Any]:
        """Answer to QUERY policies: which of the lot's readers has which POLICY, and what it did alone."""
        ids = [id for id in lot.readers if reader in (None, id) and lot.readers[id].lanes]
        rows = [self._row(lot, id) for id in ids[:ROWS_MAX]]
        return {"readers": rows, "left_out": len(ids) - len(rows)}

    def _row(self, lot: Lot, id: str) -> dict[str, Any]:
        told, part = self.told.get(id), lot.parts[OfflinePart.THEME]
        row: dict[str, Any] = {"reader": id, "connected": id in self.gateway.readers, "state": self.state(id)}
        if told is not None:
            row |= {"version": told.version, "sent_ms": told.at_ms, "text": told.text}
        if id in part.periods:
            row |= dict(zip(("alone_since_ms", "entries"), part.periods[id], strict=True))
        return row

    def state(self, id: str) -> str:
        """ "taken", "refused", "sent" (no DONE yet), "waiting" or "none"."""
        told = self.told.get(id)
        if id in self.waiting:
            return "waiting"
        return "none" if told is None else {True: "taken", False: "refused", None: "sent"}[told.taken]

    def counts(self) -> dict[str, int]:
        """How many readers are in which state, of those that were told or wait."""
        found: dict[str, int] = {}
        for id in {**self.told, **self.waiting}:
            found[self.state(id)] = found.get(self.state(id), 0) + 1
        return found


def _wanted(lot: Lot) -> bool:
    """Whether its readers are told anything: where they were once allowed to decide alone, they are told also
    that they are no longer.
    """
    part = lot.parts.get(OfflinePart.THEME)
    return part is not None and part.ever
