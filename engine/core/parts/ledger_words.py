"""A ledger in words: how an area came to its count."""

from datetime import UTC, datetime
from typing import Any

from liftgate.engine.core.model import Area

TEXT_MAX = 512
"""Characters of a finding's text; what does not fit is asked for by the query "ledger"."""

_SIGNED = (
    ("entered", "+"),
    ("left", "-"),
    ("closed", "-"),
    ("followed_in", "+"),
    ("followed_out", "-"),
    ("unnamed_in", "+"),
    ("unnamed_out", "-"),
)


def explained(area: Area) -> str:
    """The sum, then the last entries that are no entries and exits of stays, the latest first."""
    tally = area.tally
    parts = [f"{tally.base} counted"]
    for name, sign in _SIGNED:
        number = getattr(tally, name)
        if number:
            parts.append(f"{sign} {number} {name.replace('_', ' ')}")
    for name in ("corrected", "configured", "named"):
        if change := getattr(tally, name):
            parts.append(f"{change:+d} {name}")
    late = (
        f"; {tally.late_in} in and {tally.late_out} out by REPLAY" if tally.late_in or tally.late_out else ""
    )
    text = f"area {area.id}, capacity {area.capacity}: {tally.sum()} = {' '.join(parts)}{late}"
    for entry in reversed(tally.entries):
        more = f"; {entry_words(entry)}"
        if len(text) + len(more) > TEXT_MAX:
            break
        text += more
    return text[:TEXT_MAX]


def entry_words(entry: list[Any]) -> str:
    """One entry, with its time in UTC."""
    at_ms, cause, change, about = entry
    when = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{when} {cause} {change:+d} ({about})"
