"""What a part is."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from liftgate.codecs.events.operators import FindingMade, OperatorEvent
from liftgate.engine.core.events import HistoryRecorded, PassageRecorded, ReaderEvent
from liftgate.engine.core.model import Area, Lane, Lot, Stay

if TYPE_CHECKING:
    from liftgate.engine.core.commands import Order

NEVER = 1 << 62
"""A time that does not come, ms."""

LOOK_EVERY_MS = 1000
"""How often a lot that changes all the time is looked at: an impossible count is found as soon as that, and
nobody walks there faster.
"""

Done = tuple[list[OperatorEvent], dict[str, Any]]
"""What an order came to: its events, with seq from lot.seq + 1 on, and the body of its outcome."""

CarryOut = Callable[[Lot, "Order", Any], Done]
Reply = tuple[bool, str, dict[str, Any]]
"""What a query is answered: ok, code, body."""

Applier = Callable[[Lot, Any, int], None]


class Part:
    """One theme of a lot's rules, with what it has to remember.

    THEME: its name in the file, in `lot.parts` and in snapshots; ORDERS: commands it adds, by name, each with
    the shape of its args, and QUERIES; APPLIERS: how its own events change the lot. next_ms: when
    `due` may have something, as far as time alone brings it. on: whether it is told of cars and events under
    the rules there are; watches, listens: whether of cars (`moved`), and of events (`heard`), in that case;
    every_scan: whether, of events, also of scans without marks or with usual ones (`core/marks.py`).
    """

    THEME: ClassVar[str] = ""
    ORDERS: ClassVar[dict[str, tuple[type[Any], CarryOut]]] = {}
    QUERIES: ClassVar[dict[str, tuple[type[Any], Callable[[Lot, Any], Reply]]]] = {}
    APPLIERS: ClassVar[dict[type, Applier]] = {}

    def __init__(self, lot: Lot) -> None:
        self.lot = lot
        self.on = True
        self.watches = True
        self.listens = True
        self.every_scan = True
        self.next_ms = NEVER
        self._looked_seq = -1
        self._looked_ms = 0

    def configure(self, rules: msgspec.Struct | None) -> None:
        """Take the theme's rules as they are from here on; None: the lot has none. State stays."""

    def dump(self) -> Any:
        """The state as plain data, None where there is none: a snapshot is then as before the theme."""
        return None

    def load(self, data: Any) -> None:
        """Set the state that `dump` gave."""

    def adopt(self) -> None:
        """The lot came from a snapshot that knows nothing of this part: take over what it has of it."""

    def relinked(self) -> None:
        """A reader was configured: its lanes are new objects under the same numbers, or gone."""

    def due(self, now_ms: int) -> list[OperatorEvent]:
        """What time brings. It looks and changes nothing; seq is 0 in each, numbered by the caller. Where it
        finds nothing it may put next_ms off, which is no part of the state.
        """
        return []

    def due_ms(self) -> int:
        """When `due` may have something."""
        if self._looked_seq < 0 or self._looked_seq == self.lot.seq:
            return self.next_ms
        return min(self.next_ms, self._looked_ms + LOOK_EVERY_MS)

    def look_at_changes(self, now_ms: int, next_ms: int) -> None:
        """Nothing was found now: there is nothing until next_ms, unless the lot changes. For those to whom
        any event may matter, though none is worth a look of its own.
        """
        self.next_ms, self._looked_ms, self._looked_seq = next_ms, now_ms, self.lot.seq

    def look_at_once(self, is_on: bool) -> None:
        """Whatever was found so far: `due` may have something now, or never."""
        self.next_ms, self._looked_seq = 0 if is_on else NEVER, -1

    def moved(self, stay: Stay, before: Area | None) -> None:
        """A car went from `before` to stay.area, None = the street; called only where overridden."""

    def shifted(self, stay: Stay) -> None:
        """A car was counted into the area that it was in already, perhaps to another spot or to none."""

    def renamed(self, stay: Stay) -> None:
        """The stay goes on under another credential, and stands last in `lot.stays` now."""

    def heard(self, event: ReaderEvent, stay: Stay | None) -> None:
        """An event of a reader was applied; stay: the one it was about. Called only where overridden."""

    def passed(self, event: PassageRecorded | HistoryRecorded, what: int, lane: Lane) -> None:
        """A PASSAGE, live or out of history, was applied; called only where overridden."""

    def found(self, event: FindingMade) -> None:
        """A finding was journalled, its own or another's."""

    def recounted(self, area: Area) -> None:
        """The area's count was set by hand: what was guessed of it before does not matter any more."""

    def mode_changed(self, lane: Lane, before: int) -> None:
        """A lane works in another mode from here on (lane.mode), whoever and whatever set it."""
