"""Readers without a network: what they may decide alone, and what they made of it.

What a reader may do goes out as POLICY (`policy_of`; the gateway sends it). What it did comes back by REPLAY,
where `core/history.py` asks here whether it kept to its limits.
"""

import hashlib
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from liftgate.codecs import codes
from liftgate.codecs.events.lanes import AloneReported
from liftgate.configs.rules.offline import Offline
from liftgate.engine.core.events import HistoryRecorded, ReaderEvent, ScanDecided
from liftgate.engine.core.model import Lot, Reader, Stay
from liftgate.engine.core.parts.base import Part

HOUR_MS = 3_600_000
CARD = 2

TOO_MANY = 501
"""Reason: a reader alone opened an entry more often than its limit allows."""

TOO_LONG = 502
"""Reason: a reader opened an entry after it had been alone for longer than it may decide."""


class OfflinePart(Part):
    """The theme "offline". periods: by reader, since when it was alone the last time that it told of, and the
    entries that it opened in that time; ever: whether the lot had such rules at any time, so that its readers
    may remember a POLICY.
    """

    THEME = "offline"

    def __init__(self, lot: Lot) -> None:
        super().__init__(lot)
        self.rules: Offline | None = None
        self.on = False
        self.every_scan = False
        self.ever = False
        self.periods: dict[str, tuple[int, int]] = {}

    def configure(self, rules: msgspec.Struct | None) -> None:
        """Without rules nothing is counted; the first count begins anew when there are rules again."""
        self.rules = rules if isinstance(rules, Offline) else None
        self.on = self.rules is not None
        self.ever = self.ever or self.on
        if not self.on:
            self.periods.clear()

    def dump(self) -> Any:
        return (
            [self.ever, [[reader, *period] for reader, period in self.periods.items()]] if self.ever else None
        )

    def load(self, data: Any) -> None:
        self.ever = data[0]
        self.periods = {reader: (since_ms, entries) for reader, since_ms, entries in data[1]}

    def begins(self, reader: str, at_ms: int, alone_ms: int, restarted: bool) -> int:
        """Since when the reader was alone, ms, if with this entry of its REPLAY it begins to tell of another
        time alone; 0: it goes on with the one that it told of, perhaps over another connection.

        After a restart of the engine it is only known that it was connected until the journal's last event at
        the least, so that its own first entry counts as the beginning: no limit is said to be exceeded that
        perhaps was not.
        """
        known = self.periods.get(reader)
        if known is not None and (known[0] >= alone_ms or at_ms < alone_ms - codes.SKEW_MS_MAX):
            return 0
        since_ms = at_ms if restarted or not alone_ms else alone_ms
        return since_ms if known is None or since_ms > known[0] else 0

    def exceeded(self, reader: str, at_ms: int, since_ms: int) -> tuple[int, ...]:
        """Which limits one more opening of an entry exceeds, as reasons. since_ms: as `begins` gave it."""
        rules = self.rules
        if rules is None:
            return ()
        since, entries = (since_ms, 0) if since_ms else self.periods[reader]
        found = [TOO_MANY] if entries >= rules.entries else []
        return (*found, TOO_LONG) if at_ms - since > rules.hours * HOUR_MS else tuple(found)

    def told(self, event: AloneReported) -> None:
        """Another time alone."""
        self.periods[event.reader] = (event.since_ms, 0)

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        if isinstance(event, HistoryRecorded) and opens_entry(event) and event.reader in self.periods:
            since_ms, entries = self.periods[event.reader]
            self.periods[event.reader] = (since_ms, entries + 1)


def opens_entry(event: HistoryRecorded) -> bool:
    """Whether it tells of an entry that a reader opened."""
    opened = event.what == ScanDecided.TYPE and event.verdict_given == codes.OPEN
    return opened and event.way == codes.IN


def offline_of(lot: Lot) -> OfflinePart | None:
    """The part where the lot's readers may decide alone, else None."""
    part = lot.ruled(OfflinePart.THEME)
    return part if isinstance(part, OfflinePart) else None


OfflinePart.APPLIERS = {AloneReported: lambda lot, event, position: lot.parts[OfflinePart.THEME].told(event)}


# -- POLICY


class PolicyBody(NamedTuple):
    """What a POLICY says, in the order of its fields; left_out: denied and known credentials that there was
    no room for.
    """

    verify_keys: tuple[tuple[str, bytes], ...]
    deny: tuple[bytes, ...]
    offline: dict[str, Any]
    left_out: tuple[int, int]


NOTHING = PolicyBody((), (), {"hours": 0}, (0, 0))
"""A reader that has this decides nothing alone."""

DENY_BYTES = 2 + 32
KNOWN_BYTES = 2 + 8
HEADS_BYTES = 16
"""Of the arrays around them, at the most."""


def policy_of(lot: Lot, cards: str, now_ms: int, room: int) -> PolicyBody:
    """What a reader may decide alone, in at most `room` bytes. cards: as `cards_of`.

    Deny list before known credentials: who is let in although he is denied costs more than who has to wait.
    Of each the latest first; what does not fit is left out.
    """
    part = offline_of(lot)
    if part is None or part.rules is None or not part.rules.hours:
        return NOTHING
    rules = part.rules
    keys = verify_keys(lot, now_ms)
    offline: dict[str, Any] = {"hours": rules.hours, "entries": rules.entries, "lot": lot.id, "cards": cards}
    room -= HEADS_BYTES + len(msgspec.msgpack.encode([keys, [], offline | {"known": []}]))
    deny = list(islice(reversed(lot.denied), max(0, min(rules.deny_max, room // DENY_BYTES))))
    room -= len(deny) * DENY_BYTES
    known = [] if cards == "off" else _known(lot, cards, now_ms)
    named = known[: max(0, min(rules.known_max, room // KNOWN_BYTES))]
    offline["known"] = tuple(name_of(credential)[:8] for credential in named)
    left_out = len(lot.denied) - len(deny), len(known) - len(named)
    return PolicyBody(keys, tuple(map(name_of, deny)), offline, left_out)


def name_of(credential: bytes) -> bytes:
    """How a POLICY names a credential (kind byte, then its identity): by its SHA-256."""
    return hashlib.sha256(credential).digest()


def _known(lot: Lot, cards: str, now_ms: int) -> list[bytes]:
    """Registered ones and holders of passes that are good now or soon, the latest first, without denied ones.
    Where any card opens, cards come last: only a lane in mode 5 looks for them.
    """
    found = dict.fromkeys(reversed(lot.known)) | dict.fromkeys(_holders(lot, now_ms))
    known = [each for each in found if each not in lot.denied]
    return sorted(known, key=lambda each: each[0] == CARD) if cards == "open" else known


def _holders(lot: Lot, now_ms: int) -> Iterable[bytes]:
    """Who has a pass whose validity touches the hours for which a reader may be alone. Weekly times, groups'
    limits and uses are not a reader's to know: what it let in against them is found afterwards.
    """
    part, offline = lot.ruled("entitlements"), offline_of(lot)
    if part is None or offline is None or offline.rules is None:
        return ()
    until_ms = now_ms + offline.rules.hours * HOUR_MS
    passes = [each for each in part.passes.values() if each.from_ms <= until_ms and each.until_ms > now_ms]
    members = [member for group in part.groups.values() for member in group.members]
    return [*(credential for each in reversed(passes) for credential in each.spec.credentials), *members]


def verify_keys(lot: Lot, now_ms: int) -> tuple[tuple[str, bytes], ...]:
    """(kid, 32 bytes of Ed25519) of the lot's keys for signed tickets that vouch now or later. A MAC's key is
    no reader's: it must not lie where somebody can take it home.
    """
    part = lot.ruled("tickets")
    if part is None:
        return ()
    keys = (key for key in part.rules.keys if key.alg == "ed25519" and key.until_s > now_ms // 1000)
    return tuple((key.kid, bytes.fromhex(key.public)) for key in keys)


def cards_of(lot: Lot, reader: Reader) -> str:
    """What a reader alone does with cards: by the lot's rules, or as the strictest of its entries takes
    them, since it cannot tell the lanes of one POLICY apart.
    """
    part = offline_of(lot)
    if part is None or part.rules is None:
        return "off"
    if part.rules.cards != "lane":
        return part.rules.cards
    taken = {lane.policy[CARD] for lane in reader.lanes.values() if lane.direction != "exit"}
    return next((each for each in ("off", "known", "open") if each in taken), "off")
