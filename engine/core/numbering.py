"""Which events of a reader are known, and what was answered: the memory behind "once".

A numbering is one reader's count under one boot. Events may come out of order (live before backlog), so
what is known is `1..done_to` and ranges above it.
"""

from bisect import bisect_left

from liftgate.codecs import codes

GAPS_MAX = 64
"""Ranges above done_to. A reader that leaves more holes than that is told to replay first (ERROR 11)."""


class Numbering:
    """The events of one (reader, boot).

    done_to: 1..done_to are known; ranges: [from, to] pairs above it that are known too, ascending, apart.
    retired: nothing under this boot is decided any more; mixed: how many more events in order it takes until
    the last 256 all came in order, so that what a slot gives up is 256 answers old.
    """

    def __init__(self, boot: int, retired: bool = False) -> None:
        self.boot = boot
        self.retired = retired
        self.done_to = 0
        self.ranges: list[list[int]] = []
        self.slots: list[object] = []
        self.late: dict[int, object] = {}
        self.mixed = 0

    def has(self, no: int) -> bool:
        """Whether event `no` was decided, or can not be any more because the numbering is retired."""
        if no <= self.done_to or self.retired:
            return True
        if not self.ranges:
            return False
        place = self._place(no)
        return place < len(self.ranges) and self.ranges[place][0] <= no

    def fits(self, no: int) -> bool:
        """Whether `no` can be noted without more than GAPS_MAX ranges."""
        if no == self.done_to + 1 or len(self.ranges) < GAPS_MAX:
            return True
        place = self._place(no)
        touches_next = place < len(self.ranges) and self.ranges[place][0] == no + 1
        return touches_next or (place > 0 and self.ranges[place - 1][1] == no - 1)

    def answer(self, no: int) -> object:
        """The event that answered `no`, or None when it is no longer kept."""
        if self.slots:
            event = self.slots[no & (codes.ANSWERS_KEPT - 1)]
            if event is not None and event.no == no:  # type: ignore[attr-defined]
                return event
        return self.late.get(no)

    def note(self, no: int, event: object) -> None:
        """Remember that `event` decided `no`."""
        if no == self.done_to + 1 and not self.ranges:
            self.done_to = no
            self._keep(no, event, self.mixed > 0)
            if self.mixed:
                self._settle()
        else:
            self._note_apart(no)
            self._keep(no, event, True)
            self.mixed = codes.ANSWERS_KEPT

    def _settle(self) -> None:
        """One more came in order; after 256 of them all that is late is older than that."""
        self.mixed -= 1
        if not self.mixed:
            self.late = {}

    def _keep(self, no: int, event: object, apart: bool) -> None:
        """Keep the answer. In order, what a slot held is 256 answers old; out of order it may be young."""
        slots = self.slots
        if not slots:
            slots.extend([None] * codes.ANSWERS_KEPT)
        place = no & (codes.ANSWERS_KEPT - 1)
        before = slots[place]
        slots[place] = event
        if apart and before is not None:
            self._keep_late(before)

    def _keep_late(self, event: object) -> None:
        late = self.late
        late[event.no] = event  # type: ignore[attr-defined]
        if len(late) > codes.ANSWERS_KEPT:
            del late[next(iter(late))]

    def _place(self, no: int) -> int:
        """Index of the first range that ends at or after `no`."""
        return bisect_left(self.ranges, no, key=_end)

    def _note_apart(self, no: int) -> None:
        """Put `no` into the ranges, join what touches, and let done_to grow over what became whole."""
        ranges = self.ranges
        place = self._place(no)
        low = high = no
        if place < len(ranges) and ranges[place][0] == no + 1:
            high = ranges.pop(place)[1]
        if place > 0 and ranges[place - 1][1] == no - 1:
            low = ranges.pop(place - 1)[0]
            place -= 1
        if low == self.done_to + 1:
            self.done_to = high
        else:
            ranges.insert(place, [low, high])

    def retire(self) -> None:
        """Give up the answers; what was numbered stays decided."""
        self.retired = True
        self.slots = []
        self.late = {}

    def kept(self) -> tuple[list[object], list[object]]:
        """Every answer that is kept: those in order of their slots, and those that came out of order."""
        return [event for event in self.slots if event is not None], list(self.late.values())

    def restore(
        self, done_to: int, ranges: list[list[int]], mixed: int, slots: list[object], late: list[object]
    ) -> None:
        """Set the state that done_to, ranges, mixed and kept() described."""
        self.done_to = done_to
        self.ranges = ranges
        self.mixed = mixed
        for event in slots:
            self._keep(event.no, event, False)  # type: ignore[attr-defined]
        for event in late:
            self._keep_late(event)


def _end(pair: list[int]) -> int:
    return pair[1]
