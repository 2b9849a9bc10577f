"""The auditor: told by devices and node what happened, it reads the durable records and asks its chapters."""

from collections.abc import Callable
from typing import Any, Protocol

from liftgate.sim.world.audit.chapter import HOOKS, Chapter, Look, Made, Name
from liftgate.sim.world.audit.disk import Kept, Stable
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.finding import Finding
from liftgate.sim.world.audit.records import READER_EVENTS, Bad, Event, Record, plain
from liftgate.sim.world.audit.table import CHAPTERS
from liftgate.sim.world.audit.tickets import Truth

Chapters = tuple[type[Chapter], ...]


class Shaped(Protocol):
    """A world's shape; only the configuration that it makes is looked at."""

    def config(self) -> Any:
        """The configuration that the engine was started with."""


class Auditor:
    """Judges a world. findings: what was found, in order; kept: the durable journal; lots: facts by lot;
    made: every event that readers numbered, recorded: those of them that are durable, by their names; shown:
    what is true of the ticket or tag of the scan at hand;
    config: the configuration now in force; up_ms: since when there is an engine whose disk takes all that it
    writes: what is due may not come later than that and some seconds.

    now: the virtual Unix time in ms. What devices tell, they tell in the order in which they saw it.
    """

    def __init__(self, shape: Shaped, now: Callable[[], int], chapters: Chapters = CHAPTERS) -> None:
        self.config = shape.config()
        self.now = now
        self.findings: list[Finding] = []
        self.kept = Kept()
        self.lots: dict[str, Lot] = {}
        self.made: dict[Name, Made] = {}
        self.recorded: dict[Name, Event] = {}
        self.records = 0
        self.up_ms = 0
        self._struck = 0
        self.shown: Truth | None = None
        self._truths: dict[tuple[str, bytes], Truth] = {}
        self.chapters = [chapter(self) for chapter in chapters]
        self._called = {name: self._callers(name) for name in HOOKS}
        self._judges, self._folded = self._called["judge"], self._called["folded"]

    def _callers(self, hook: str) -> list[Callable[..., Any]]:
        """The chapters' own methods of that name, in the order of the chapters."""
        plain = getattr(Chapter, hook)
        return [getattr(c, hook) for c in self.chapters if getattr(type(c), hook) is not plain]

    def _ask(self, hook: str, *told: Any) -> None:
        for call in self._called[hook]:
            call(*told)

    def find(self, kind: str, text: str, expected: str) -> None:
        """Hold something against the engine."""
        self.findings.append(Finding(kind, self.now(), text, expected))

    @property
    def position(self) -> int:
        """Of the last durable event."""
        return self.kept.position

    # -- told by the node

    def durable(self, storage: Stable) -> None:
        """A commit returned; nothing of what it answers has left yet. storage: the folder itself."""
        self.kept.stable = storage
        if storage.struck != self._struck:
            self._struck, self.up_ms = storage.struck, self.now()
        self._read_new()
        self._ask("durable", self.kept)

    def recovered(self, storage: Stable) -> None:
        """An engine started: what it found must hold every record that was durable, unchanged."""
        self.kept.stable = storage
        self.up_ms = self.now()
        self._ask("recovered", self.kept)
        self._read_new()

    def connected(self, links: list[tuple[str, bytes]], accepting: bool) -> None:
        """A commit returned. links: the readers whose connections go on after it, each with the key that it
        signed on with; accepting: whether the engine can write what it decides.
        """
        self._ask("connected", links, accepting)

    def spoke(self, device: str) -> None:
        """Something that a device sent came to a process that is up."""
        self._ask("spoke", device)

    def restarted_with(self, shape: Shaped) -> None:
        """The next start has this configuration."""
        self.config = shape.config()

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        """The end, with all faults over. occupancy: the body of QUERY `occupancy`, by lot."""
        self._ask("rest", occupancy)

    def _read_new(self) -> None:
        try:
            for record in self.kept.read_new():
                self._take(record)
                if self.findings:
                    return
        except Bad as bad:
            self.find("bad record", f"after position {self.position}: {bad}", "whole records in a row")

    def _take(self, record: Record) -> None:
        self.records += 1
        self._ask("record", record)
        for event in record.events:
            self._take_event(event)
            if self.findings:
                return

    def _take_event(self, event: Event) -> None:
        lot = self.lots.get(event["lot"])
        if lot is None:
            lot = self.lots[event["lot"]] = Lot(event["lot"])
        for judge in self._judges:
            judge(event, lot)
        if self.findings:
            return
        if event["type"] in READER_EVENTS:
            self.recorded[event["reader"], event["boot"], event["no"]] = event
        lot.fold(event)
        for folded in self._folded:
            folded(event, lot)

    def genuine(
        self,
        lot: str,
        token: bytes,
        name: bytes,
        ticket: tuple[str, int, int, bool] | None,
        count: int | None,
    ) -> None:
        """Somebody made a token that a lot's keys vouch for: a ticket (for which lot, from and until when in
        Unix s, for one entry), or a tag's word at this tap.
        """
        self._truths[lot, token] = Truth(name, *(ticket or ("", 0, 0, False)), count)

    def truth(self, lot: str, token: bytes) -> Truth | None:
        """What is true of a token; None: nobody made it."""
        return self._truths.get((lot, token))

    def objections(self, look: Look, lot: Lot) -> set[int]:
        """Every reason that is true of a scan, by all chapters."""
        return {reason for call in self._called["objections"] for reason in call(look, lot)}

    def passed_over(self, look: Look, lot: Lot) -> set[int]:
        """Every reason that is true of a scan and refuses nobody."""
        return {reason for call in self._called["passed_over"] for reason in call(look, lot)}

    # -- told by readers

    def event_made(
        self, reader: str, boot: int, no: int, type: int, fields: list[Any], alone: bool, verdict_given: int
    ) -> None:
        """An event got its number. fields: its body after `no`; alone: its reader acted on it by itself."""
        name = (reader, boot, no)
        self.made[name] = Made(type, fields[0], fields[1], plain(list(fields[2:])), alone, verdict_given)
        self._ask("event_made", name, type, list(fields), alone, verdict_given)

    def decision(self, reader: str, boot: int, no: int, fields: list[Any]) -> None:
        """A DECISION came. fields: its body after `no`."""
        self._ask("decision", (reader, boot, no), list(fields))

    def ack(self, reader: str, boot: int, no: int, position: int) -> None:
        """An ACK came."""
        self._ask("ack", (reader, boot, no), position)

    def replayed(self, reader: str, boot: int, done_to: int, gaps: Any, findings: Any, position: int) -> None:
        """A REPLAYED came."""
        self._ask("replayed", reader, boot, _ranges(done_to, gaps), findings, position)

    def welcomed(self, reader: str, boot: int, done_to: int, gaps: Any) -> None:
        """A WELCOME came."""
        self._ask("welcomed", reader, boot, _ranges(done_to, gaps))

    def dropped(self, reader: str, boot: int, no: int, code: int) -> None:
        """A reader gave an event up for good, as ERROR `code` told it to."""
        self._ask("dropped", (reader, boot, no), code)

    def lost(self, reader: str, boot: int) -> None:
        """A reader's event log is gone, and what was unanswered in it with it."""
        self._ask("lost", reader, boot)

    def policy(self, reader: str, keys: Any, deny: Any, offline: dict[str, Any]) -> None:
        """A POLICY came."""
        self._ask("policy", reader, keys, deny, offline)

    def barrier(self, reader: str, lane: int, why: str, no: int) -> None:
        """A barrier went up. why: "decision", "alone", "vend" or "mode"; no: of the event, 0 where none."""
        self._ask("barrier", reader, lane, why, no)

    def lane_set(self, reader: str, lane: int, mode: int) -> None:
        """A lane works in another mode: SET_LANE came, or (normal) its reader lost power."""
        self._ask("lane_set", reader, lane, mode)

    # -- told by services

    def command(self, service: str, id: bytes, lot: str, name: str, args: dict[str, Any]) -> None:
        """A COMMAND is sent for the first time."""
        self._ask("command", service, id, lot, name, args)

    def outcome(self, service: str, id: bytes, ok: bool, code: str, body: Any, position: int) -> None:
        """An OUTCOME came."""
        self._ask("outcome", service, id, ok, code, body, position)

    def asked(self, service: str, lot: str, name: str, args: dict[str, Any]) -> None:
        """A QUERY is sent."""
        self._ask("asked", service, lot, name, args)

    def answer(
        self, service: str, lot: str, name: str, args: dict[str, Any], ok: bool, code: str, body: Any
    ) -> None:
        """An ANSWER came."""
        self._ask("answer", service, lot, name, args, ok, code, body)

    # -- told by subscribers

    def subscribed(self, subscriber: str, after: int, stored: bool) -> None:
        """SUBSCRIBE is sent. after: the position named; stored: none was, so the engine's cursor counts."""
        self._ask("subscribed", subscriber, after, stored)

    def events(self, subscriber: str, first: int, last: int, records: bytes) -> None:
        """An EVENTS frame came."""
        self._ask("events", subscriber, first, last, bytes(records))

    def safe(self, subscriber: str, position: int) -> None:
        """CURSOR is sent: all up to here is where the subscriber takes it."""
        self._ask("safe", subscriber, position)


def _ranges(done_to: int, gaps: Any) -> list[tuple[int, int]]:
    """done_to and gaps, which name what is there, as ranges of numbers."""
    return [(1, done_to), *((low, high) for low, high in gaps)]
