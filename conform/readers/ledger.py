"""What a reader under test told: every number of every boot, whatever path it came by."""

from typing import Any

from liftgate.conform.report import Report
from liftgate.conform.wire import name, ranges, shown


class Ledger:
    """The reader's events by boot and number.

    Judges R-EVENT-1: a number names one event for ever, and none is left out between first and last seen.
    """

    def __init__(self, report: Report) -> None:
        self._report = report
        self._told: dict[int, dict[int, tuple[int, list[Any]]]] = {}
        self._kept: dict[int, set[int]] = {}

    def note(self, boot: int, kind: int, body: list[Any]) -> None:
        """An event came, live or by REPLAY, for the first time or again."""
        told = self._told.setdefault(boot, {})
        before = told.setdefault(body[0], (kind, body))
        if before != (kind, body):
            was = f"{name(before[0])} {shown(before[1])}"
            self._report.failed("R-EVENT-1", f"number {body[0]} was {was}, then {name(kind)} {shown(body)}")

    def keep(self, boot: int, no: int) -> None:
        """The event is durable, as far as the reader is told."""
        self._kept.setdefault(boot, set()).add(no)

    def known(self, boot: int) -> tuple[int, list[list[int]]]:
        """done_to and gaps, for WELCOME."""
        found = ranges(self._kept.get(boot, set()))
        if found and found[0][0] == 1:
            return found[0][1], found[1:]
        return 0, found

    def last(self, boot: int) -> int:
        """The highest number told, 0 where none was."""
        return max(self._told.get(boot, {}), default=0)

    def first(self, boot: int) -> int:
        """The lowest number told, 0 where none was."""
        return min(self._told.get(boot, {}), default=0)

    def conclude(self) -> None:
        """Judge the numbering of the whole run."""
        if not self._told:
            self._report.unseen("R-EVENT-1", "no event came")
            return
        seen = []
        for told in self._told.values():
            spans = ranges(set(told))
            seen.append(", ".join(f"{low} to {high}" for low, high in spans[:5]))
            if len(spans) > 1:
                missing = spans[1][0] - spans[0][1] - 1
                self._report.failed(
                    "R-EVENT-1", f"numbers {seen[-1]}: {missing} after {spans[0][1]} never came"
                )
        self._report.passed("R-EVENT-1", f"numbers {'; '.join(seen)}")
