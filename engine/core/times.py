"""Which clock decides."""

from liftgate.engine.core.commands import SKEW_MS_MAX


def decision_time(at_ms: int, now_ms: int) -> int:
    """The reader's time, or the engine's where the two are more than 10 s apart (protocol.md)."""
    skew = at_ms - now_ms
    return now_ms if skew > SKEW_MS_MAX or skew < -SKEW_MS_MAX else at_ms
