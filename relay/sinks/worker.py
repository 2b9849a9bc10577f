"""An event loop of its own, on a thread of its own, for a client that cannot be told to give up.

aiokafka's producer retries for ever in tasks of its own that it does not hand out, so an unreachable broker
leaves them running whatever is cancelled from outside. Here they end with their loop. It also keeps the
encoding of ten thousand events out of the relay's own loop, which has heartbeats to answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

T = TypeVar("T")

log = structlog.get_logger()


class Worker:
    """Runs coroutines elsewhere until it is closed."""

    def __init__(self, name: str) -> None:
        """name: of the thread. Starts at once."""
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        # A daemon, so that a thread that hangs in a library never holds up the relay's end.
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()
        self._ready.wait()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The coroutine's outcome; cancelling this cancels it there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    def begin(self, work: Callable[[], object]) -> None:
        """Have it called there, soon; what it returns is nobody's."""
        self._loop.call_soon_threadsafe(work)

    async def aclose(self) -> None:
        """Cancel whatever still runs there and wait for the thread's end."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        with asyncio.Runner() as runner:  # which cancels every task that is left, and waits for it
            self._loop = runner.get_loop()
            self._loop.set_exception_handler(_note)
            self._ready.set()
            self._loop.run_forever()


def _note(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What a library's own tasks end with; who waited for their work has had it as an exception already."""
    log.info("worker.background", what=context["message"], why=repr(context.get("exception")))
