"""The wall clock of those who keep and carry events; what must be repeated exactly takes time as given."""

import time


def now_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000
