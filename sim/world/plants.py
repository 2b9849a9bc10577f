"""Known bugs, planted one at a time: what cannot find them proves nothing by finding nothing.

Each replaces a piece of the real engine while a world runs, in a module that is plain Python in either build,
or puts a rule of its own among the compiled ones. So the world need not know that there are plants.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.engine import replay
from liftgate.engine.core import decide, orders, passages, state
from liftgate.engine.core.commands import Order, ReadCredential, ReportLane, Tick
from liftgate.engine.core.model import Block, Lot
from liftgate.engine.core.parts.base import Reply
from liftgate.engine.core.parts.registry import RegistryPart
from liftgate.engine.core.rules import table
from liftgate.engine.core.rules.access import NotDenied
from liftgate.engine.core.rules.base import Rule
from liftgate.engine.core.rules.passback import PassbackIn
from liftgate.engine.core.rules.place import ComesFromOutside
from liftgate.engine.journal.cursors import Cursors
from liftgate.engine.journal.feed import Feed
from liftgate.engine.journal.journal import Journal
from liftgate.engine.journal.snapshot import Snapshot, write_snapshot
from liftgate.engine.journal.storage import File, StorageError
from liftgate.gateways import answers, queries, replays, services
from liftgate.gateways.directory import Directory
from liftgate.sim.world import plants_of_rules
from liftgate.sim.world.planting import Bug, replaced, swapped, without_rule


class _Unsynced:
    """A file whose sync does nothing: what was written waits for the next real one."""

    def __init__(self, file: File) -> None:
        self.file = file
        self.size = file.size
        self.write_at = file.write_at

    def sync(self) -> None:
        """Nothing."""


@contextmanager
def answers_before_sync() -> Iterator[None]:
    """A commit returns when its group is written, and the next one syncs it."""
    real = Journal._write

    def write(self: Any, start: int, stop: int, last: int) -> None:
        file = self._file
        file.sync()
        self._file = _Unsynced(file)
        try:
            real(self, start, stop, last)
        finally:
            self._file = file

    with replaced(Journal, "_write", write):
        yield


@contextmanager
def goes_on_after_a_failed_sync() -> Iterator[None]:
    """A failing sync is logged and forgotten."""
    real = Journal._write

    def write(self: Any, start: int, stop: int, last: int) -> None:
        try:
            real(self, start, stop, last)
        except StorageError:
            self._offset = self._segment.end = self._offset + stop - start
            self._segment.last = self.durable_position = last

    with replaced(Journal, "_write", write):
        yield


@contextmanager
def forgets_numbers_on_restart() -> Iterator[None]:
    """The snapshot leaves out which events of readers are known."""
    real = state._dump_reader

    def dump_reader(reader: Any) -> list[Any]:
        dumped = real(reader)
        dumped[3] = []
        return dumped

    with replaced(state, "_dump_reader", dump_reader):
        yield


def _free(block: Block, number: int) -> None:
    """Mark the spot free and change no count; a block that only counts has no spots."""
    if block.free is not None:
        block.free.release(number)


class _ReleasesTwice(Rule):
    """Not a rule, but a place where every entry comes by: gives back once more what stays that ended had.

    had: what each stay had at the last entry; again: what ended before that entry, which may have taken it.
    """

    def __init__(self) -> None:
        self.had: dict[str, dict[bytes, tuple[Block, int]]] = {}
        self.again: dict[str, list[tuple[Block, int]]] = {}

    def check(self, lot: Lot, read: ReadCredential) -> int:
        """Object to nothing."""
        for block, number in self.again.get(lot.id, ()):
            _free(block, number)
        has = {stay.session: (stay.block, stay.number) for stay in lot.stays.values() if stay.block}
        had = self.had.get(lot.id, {})
        self.again[lot.id] = [place for session, place in had.items() if session not in has]
        self.had[lot.id] = has
        return 0

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        """Say nothing."""
        return ""


@contextmanager
def releases_a_spot_twice() -> Iterator[None]:
    """A spot is free when its car has left, and once more with the next entry, whoever has it by then."""
    with replaced(table, "ENTRY", (*table.ENTRY, _ReleasesTwice)):
        yield


@contextmanager
def snapshot_off_by_one() -> Iterator[None]:
    """A snapshot says that it covers one event more than it does."""
    real = write_snapshot

    def write(storage: Any, snapshot: Snapshot) -> None:
        real(storage, Snapshot(snapshot.position + 1, snapshot.at_ms, snapshot.payload))

    with replaced(replay, "write_snapshot", write):
        yield


@contextmanager
def cursor_moves_early() -> Iterator[None]:
    """A subscriber's cursor moves when EVENTS are sent, not when it says that they are safe."""
    real = services.pump

    def pump(link: Any) -> None:
        real(link)
        if link.feed is not None and link.cursor_name:
            link.engine.journal.move_cursor(link.cursor_name, link.feed.position - 1)

    with replaced(services, "pump", pump):
        yield


@contextmanager
def retires_what_cursors_hold() -> Iterator[None]:
    """Segments go when a snapshot covers them, whoever still needs them."""
    with replaced(Cursors, "lowest", lambda self: None):
        yield


@contextmanager
def replayed_scan_opens() -> Iterator[None]:
    """A scan out of the past is decided like one of now, and its DECISION sent."""
    real = replays._record

    def record(link: Any, entry: m.ReplayEntry) -> Any:
        told: Any = m.decode(entry.type, bytes(entry.body))
        if not isinstance(told, m.Scan) or link.own_numbering().has(told.no):
            return real(link, entry)
        read = ReadCredential(link.lane(told.lane), link.own_numbering())
        read.no, read.at_ms, read.kind, read.token = told.no, told.at_ms, told.kind, told.token
        event = link.engine.read(link.lot, read)
        answers.pack_decision(link.gateway.own(link), link.conn.ref, link.lot, event)
        return event

    with replaced(replays, "_record", record):
        yield


@contextmanager
def loses_a_lapse() -> Iterator[None]:
    """Of the moves that are due, the first one never lapses."""
    real = decide._tick

    def tick(lot: Lot, command: Tick) -> tuple[Any, ...]:
        due: tuple[Any, ...] = real(lot, command)
        return tuple(msgspec.structs.replace(event, seq=event.seq - 1) for event in due[1:])

    with swapped(decide._DECIDERS, Tick, tick):
        yield


@contextmanager
def answers_an_order_anew() -> Iterator[None]:
    """A COMMAND that comes again gets the outcome that it would have by now."""
    real = services._order

    def order(link: Any, lot: Lot, message: m.CommandMessage) -> Any:
        first = lot.outcomes.get(message.id)
        ok, code, body, position = real(link, lot, message)
        return (ok, code, body, link.engine.position) if first is not None else (ok, code, body, position)

    with replaced(services, "_order", order):
        yield


@contextmanager
def does_an_order_twice() -> Iterator[None]:
    """A COMMAND that comes again is done again."""
    real = orders.obey

    def obey(lot: Lot, order: Any) -> Any:
        lot.outcomes.pop(order.id, None)
        return real(lot, order)

    with swapped(decide._DECIDERS, Order, obey):
        yield


@contextmanager
def leaves_a_gap_in_seq() -> Iterator[None]:
    """The report of a lane takes a seq too many."""
    real = decide._report_lane

    def report(lot: Lot, command: ReportLane) -> tuple[Any, ...]:
        events: tuple[Any, ...] = real(lot, command)
        for event in events:
            event.seq += 1
        return events

    with swapped(decide._DECIDERS, ReportLane, report):
        yield


@contextmanager
def counts_a_car_that_backed_out() -> Iterator[None]:
    """BACKED_OUT is taken for PASSED."""
    real = passages.passage_effect

    def effect(lane: Any, what: int, stay: Any) -> str:
        return real(lane, passages.PASSED if what == passages.BACKED_OUT else what, stay)

    with replaced(passages, "passage_effect", effect):
        yield


@contextmanager
def forgets_who_followed() -> Iterator[None]:
    """QUERY occupancy leaves out whom the ledger counts without a name."""
    real = queries.QUERIES["occupancy"]

    def occupancy(lot: Lot, args: Any) -> Reply:
        ok, code, body = real[1](lot, args)
        for area in lot.areas.values():
            body["areas"][area.id]["occupancy"] = area.inside
        return ok, code, body

    with swapped(queries.QUERIES, "occupancy", (real[0], occupancy)):
        yield


@contextmanager
def skips_a_record_of_each_segment() -> Iterator[None]:
    """A feed that comes to the next segment begins with its second chunk."""
    real = Feed._enter

    def enter(self: Any) -> None:
        began = hasattr(self, "_segment")
        real(self)
        if began and self._segment.last > self._position:
            self._seek(self._position + 1)

    with replaced(Feed, "_enter", enter):
        yield


@contextmanager
def keeps_revoked_keys() -> Iterator[None]:
    """The gateway does not forget the keys of a reader that is revoked."""
    with replaced(Directory, "drop", lambda self, id: None):
        yield


@contextmanager
def old_key_stays() -> Iterator[None]:
    """The first use of a new key does not end the old one."""
    with replaced(RegistryPart, "key_used", lambda self, reader, now_ms: ()):
        yield


BUGS: dict[str, Bug] = {
    "early-answer": Bug("answers leave before the sync", answers_before_sync),
    "failed-sync": Bug("a failed sync is passed over", goes_on_after_a_failed_sync),
    "forgotten-numbers": Bug("a restart forgets which events are known", forgets_numbers_on_restart),
    "spot-twice": Bug("a spot is released twice", releases_a_spot_twice),
    "snapshot-off": Bug("a snapshot's position is off by one", snapshot_off_by_one),
    "early-cursor": Bug("a cursor moves when events are sent", cursor_moves_early),
    "early-retire": Bug("segments go that a cursor still holds", retires_what_cursors_hold),
    "replay-opens": Bug("a replayed scan is decided as of now and answered", replayed_scan_opens),
    "lost-lapse": Bug("a promised move never lapses", loses_a_lapse),
    "other-outcome": Bug("a repeated COMMAND is answered differently", answers_an_order_anew),
    "order-twice": Bug("a repeated COMMAND is done again", does_an_order_twice),
    "seq-gap": Bug("an event leaves a gap in its lot's seq", leaves_a_gap_in_seq),
    "backed-out": Bug("a car that backed out counts as passed", counts_a_car_that_backed_out),
    "followers": Bug("QUERY leaves out cars without a name", forgets_who_followed),
    "feed-skips": Bug("a subscriber misses the first record of a segment", skips_a_record_of_each_segment),
    "no-deny-list": Bug("the deny list is not asked", without_rule(NotDenied)),
    "no-passback": Bug("anti-passback is not asked at entries", without_rule(ComesFromOutside, PassbackIn)),
    "revoked-key": Bug("a revoked reader's keys are still good", keeps_revoked_keys),
    "old-key": Bug("an old key outlives the first use of the new one", old_key_stays),
} | plants_of_rules.BUGS
"""By the name that `liftgate sim world --plant` takes."""


def planted(name: str) -> AbstractContextManager[None]:
    """The context of that bug; "" plants nothing. Raises KeyError."""
    return BUGS[name].plant() if name else nullcontext()
