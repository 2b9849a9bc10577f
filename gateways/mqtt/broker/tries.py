"""Connecting again: to the engine, and to the broker, alike."""

from collections.abc import AsyncIterator

import stamina

PAUSE_S_MIN, PAUSE_S_MAX = 0.1, 5.0
"""Who is back is found within so long; who comes up is asked rarely enough. A tenth of a second of jitter, so
that several gateways do not knock together."""


def tries(lost: type[Exception]) -> AsyncIterator[stamina.Attempt]:
    """Attempts without an end, with growing pauses, for as long as they raise `lost`."""
    return aiter(
        stamina.retry_context(
            on=lost,
            attempts=None,
            timeout=None,
            wait_initial=PAUSE_S_MIN,
            wait_max=PAUSE_S_MAX,
            wait_jitter=PAUSE_S_MIN,
        )
    )
