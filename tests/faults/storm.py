"""Readers that come back with a backlog each while they scan on, and what must have become of both."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.connection import WireConnection
from liftgate.engine.core.events import HistoryRecorded
from tests.faults.engines import told_in
from tests.faults.swarm import CARD, Swarm, SwarmReader, now_ms
from tests.independent.engine_process import ENTRY, EXIT

ANSWERS_KEPT = 256
"""By docs/protocol.md, of each numbering."""

AGO_MS = 3_600_000
"""How long ago the readers were alone: an hour, with something each second."""

INSIDE, NOT_INSIDE, LOOK = 210, 211, 500
FOLLOWED = 3


class Act(NamedTuple):
    """What a reader saw, alone; finding: what the rules must say of it; cars: by how many more are inside."""

    lane: int
    car: str
    verdict: int
    finding: int
    cars: int
    type: int = m.Scan.TYPE


STORY = (
    Act(ENTRY, "a", m.OPEN, 0, 1),
    Act(ENTRY, "a", m.OPEN, INSIDE, 0),
    Act(EXIT, "a", m.OPEN, 0, -1),
    Act(EXIT, "b", m.OPEN, NOT_INSIDE, -1),
    Act(ENTRY, "c", m.REFUSE, LOOK, 0),
    Act(ENTRY, "d", m.OPEN, 0, 1),
    Act(ENTRY, "", 0, 0, 1, m.Passage.TYPE),
    Act(ENTRY, "", 0, 0, 0, m.LaneStatus.TYPE),
)
"""A backlog is this over and over again, with other cars."""

CARS_LEFT = sum(act.cars for act in STORY)


def act_of(no: int) -> Act:
    return STORY[(no - 1) % len(STORY)]


class StormReader(SwarmReader):
    """A reader whose numbers up to `backlog` are of what it did alone.

    told: the entries that were acknowledged; batches: numbers that have to go, in
    REPLAYs; sent: those of the one in flight; last: of the one that was answered last; pause_until: when the
    next may go; went: how many events had been sent when an entry was sent for the first time.
    """

    WINDOW = 1

    def __init__(self, storm: "Storm", id: str, seed: int) -> None:
        super().__init__(storm, id, seed)
        self.storm = storm
        self.told: set[int] = set()
        self.batches: list[list[int]] = []
        self.sent: list[int] = []
        self.last: list[int] = []
        self.pause_until = 0.0
        self.went: dict[int, int] = {}
        self.count = 0
        self.alone_ms = now_ms() - AGO_MS
        self.backlog = storm.rounds * len(STORY)
        self.events += [self._alone(no) for no in range(1, self.backlog + 1)]

    def _alone(self, no: int) -> tuple[int, bytes, int]:
        act = act_of(no)
        return act.lane, f"{self.id}/alone/{(no - 1) // len(STORY)}/{act.car}".encode(), CARD

    def _entry(self, no: int) -> m.ReplayEntry:
        act, at_ms = act_of(no), self.alone_ms + no * 1000
        lane, token, kind = self.events[no - 1]
        message: m.Message = m.Scan(no, at_ms, lane, kind, token)
        if act.type == m.Passage.TYPE:
            message = m.Passage(no, at_ms, lane, FOLLOWED)
        elif act.type == m.LaneStatus.TYPE:
            message = m.LaneStatus(no, at_ms, lane, 0, False, ())
        return m.ReplayEntry(act.type, act.verdict, msgspec.Raw(m.encode(message)))

    def unanswered(self) -> list[int]:
        return [no for no in super().unanswered() if no > self.backlog or no not in self.told]

    def _check_welcome(self, welcome: m.Welcome) -> None:
        """It names all that was acknowledged, scans and entries, and nothing that was never sent."""
        ranges = ((1, welcome.done_to), *welcome.gaps)
        durable = {no for low, high in ranges for no in range(low, high + 1)}
        lost = (self.answers.keys() | self.told) - durable
        assert not lost, f"{self.id}: acknowledged, and lost: {sorted(lost)[:9]}"
        assert max(durable, default=0) <= len(self.events)

    def _begin(self) -> None:
        """The REPLAY that was answered last goes again, then what was not: as a whole, recorded or not."""
        super()._begin()
        untold = [no for no in self.first if no <= self.backlog]
        self.first = [no for no in self.first if no > self.backlog]
        batch = self.storm.batch
        self.batches = [untold[at : at + batch] for at in range(0, len(untold), batch)]
        if self.last:
            self.batches.insert(0, self.last)
        self.sent, self.pause_until = [], 0.0

    def _goes_on(self) -> bool:
        return super()._goes_on() or bool(self.batches or self.sent)

    def _ask_more(self, conn: WireConnection) -> list[bytes]:
        out = super()._ask_more(conn)
        self.count += len(out)
        if self.batches and not self.sent and asyncio.get_running_loop().time() >= self.pause_until:
            self.sent = self.batches.pop(0)
            for no in self.sent:
                self.went.setdefault(no, self.count)
            self.count += len(self.sent)
            out.append(conn.encode(m.Replay(tuple(map(self._entry, self.sent))), self.sent[0]))
        return out

    def _take(self, conn: WireConnection, message: m.Message) -> None:
        """A REPLAY's answer is REPLAYED, anything else is to a live scan: no barrier is opened by history."""
        if not isinstance(message, m.Replayed):
            super()._take(conn, message)
            return
        assert conn.ref == self.sent[0]
        found = dict(message.findings)
        assert found.keys() <= set(self.sent)
        for no in self.sent:
            self._find(no, found.get(no, 0))
        self.last, self.sent = self.sent, []
        self.pause_until = asyncio.get_running_loop().time() + message.pause_ms / 1000
        self.storm.entries_came()

    def _find(self, no: int, finding: int) -> None:
        """What is found of an entry is the same however often it comes, for as long as answers are kept."""
        is_kept = self.count - self.went[no] <= ANSWERS_KEPT
        if finding or is_kept:
            assert finding == act_of(no).finding, (self.id, no, finding)
        if no in self.told and finding:
            self.storm.found_again += 1
        self.told.add(no)


class Storm(Swarm):
    """All readers, each with so many rounds of STORY as its backlog, told in REPLAYs of `batch` entries.

    found_again: findings that came once more, for entries that were acknowledged before.
    """

    def __init__(
        self, ids: list[str], address: Callable[[], tuple[str, int]], rounds: int, batch: int
    ) -> None:
        super().__init__(ids, address)
        self.rounds, self.batch = rounds, batch
        self.storming = [StormReader(self, reader.id, reader.boot) for reader in self.readers]
        self.readers = [*self.storming]
        self.found_again = 0
        self._wanted = 0
        self._came = asyncio.Event()

    def entries(self) -> int:
        """How many were acknowledged."""
        return sum(len(reader.told) for reader in self.storming)

    def left(self) -> int:
        return sum(reader.backlog for reader in self.storming) - self.entries()

    def entries_came(self) -> None:
        if self.entries() >= self._wanted:
            self._came.set()

    async def wait_entries(self, more: int) -> None:
        """Return when so many more entries were acknowledged; the readers do not wait for it."""
        self._wanted = self.entries() + more
        self._came.clear()
        self.entries_came()
        await asyncio.wait_for(self._came.wait(), 60)

    def cars_alone(self) -> int:
        """How many cars the backlogs left inside."""
        return len(self.storming) * self.rounds * CARS_LEFT

    def judge_journal(self, folder: Path) -> None:
        """The journal holds each event once, as it was acknowledged, and nothing else of these readers: a
        backlog's as history, which opened nothing, and the others as decisions.
        """
        events = told_in(folder)
        by_name = {(event.reader, event.no): (place, event) for place, event in events.items()}
        assert len(by_name) == len(events) == sum(len(reader.events) for reader in self.storming)
        for reader in self.storming:
            for no in reader.told:
                event, act = by_name[reader.id, no][1], act_of(no)
                assert isinstance(event, HistoryRecorded), (reader.id, no)
                assert (event.boot, event.what, event.finding) == (reader.boot, act.type, act.finding)
            for no, answer in reader.answers.items():
                place, scan = by_name[reader.id, no]
                assert not isinstance(scan, HistoryRecorded), (reader.id, no)
                assert (scan.boot, place, scan.verdict) == (reader.boot, answer.position, answer.verdict)
