"""How each sink is: what `liftgate status` shows, and what the log says when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import structlog
from msgspec import Struct

from liftgate.history.clock import now_ms
from liftgate.relay.gaps import Gap

log = structlog.get_logger()

State = Literal["opening", "catching up", "live", "degraded"]
Part = Literal["sink", "engine", "relay"]


class SinkStatus(Struct, kw_only=True):
    """One sink as it is. Positions are the journal's, times Unix milliseconds.

    safe: all up to here is in the sink for good, and the engine was told; written: given to the sink;
    received: read from the engine; end: of the journal when the engine last said; behind: events between safe
    and end; waiting_bytes: received and not written; state since since_ms, why: "" unless degraded; begun_ms:
    when the feed began; batches: written since then; skipped: events that the sink will never have, as the
    journal had them no more and somebody had it go on.
    """

    name: str
    state: State = "opening"
    since_ms: int = 0
    why: str = ""
    safe: int = 0
    written: int = 0
    received: int = 0
    end: int = 0
    waiting_bytes: int = 0
    begun_ms: int = 0
    batches: int = 0
    dead_letters: int = 0
    skipped: int = 0

    @property
    def behind(self) -> int:
        """Events that the journal has and the sink has not for good."""
        return max(self.end - self.safe, 0)


class RelayStatus(Struct, kw_only=True):
    """The status file: who writes it, when it did last, and its sinks."""

    pid: int
    at_ms: int
    sinks: list[SinkStatus]


class Health:
    """Why a sink does not get on, by the part that fails; each reason is logged once.

    behind_max: events not written yet up to which the sink counts as live.
    """

    def __init__(self, name: str, behind_max: int) -> None:
        self.status = SinkStatus(name=name, since_ms=now_ms())
        self.begun = False
        self._behind_max = behind_max
        self._why: dict[Part, str] = {}

    def degrade(self, part: Part, why: str) -> None:
        """`part` fails."""
        if self._why.get(part) != why:
            self._why[part] = why
            log.warning("relay.degraded", sink=self.status.name, part=part, why=why)
        self.judge()

    def recover(self, part: Part) -> None:
        """`part` is well."""
        if self._why.pop(part, None) is not None:
            log.info("relay.recovered", sink=self.status.name, part=part)
        self.judge()

    def skipped(self, gaps: Sequence[Gap]) -> None:
        """These the sink went past."""
        self.status.skipped = sum(gap.events for gap in gaps)

    def begin(self, received: int, end: int, *, anew: bool) -> None:
        """The feed goes on behind `received`, the journal ends with `end`; anew: from what the sink has."""
        status = self.status
        self.begun = True
        if anew:
            status.safe = status.written = received
            status.begun_ms, status.batches = now_ms(), 0
        status.received, status.end = received, end
        self.judge()

    def judge(self) -> None:
        """Say what all comes to."""
        status = self.status
        status.why = "; ".join(f"{part}: {why}" for part, why in self._why.items())
        if self._why:
            state: State = "degraded"
        elif not self.begun:
            state = "opening"
        else:
            state = "live" if status.end - status.written <= self._behind_max else "catching up"
        if state != status.state:
            status.state, status.since_ms = state, now_ms()
