"""One simulated reader: its lanes, its log, and what its firmware does in good times and bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import astuple

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.sim.world.devices.alone import Alone
from liftgate.sim.world.devices.habits import EPOCH_MS, DeviceClock, draw_habits
from liftgate.sim.world.devices.lanes import CLOSED, CLOSED_TO_ALL, HELD_OPEN, LaneEnd
from liftgate.sim.world.devices.log import NOTHING, Answer, Entry, Event, EventLog, Then
from liftgate.sim.world.devices.outbox import Outbox
from liftgate.sim.world.devices.session import Astonished, Caller, Session

if TYPE_CHECKING:
    from liftgate.sim.world.shape import ReaderShape
    from liftgate.sim.world.world import World

BARRIER_UP = 1
BACKED_OUT = 2


class ReaderDevice(Caller):
    """A reader with its lanes. Everything it does is told to the world's auditor."""

    __slots__ = ("_outbox", "alone", "clock", "habits", "lanes", "log")

    ROLE = m.READER

    def __init__(self, world: World, spec: ReaderShape) -> None:
        super().__init__(world, spec.id, spec.key, spec.retries_s)
        self.habits = draw_habits(self._rng, spec.lasting, spec.alone_opens)
        self.clock = DeviceClock(world.loop, self.habits.ppm)
        self.lanes = {lane.number: LaneEnd(lane) for lane in spec.lanes}
        self.alone = Alone()
        self._new_log()

    def boot(self) -> int:
        return self.log.boot

    def pump(self) -> None:
        self._outbox.pump()

    def idle(self) -> bool:
        """Whether the engine has all that happened here."""
        return self.session is not None and not self.log.live and not self.log.backlog

    # -- what happens at its lanes

    def scan(self, lane: int, kind: int, token: bytes, then: Then) -> None:
        """Read a credential; `then` is called once, with what the driver sees: also when that is nothing."""
        end = self.lanes.get(lane)
        if end is None or not self.powered or self.log.full():
            then(NOTHING)
        elif self._alone():
            self._scan_alone(end, kind, token, then)
        else:
            event = m.Scan(self.log.number(), self.clock.now_ms(), lane, kind, token)
            entry = self._keep(Entry(event, then=then))
            self.world.loop.after(self.habits.patience_ms, lambda: self._give_up(entry))

    def _scan_alone(self, end: LaneEnd, kind: int, token: bytes, then: Then) -> None:
        """Open by the POLICY there is, else by a simple rule, or don't, and keep that for the next REPLAY."""
        verdict = m.OPEN if self._opens_alone(end, kind, token) else m.REFUSE
        event = m.Scan(self.log.number(), self.clock.now_ms(), end.number, kind, token)
        self._keep(Entry(event, alone=True, verdict=verdict))
        if verdict == m.OPEN:
            end.session, end.opened_alone = None, True
            self._raise(end, "alone", event.no)
        then(Answer(verdict == m.OPEN, verdict))

    def _opens_alone(self, end: LaneEnd, kind: int, token: bytes) -> bool:
        if end.mode == CLOSED_TO_ALL or (end.mode == CLOSED and end.direction != "exit"):
            return False
        policy = self.alone.policy
        if policy is None:
            return self.habits.opens_alone
        return self.alone.opens(policy, end.direction, kind, token, self.world.loop.now_ms)

    def passage(self, lane: int, what: int, late_ms: int = 0) -> None:
        """The lane sees what a car does; late_ms: how long its sensor takes to say so."""
        end = self.lanes.get(lane)
        if end is None or not self.powered:
            return
        session, end.session = (end.session if what <= BACKED_OUT else None), None
        behind = end.opened_alone and self.habits.orderly
        end.opened_alone = False
        if not self.habits.names_session:
            session = None
        at_ms = self.clock.now_ms()
        if late_ms:
            self.world.loop.after(late_ms, lambda: self._passed(lane, what, session, at_ms, behind))
        else:
            self._passed(lane, what, session, at_ms, behind)

    def _passed(self, lane: int, what: int, session: bytes | None, at_ms: int, behind: bool) -> None:
        """behind: the scan of this car is history, and so is its passage."""
        if lane in self.lanes and self.powered and not self.log.full():
            event = m.Passage(self.log.number(), at_ms, lane, what, session)
            self._keep(Entry(event, self._alone() or behind))

    def status(self, lane: int, barrier: int, loop: bool = False, faults: tuple[str, ...] = ()) -> None:
        """The lane's barrier, loop and faults changed."""
        if lane in self.lanes and self.powered and not self.log.full():
            event = m.LaneStatus(self.log.number(), self.clock.now_ms(), lane, barrier, loop, faults)
            self._keep(Entry(event, self._alone()))

    def _alone(self) -> bool:
        return self.session is None or self.held()

    def _keep(self, entry: Entry) -> Entry:
        event: Event = entry.event
        fields = list(astuple(event)[1:])
        self.world.auditor.event_made(
            self.id, self.log.boot, event.no, event.TYPE, fields, entry.alone, entry.verdict
        )
        self.log.add(entry)
        self.pump()
        return entry

    def _give_up(self, entry: Entry) -> None:
        """The driver is told that nothing comes. The event stays in the log."""
        if entry.then is not None:
            entry.show(NOTHING)
            session = self.session
            if self.habits.impatient and session is not None and entry.over is session:
                session.drop()

    def _raise(self, end: LaneEnd, why: str, no: int = 0) -> None:
        self.world.auditor.barrier(self.id, end.number, why, no)
        if self.habits.chatty:
            self.status(end.number, BARRIER_UP, loop=True)

    # -- what the engine says

    def on_welcome(self, session: Session) -> None:
        welcome = session.welcome
        assert welcome is not None
        self.world.auditor.welcomed(self.id, self.log.boot, welcome.done_to, welcome.gaps)
        self.alone.connected(self.world.loop.now_ms)
        if self.habits.syncs:
            self.clock.set(welcome.at_ms)
            session.ask(m.TimeAsk(self.clock.now_ms()), None)
        self._outbox.welcomed(session)

    def take(self, session: Session, ref: int, message: m.Message) -> None:
        if isinstance(message, m.Vend | m.SetLane | m.Display):
            self._obey(session, ref, message)
        elif isinstance(message, m.Policy):
            self._be_told(session, ref, message)
        elif isinstance(message, m.Error):
            self._outbox.refused(message, session.asked.pop(ref, None))
        elif not isinstance(message, m.Goodbye):
            self._replied(session.asked.pop(ref), message)
            self.pump()

    def _replied(self, what: Entry | list[Entry] | None, message: m.Message) -> None:
        if isinstance(message, m.Time):
            self.clock.set((message.t1 + message.t2 + self.clock.now_ms() - message.t0) // 2)
        elif isinstance(message, m.Replayed) and isinstance(what, list):
            self.world.auditor.replayed(
                self.id, self.log.boot, message.done_to, message.gaps, message.findings, message.position
            )
            self._outbox.replayed(what, message)
        elif isinstance(message, m.Decision) and isinstance(what, Entry) and what.no == message.no:
            self._decided(what, message)
        elif isinstance(message, m.Ack) and isinstance(what, Entry) and what.no == message.no:
            self.world.auditor.ack(self.id, self.log.boot, message.no, message.position)
            self.log.answered(what)
        else:
            raise Astonished(f"{self.id}: {message} is no answer to {what}")

    def _decided(self, entry: Entry, decision: m.Decision) -> None:
        """Act on it if somebody still waits: a decision that comes late opens nothing."""
        self.world.auditor.decision(self.id, self.log.boot, entry.no, list(astuple(decision)[1:]))
        self.world.count("answered")
        self.log.answered(entry)
        end = self.lanes.get(entry.event.lane)
        if entry.then is None or end is None:
            return
        if decision.verdict == m.OPEN:
            end.session, end.opened_alone = decision.session, False
            self._raise(end, "decision", entry.no)
        entry.show(Answer(decision.verdict == m.OPEN, decision.verdict, decision.session))

    def _obey(self, session: Session, ref: int, message: m.Vend | m.SetLane | m.Display) -> None:
        end = self.lanes.get(message.lane)
        if isinstance(message, m.Vend) and end is not None:
            self._raise(end, "vend")
            end.raised()
        elif isinstance(message, m.SetLane) and end is not None:
            end.mode = message.mode
            self.world.auditor.lane_set(self.id, end.number, message.mode)
            if message.mode == HELD_OPEN:
                self._raise(end, "mode")
                end.raised()
        done = m.Done(end is not None, "" if end is not None else f"no lane {message.lane}")
        self.world.loop.after(self.habits.done_ms, lambda: session.tell(done, ref))

    def _be_told(self, session: Session, ref: int, policy: m.Policy) -> None:
        """Keep a POLICY, and say so. One over a connection that a newer one replaced is old."""
        if session is self.session:
            self.alone.policy = policy
            self.world.auditor.policy(self.id, policy.verify_keys, policy.deny, policy.offline)
        self.world.loop.after(self.habits.done_ms, lambda: session.tell(m.Done(True, ""), ref))

    def on_lost(self, session: Session) -> None:
        self.alone.connected(self.world.loop.now_ms)

    def told_in_vain(self, entry: Entry) -> None:
        """The engine will never take this event: its lane is not this reader's any more."""
        self.world.auditor.dropped(self.id, self.log.boot, entry.no, Fault.NO_SUCH_LANE)
        entry.show(NOTHING)

    # -- what happens to itself

    def power_cut(self, off_ms: int, close: bool = False) -> None:
        """Power fails for so long. What is not kept without power is lost."""
        if not self.powered:
            return
        self.switch_off(close)
        for entry in list(self.log.live.values()):
            entry.show(NOTHING)
        self.world.loop.after(off_ms, self._power_back)

    def calm(self) -> None:
        self._power_back()

    def _power_back(self) -> None:
        if self.powered:
            return
        if not self.habits.lasting:
            self.world.auditor.lost(self.id, self.log.boot)
            self.alone = Alone()
            self._new_log()
        if not self.habits.clock_chip:
            self.clock.set(EPOCH_MS)
        for end in self.lanes.values():
            end.forget()
            self.world.auditor.lane_set(self.id, end.number, end.mode)
        self.switch_on()

    def lose_log(self) -> None:
        """Begin a new numbering, without power or with it: what was not told yet is gone."""
        self.switch_off(close=True)
        for entry in list(self.log.live.values()):
            entry.show(NOTHING)
        self.world.auditor.lost(self.id, self.log.boot)
        self._new_log()
        self.switch_on()

    def _new_log(self) -> None:
        self.log = EventLog(self._rng.getrandbits(63) | 1)
        self._outbox = Outbox(self)

    def clock_jump(self, ms: int) -> None:
        """Somebody sets its clock wrong, or right."""
        self.clock.set(self.clock.now_ms() + ms)

    def send_again(self, count: int) -> None:
        """Forget that the last live events were answered."""
        self.log.remember(count)
        self.pump()

    def respec(self, spec: ReaderShape, replaced: bool) -> None:
        """Be what the configuration says now: another key, other lanes. replaced: by another box, too."""
        self.key = spec.key
        before = self.lanes
        self.lanes = {lane.number: before.get(lane.number) or LaneEnd(lane) for lane in spec.lanes}
        for lane in spec.lanes:
            self.lanes[lane.number].adopt(lane)
        if replaced:
            self.lose_log()
        elif self.session is not None:
            self.session.drop()
