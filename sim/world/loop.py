"""Virtual time: what is to be done when. Nothing here knows a real clock."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush

START_MS = 1_800_000_000_000
"""When worlds begin, Unix time in ms, unless their shape says otherwise: 2027-01-15 08:00 UTC, a Friday."""

Act = Callable[[], None]


class Timer:
    """Something to be done later, unless it is cancelled before."""

    __slots__ = ("act", "due_ms")

    def __init__(self, due_ms: int, act: Act) -> None:
        self.due_ms = due_ms
        self.act: Act | None = act

    def cancel(self) -> None:
        """Forget it; after it was done this changes nothing."""
        self.act = None


class Loop:
    """A heap of timers. now_ms: the virtual Unix time; done: how many were done."""

    __slots__ = ("_asked", "_heap", "done", "now_ms")

    def __init__(self, start_ms: int = START_MS) -> None:
        self.now_ms = start_ms
        self.done = 0
        self._asked = 0
        self._heap: list[tuple[int, int, Timer]] = []

    def at(self, due_ms: int, act: Act) -> Timer:
        """Do it then; what is past is done now. What is due in the same ms is done in the order of asking."""
        if due_ms < self.now_ms:
            due_ms = self.now_ms
        timer = Timer(due_ms, act)
        self._asked += 1
        heappush(self._heap, (due_ms, self._asked, timer))
        return timer

    def after(self, ms: int, act: Act) -> Timer:
        """Do it in so many ms."""
        return self.at(self.now_ms + ms, act)

    def run(self, until_ms: int, findings: Sequence[object] = ()) -> None:
        """Do all that is due until then, the last ms included; end at once when there are findings."""
        heap = self._heap
        while heap and heap[0][0] <= until_ms and not findings:
            due_ms, _, timer = heappop(heap)
            act = timer.act
            if act is not None:
                self.now_ms = due_ms
                timer.act = None
                self.done += 1
                act()
        if not findings:
            self.now_ms = max(self.now_ms, until_ms)
