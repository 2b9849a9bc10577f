"""Trying again: with growing pauses, jitter, and a word about why."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

import stamina

T = TypeVar("T")

PAUSE_S_MIN = 0.1
PAUSE_S_MAX = 5.0
"""An engine or a database that is back is found within so long; one that comes up is asked rarely enough."""

JITTER_S = 0.5
"""Several sinks, and the relays of a whole site, must not knock together."""

Call = Callable[[], Awaitable[T]]


async def patiently(
    call: Call[T], errors: tuple[type[Exception], ...], told: Callable[[Exception], None]
) -> T:
    """The result of `call`, tried again for ever while it raises one of `errors`; each is told first.

    Without an end, because nothing is lost by waiting: the journal keeps what comes, and it is the journal's
    own bound that says when that must stop. Anything else that `call` raises ends it.
    """
    async for attempt in stamina.retry_context(
        on=errors,
        attempts=None,
        timeout=None,
        wait_initial=PAUSE_S_MIN,
        wait_max=PAUSE_S_MAX,
        wait_jitter=JITTER_S,
    ):
        with attempt:
            try:
                return await call()
            except errors as error:
                told(error)
                raise
    raise AssertionError("tries do not end")
