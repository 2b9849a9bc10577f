"""A lane at its reader's end: mode, whom the barrier was raised for, and who waits before it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from liftgate.configs.schema import LaneConfig

NORMAL = 1
HELD_OPEN = 2
CLOSED = 3
CLOSED_TO_ALL = 4

QUEUE_MAX = 8
"""Cars before one barrier; who comes then drives on, as on a street."""

Act = Callable[[], None]


class LaneEnd:
    """One lane. mode: as SET_LANE said last; session: of whom the barrier was raised for, till the passage.

    opened_alone: that was not the engine's decision.
    """

    __slots__ = (
        "_queue",
        "_stuck",
        "busy",
        "confirm",
        "direction",
        "mode",
        "number",
        "opened_alone",
        "session",
    )

    def __init__(self, config: LaneConfig) -> None:
        self.number = config.number
        self.adopt(config)
        self.busy = False
        self._queue: deque[Act] = deque()
        self._stuck: Act | None = None
        self.forget()

    def adopt(self, config: LaneConfig) -> None:
        """Be what the configuration says now."""
        self.direction = config.direction
        self.confirm = config.confirm

    def forget(self) -> None:
        """The reader begins anew. The cars before it are still there."""
        self.mode = NORMAL
        self.session: bytes | None = None
        self.opened_alone = False

    # -- cars

    def enter(self, turn: Act) -> bool:
        """Drive up to the barrier: `turn` is called when it is this car's. False: too many are waiting."""
        if not self.busy:
            self.busy = True
            turn()
        elif len(self._queue) >= QUEUE_MAX:
            return False
        else:
            self._queue.append(turn)
        return True

    def leave(self) -> None:
        """The car at the barrier is gone: the next one drives up."""
        self._stuck = None
        if self._queue:
            self._queue.popleft()()
        else:
            self.busy = False

    def wait_raise(self, then: Act) -> None:
        """Have `then` called when somebody raises the barrier for the car that stands there."""
        self._stuck = then

    def raised(self) -> None:
        """The barrier was raised by somebody's order."""
        stuck, self._stuck = self._stuck, None
        if stuck is not None:
            stuck()
