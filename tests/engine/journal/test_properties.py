"""Random lives of a journal: what was committed is there after any crash or fault, nothing else."""

from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from liftgate.codecs.records import read_record
from liftgate.engine.journal.feed import Feed
from liftgate.engine.journal.journal import GroupTooLarge, Journal, JournalFailed
from liftgate.engine.journal.memory import MemoryStorage
from tests.engine.journal.journals import Entry, opened

FAULTS = st.sampled_from(["failing_write", "short_write", "failing_sync"])


class Lives(RuleBasedStateMachine):
    """A model beside the journal: the records appended, how many are durable, one feed's place."""

    def __init__(self) -> None:
        super().__init__()
        self.storage = MemoryStorage()
        self.appended: list[Entry] = []
        self.durable = 0
        self.seen: list[Entry] = []

    @initialize()
    def start(self) -> None:
        self._recover()

    def _recover(self) -> None:
        """Start again; the records found must be the durable ones and perhaps some of those that followed."""
        self.journal, found, recovery = opened(self.storage)
        assert found[: self.durable] == self.appended[: self.durable]
        assert found == self.appended[: len(found)]
        assert recovery.position == sum(entry[2] for entry in found) == self.journal.durable_position
        self.appended = found
        self.durable = len(found)
        self.feed = Feed(self.journal, sum(entry[2] for entry in self.seen))

    @rule(
        size=st.integers(1, 1500),
        count=st.integers(1, 5),
        at_ms=st.integers(0, 2**42),
        fill=st.integers(0, 255),
    )
    def append(self, size: int, count: int, at_ms: int, fill: int) -> None:
        payload = bytes([fill]) * size
        try:
            self.appended.append((self.journal.append(payload, count, at_ms), at_ms, count, payload))
        except GroupTooLarge:
            self.commit()

    @rule()
    def commit(self) -> None:
        self.journal.commit()
        self.durable = len(self.appended)

    @rule()
    def maintain(self) -> None:
        self.journal.maintain()

    @rule()
    def read(self) -> None:
        """The feed gives exactly what is durable, in order, once."""
        while (chunk := self.feed.read_nowait()) is not None:
            view, offset = memoryview(chunk.records), 0
            while offset < len(view):
                record = read_record(view, offset)
                assert record is not None
                self.seen.append((record.first, record.at_ms, record.count, bytes(record.payload)))
                offset = record.end
            assert chunk.last == self.seen[-1][0] + self.seen[-1][2] - 1
        assert self.seen == self.appended[: self.durable]

    @rule(fault=FAULTS, seed=st.integers(0, 2**32))
    def fail(self, fault: str, seed: int) -> None:
        """A commit fails and the power goes: the group may be there, in part or not at all."""
        self.append(400, 1, 1, 7)
        setattr(self.storage.faults, fault, 1)
        try:
            self.journal.commit()
            raise AssertionError("the fault did not strike")
        except JournalFailed:
            self.crash(seed)

    @rule(seed=st.integers(0, 2**32))
    def crash(self, seed: int) -> None:
        self.storage.crash(Random(seed))
        self._recover()

    @rule()
    def restart(self) -> None:
        self.storage.restart()
        self._recover()

    @rule()
    def close(self) -> None:
        self.journal.close()
        self._recover()

    @invariant()
    def positions_agree(self) -> None:
        if hasattr(self, "journal"):
            journal: Journal = self.journal
            assert journal.durable_position == sum(entry[2] for entry in self.appended[: self.durable])
            assert journal.next_position == 1 + sum(entry[2] for entry in self.appended)


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
