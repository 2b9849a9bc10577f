"""What a chapter of the audit is: one promise, judged by one small model."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from liftgate.sim.world.audit.disk import Kept
from liftgate.sim.world.audit.records import Event, Record

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor
    from liftgate.sim.world.audit.facts import Lot
    from liftgate.sim.world.audit.layout import Lane
    from liftgate.sim.world.audit.stays import Stay

Name = tuple[str, int, int]
"""What names a reader's event for ever: (reader, boot, no)."""


class Made(NamedTuple):
    """An event as its reader numbered it. rest: what stands after `lane` in its body."""

    type: int
    at_ms: int
    lane: int
    rest: list[Any]
    alone: bool
    verdict_given: int


class Look(NamedTuple):
    """A scan as the rules see it, live or told later: which way, who, and where they are. at_ms: decisive;
    now_ms: the engine's time.
    """

    lane: "Lane"
    way: int
    kind: int
    credential: bytes
    stay: "Stay | None"
    at_ms: int
    now_ms: int = 0


class Chapter:
    """Base of the chapters: every hook does nothing here, and only those that a chapter has are called.

    `judge` sees each durable event with the facts as they were before it, `folded` with those after it;
    `objections` gives every reason that is true of a scan by this chapter's rule, `passed_over` those that
    are true and do not keep its barrier down. The others are what devices
    and the node tell, see Auditor. The first finding ends a run, so a model need not survive one.
    """

    def __init__(self, audit: "Auditor") -> None:
        self.audit = audit

    def find(self, kind: str, text: str, expected: str) -> None:
        """Hold something against the engine."""
        self.audit.find(kind, text, expected)

    # -- by the records

    def record(self, record: Record) -> None: ...

    def judge(self, event: Event, lot: "Lot") -> None: ...

    def folded(self, event: Event, lot: "Lot") -> None: ...

    def objections(self, look: Look, lot: "Lot") -> Iterable[int]:
        return ()

    def passed_over(self, look: Look, lot: "Lot") -> Iterable[int]:
        """Reasons that are true of a scan and that the rules let by: it opens, and says one of them."""
        return ()

    # -- by the node

    def durable(self, kept: Kept) -> None: ...

    def recovered(self, kept: Kept) -> None: ...

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None: ...

    def connected(self, links: list[tuple[str, bytes]], accepting: bool) -> None: ...

    def spoke(self, device: str) -> None: ...

    # -- by the readers

    def event_made(self, name: Name, type: int, fields: list[Any], alone: bool, verdict: int) -> None: ...

    def decision(self, name: Name, fields: list[Any]) -> None: ...

    def ack(self, name: Name, position: int) -> None: ...

    def replayed(
        self, reader: str, boot: int, done: list[tuple[int, int]], findings: list[Any], position: int
    ) -> None: ...

    def welcomed(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None: ...

    def dropped(self, name: Name, code: int) -> None: ...

    def lost(self, reader: str, boot: int) -> None: ...

    def policy(self, reader: str, keys: Any, deny: Any, offline: dict[str, Any]) -> None: ...

    def barrier(self, reader: str, lane: int, why: str, no: int) -> None: ...

    def lane_set(self, reader: str, lane: int, mode: int) -> None: ...

    # -- by the services

    def command(self, service: str, id: bytes, lot: str, name: str, args: dict[str, Any]) -> None: ...

    def outcome(self, service: str, id: bytes, ok: bool, code: str, body: Any, position: int) -> None: ...

    def asked(self, service: str, lot: str, name: str, args: dict[str, Any]) -> None: ...

    def answer(
        self, service: str, lot: str, name: str, args: dict[str, Any], ok: bool, code: str, body: Any
    ) -> None: ...

    # -- by the subscribers

    def subscribed(self, subscriber: str, after: int, stored: bool) -> None: ...

    def events(self, subscriber: str, first: int, last: int, records: bytes) -> None: ...

    def safe(self, subscriber: str, position: int) -> None: ...


HOOKS = tuple(name for name in vars(Chapter) if not name.startswith("_") and name != "find")
