"""A simulated service: its commands go out under ids of their own until each has an outcome."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.sim.world.devices.session import Astonished, Caller, Session

if TYPE_CHECKING:
    from liftgate.sim.world.shape import ServiceShape
    from liftgate.sim.world.world import World

DONE_MAX = 200
"""Commands with an outcome that may be sent again: an engine keeps outcomes longer than a relay its mind."""


class ServiceDevice(Caller):
    """A desk, a scheduler, a relay: COMMANDs and QUERYs about lots."""

    __slots__ = ("_done", "_waiting")

    def __init__(self, world: World, spec: ServiceShape) -> None:
        super().__init__(world, spec.id, spec.key)
        self._waiting: dict[bytes, m.CommandMessage] = {}
        self._done: deque[m.CommandMessage] = deque(maxlen=DONE_MAX)

    def idle(self) -> bool:
        """Whether every command has its outcome."""
        return self.session is not None and not self._waiting

    def order(self, id: bytes, lot: str, name: str, args: dict[str, Any]) -> None:
        """Send a command until there is an outcome."""
        self.world.auditor.command(self.id, id, lot, name, args)
        self._waiting[id] = m.CommandMessage(id, lot, name, args)
        self.pump()

    def order_again(self, count: int) -> None:
        """Send the last few again as if their outcomes had been lost."""
        for message in list(self._done)[-count:]:
            self._waiting[message.id] = message
        self.pump()

    def query(self, lot: str, name: str, args: dict[str, Any]) -> None:
        """Ask once; an answer that is lost is not missed."""
        session = self.session
        if session is not None and self._room(session) > 0:
            self.world.auditor.asked(self.id, lot, name, args)
            session.ask(m.Query(lot, name, args), m.Query(lot, name, args))

    def _room(self, session: Session) -> int:
        assert session.welcome is not None
        return session.welcome.in_flight_max - len(session.asked)

    def pump(self) -> None:
        session = self.session
        if session is None or session.over or self.held():
            return
        under_way = {what.id for what in session.asked.values() if isinstance(what, m.CommandMessage)}
        waiting = [message for id, message in self._waiting.items() if id not in under_way]
        for message in waiting[: max(0, self._room(session))]:
            session.ask(message, message)

    def on_welcome(self, session: Session) -> None:
        self.pump()

    def take(self, session: Session, ref: int, message: m.Message) -> None:
        what = session.asked.pop(ref, None)
        if isinstance(message, m.Outcome) and isinstance(what, m.CommandMessage) and what.id == message.id:
            self.world.auditor.outcome(
                self.id, message.id, message.ok, message.code, message.body, message.position
            )
            if self._waiting.pop(message.id, None) is not None:
                self._done.append(what)
        elif isinstance(message, m.Answer) and isinstance(what, m.Query):
            self.world.auditor.answer(
                self.id, what.lot, what.name, what.args, message.ok, message.code, message.body
            )
        elif isinstance(message, m.Error):
            self.expect(message)
            if message.code == Fault.UNAVAILABLE:
                self.hold()
        elif not isinstance(message, m.Goodbye):
            raise Astonished(f"{self.id}: {message} is no answer to {what}")
        self.pump()
