"""The events of a lot, folded into what history keeps: who stayed where, and how the counts changed.

It follows the engine's own fold (engine/core/moves.py) without its rules, spots and readers, and must come to
the same counts after every event; tests/history/test_fold_lives.py holds both side by side. An event says
what came of it (`effect`, `session`), so nothing is decided here.

Credentials are hashed on the way in: neither the state nor a checkpoint holds a raw token, except where the
configuration keeps them.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events import Event, operators, passback
from liftgate.codecs.events.ledger import AreasRecounted
from liftgate.codecs.events.readers import (
    PASSAGE_RECORDED,
    SCAN_DECIDED,
    HistoryRecorded,
    PassageRecorded,
    ScanDecided,
)
from liftgate.history.counts import Change, Counts
from liftgate.history.port import CLOSED, LEFT, LOST, NEWER_ENTRY, PRESUMED_GONE, StayRow
from liftgate.history.privacy import Hasher
from liftgate.history.stays import Stay, day_of
from liftgate.history.stays import load as load_stay

FORMAT = 1

LAPSED_MAX = 4096
"""Moves without a PASSAGE that are remembered, as many as the engine remembers: of an older one no event
tells.
"""

CAME_IN = 0
"""In the mark `unnamed`, (area, way): the car had come in without a name, and not gone."""


class Gap(ValueError):
    """An event is not the lot's next: what lies between is missing here."""


class Fold:
    """One lot. stays: open ones by hashed credential; rows: what the store is to have of stays that changed
    since rows were last taken, by session.

    `counts.misfits` counts events that named a stay or an area which is not known here: none, where the lot
    was followed from its first event. In a history that began in the middle of a lot's life, cars that were
    in already leave without a name, and counts are relative until the next correction.
    """

    def __init__(self, lot: str, hasher: Hasher, keep_tokens: bool = False) -> None:
        self.lot = lot
        self.counts = Counts()
        self.stays: dict[bytes, Stay] = {}
        self.moving: dict[bytes, Stay] = {}
        self.lapsed: dict[bytes, Stay] = {}
        self.rows: dict[bytes, StayRow] = {}
        self._hash, self._mark = hasher.of, hasher.mark
        self._keep_tokens = keep_tokens

    @property
    def seq(self) -> int:
        """Of the last event; 0 before the first."""
        return self.counts.seq

    def apply(self, event: Event) -> None:
        """Fold the next event. Raises Gap; then nothing has changed, and `skip_gap` goes on behind the gap.

        The first event may be any: a history may begin in the middle of a lot's life.
        """
        counts = self.counts
        if event.seq != counts.seq + 1 and counts.seq:
            raise Gap(f"lot {self.lot}: event {event.seq} after {counts.seq}")
        counts.seq, counts.at_ms = event.seq, event.at_ms
        applier = _APPLIERS.get(type(event))
        if applier is not None:
            applier(self, event)

    def skip_gap(self) -> None:
        """Events are lost to this history: the next one may be any."""
        self.counts.seq = 0

    def take(self) -> tuple[list[Change], dict[bytes, StayRow]]:
        """What came of the events since the last call: changes in order, rows by session."""
        taken = self.counts.changes, self.rows
        self.counts.changes, self.rows = [], {}
        return taken

    # -- events of readers

    def _scan(self, event: ScanDecided) -> None:
        if event.verdict != codes.OPEN:
            return
        if event.effect != codes.NOTHING:
            now = event.effect == codes.MOVED
            self._opened(event, _credential(event.kind, event.token), now)
        if event.rare is not None and "unnamed" in event.marks:
            self._heal(event.marks)

    def _opened(self, event: ScanDecided | HistoryRecorded, credential: bytes, now: bool) -> None:
        name = self._hash(credential)
        stay = self.stays.get(name)
        if event.way == codes.IN:
            stay = self._entering(stay, name, credential, event.session or b"")
            self._go(stay, self.counts.known(event.area), event.spot or "", now)
        elif stay is not None:
            self._go(stay, self.counts.parents.get(event.area), "", now)
        elif event.session is not None:
            stay = self._named(event.session, credential, None, event.area)
            self._go(stay, self.counts.parents.get(event.area), "", now)
        elif now:  # its entry nobody saw; where the lane confirms, its PASSAGE counts it
            self.counts.stray(event.area, codes.OUT)

    def _entering(self, stay: Stay | None, name: bytes, credential: bytes, session: bytes) -> Stay:
        """The stay that an entry goes on with. One of another session gives way: its car left unseen."""
        if stay is not None and stay.session == session:
            return stay
        if stay is not None:
            self._end(stay, NEWER_ENTRY)
        stay = Stay(session, name, self._kept(credential), self.counts.at_ms, day_of(self.counts.at_ms))
        self.stays[name] = stay
        return stay

    def _go(self, stay: Stay, to: str | None, spot: str, now: bool) -> None:
        if now:
            self._move(stay, to, spot)
            return
        self._unpromise(stay)
        stay.moving, stay.to, stay.to_spot = True, to, spot
        self.moving[stay.session] = stay

    def _heal(self, marks: dict[str, Any]) -> None:
        """A car that had been counted without a name was seen; the stay it was given may have put that
        right.
        """
        area, way = marks["unnamed"]
        if "unknown_entry" not in marks and area in self.counts.parents:
            self.counts.correct(area, -1 if way == CAME_IN else 1, self.counts.parents[area])

    def _passage(self, event: PassageRecorded | HistoryRecorded) -> None:
        if event.effect == "adrift":
            self.counts.stray(event.area, event.way)
        elif event.effect:
            self._passed(event)

    def _passed(self, event: PassageRecorded | HistoryRecorded) -> None:
        session = event.session or b""
        stay = self.moving.get(session) or self.lapsed.get(session)
        if stay is None:
            self.counts.misfits += 1
            if event.effect == "moved":
                self.counts.stray(event.area, event.way)
        elif event.effect == "moved":
            self._finish(stay)
        else:
            self._cancel(stay)

    def _finish(self, stay: Stay) -> None:
        """The car passed. A promise that had lapsed is made good without its spot: that may be another's
        now.
        """
        spot = stay.to_spot
        if not stay.moving:
            spot = ""
            newer = self.stays.get(stay.credential)
            if newer is not None and newer is not stay:
                self._end(newer, NEWER_ENTRY)
            self.stays[stay.credential] = stay
        self._move(stay, stay.to, spot)

    def _history(self, event: HistoryRecorded) -> None:
        if event.what == PASSAGE_RECORDED:
            self._passage(event)
        elif event.what == SCAN_DECIDED and event.effect and event.verdict_given == codes.OPEN:
            if event.effect == "adrift":
                self.counts.stray(event.area, codes.OUT)
            else:
                self._opened(event, _credential(*event.detail[:2]), event.effect == "moved")

    def _lapsed(self, event: operators.MoveLapsed) -> None:
        stay = self.moving.get(event.session)
        if stay is None:
            self.counts.misfits += 1
            return
        self._cancel(stay)
        self.lapsed[stay.session] = stay
        if len(self.lapsed) > LAPSED_MAX:
            del self.lapsed[next(iter(self.lapsed))]

    # -- events of operators and rules

    def _configured(self, event: operators.LotConfigured) -> None:
        outermost = self.counts.configure(event.spec["areas"])
        for stay in [*self.stays.values(), *self.lapsed.values()]:
            if stay.to is not None and stay.to not in self.counts.parents:
                stay.to = outermost
            if stay.area is not None and stay.area not in self.counts.parents:
                stay.area = stay.last = outermost
                self._write(stay)

    def _corrected(self, event: operators.CountCorrected) -> None:
        self.counts.set(event.area, event.after)

    def _recounted(self, event: AreasRecounted) -> None:
        for area, _, after in event.areas:
            self.counts.set(area, after)

    def _lost(self, event: passback.TicketLost) -> None:
        stay = self._stay_of(event.credential)
        if stay is not None and event.replacement is not None:
            self._rename(stay, event.replacement)
        elif stay is not None:
            self._end(stay, LOST)

    def _swapped(self, event: passback.CredentialSwapped) -> None:
        stay = self._stay_of(event.before)
        if stay is not None:
            self._rename(stay, event.after)

    def _closed(self, event: passback.StayClosed) -> None:
        stay = self._stay_of(event.credential)
        if stay is not None:
            self._end(stay, CLOSED if event.actor else PRESUMED_GONE)
        elif event.area is not None:
            self.counts.correct(event.area, -1)

    def _car_named(self, event: passback.CarNamed) -> None:
        self._named(event.session, event.credential, event.entered_at_ms, event.area)

    def _stay_of(self, credential: bytes) -> Stay | None:
        stay = self.stays.get(self._hash(credential))
        self.counts.misfits += stay is None
        return stay

    # -- cars between areas

    def _move(self, stay: Stay, to: str | None, spot: str) -> None:
        """The car was seen to go to `to`, None the street."""
        before = stay.area
        self._unpromise(stay)
        stay.area = to
        if before != to:
            self.counts.seen(before, to)
        if to is not None:
            stay.last, stay.spot = to, spot
            self._write(stay)
        else:
            self._forget(stay)
            if before is not None:
                self._write(stay, LEFT)

    def _cancel(self, stay: Stay) -> None:
        """The car did not pass. One that was on the street has no stay any more."""
        self._unpromise(stay)
        if stay.area is None:
            self._forget(stay)

    def _end(self, stay: Stay, how: str) -> None:
        """The stay is over without a sighting."""
        before = stay.area
        self._unpromise(stay)
        self._forget(stay)
        stay.area = None
        if before is not None:
            self.counts.correct(before, -1)
            self._write(stay, how)

    def _named(self, session: bytes, credential: bytes, entered_ms: int | None, area: str) -> Stay:
        """A car that counted in `area` without a name has this stay: it still counts once."""
        name = self._hash(credential)
        day = day_of(self.counts.at_ms if entered_ms is None else entered_ms)
        stay = self.stays[name] = Stay(session, name, self._kept(credential), entered_ms, day)
        stay.area = stay.last = self.counts.known(area)
        self._write(stay)
        return stay

    def _rename(self, stay: Stay, credential: bytes) -> None:
        self._forget(stay)
        stay.rename(self._hash(credential), self._kept(credential))
        self.stays[stay.credential] = stay
        if stay.written:
            self._write(stay)

    def _unpromise(self, stay: Stay) -> None:
        """Take back what an opened barrier promised, kept or lapsed, if one did."""
        if stay.moving:
            stay.moving = False
            del self.moving[stay.session]
        elif self.lapsed:
            self.lapsed.pop(stay.session, None)

    def _forget(self, stay: Stay) -> None:
        if self.stays.get(stay.credential) is stay:
            del self.stays[stay.credential]

    # -- what comes of it

    def _write(self, stay: Stay, how: str = "") -> None:
        stay.written = True
        self.rows[stay.session] = stay.row(self.lot, self.seq, self.counts.at_ms if how else None, how)

    def _kept(self, credential: bytes) -> bytes:
        return credential if self._keep_tokens else b""

    # -- checkpoints

    def dump(self) -> bytes:
        """The state; what was not taken yet is no part of it."""
        stays = {id(stay): stay for stay in [*self.stays.values(), *self.lapsed.values()]}
        places = {key: place for place, key in enumerate(stays)}
        return msgspec.msgpack.encode(
            [
                FORMAT,
                self._mark,
                self.seq,
                self.counts.misfits,
                self.counts.parents,
                self.counts.by_area,
                [stay.dump() for stay in stays.values()],
                len(self.stays),
                [places[id(stay)] for stay in self.moving.values()],
                [places[id(stay)] for stay in self.lapsed.values()],
            ]
        )


def load(lot: str, data: bytes, hasher: Hasher, keep_tokens: bool = False) -> Fold:
    """The fold whose state `dump` gave. Raises ValueError for another format, and for another key: who is
    inside would not be known again on the way out.
    """
    state = msgspec.msgpack.decode(data, strict=False)
    if state[0] != FORMAT:
        raise ValueError(f"lot {lot}: checkpoint format {state[0]}, this program reads {FORMAT}")
    if state[1] != hasher.mark:
        raise ValueError(f"lot {lot}: its credentials were hashed under another key")
    fold = Fold(lot, hasher, keep_tokens)
    counts = fold.counts
    _, _, counts.seq, counts.misfits, counts.parents, counts.by_area, saved, open_count, moving, lapsed = (
        state
    )
    stays = [load_stay(each) for each in saved]
    fold.stays = {stay.credential: stay for stay in stays[:open_count]}
    fold.moving = {stays[place].session: stays[place] for place in moving}
    fold.lapsed = {stays[place].session: stays[place] for place in lapsed}
    for stay in fold.moving.values():
        stay.moving = True
    return fold


def _credential(kind: int, token: bytes) -> bytes:
    """As the events of operators name it: the kind as a byte, then the token."""
    return bytes((kind,)) + token


_APPLIERS: dict[type, Callable[[Fold, Any], None]] = {
    ScanDecided: Fold._scan,
    PassageRecorded: Fold._passage,
    HistoryRecorded: Fold._history,
    operators.MoveLapsed: Fold._lapsed,
    operators.LotConfigured: Fold._configured,
    operators.CountCorrected: Fold._corrected,
    AreasRecounted: Fold._recounted,
    passback.TicketLost: Fold._lost,
    passback.CredentialSwapped: Fold._swapped,
    passback.StayClosed: Fold._closed,
    passback.CarNamed: Fold._car_named,
}
