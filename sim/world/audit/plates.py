"""Plates: what a camera read, and how far two readings are apart, as docs/rules/identity.md says."""

from typing import Any

PLATE = 4
"""Its kind of credential."""

KEPT = 16
"""Characters of a plate that are kept."""

_ALIKE = ("0ODQ", "1IL", "1T", "7T", "8B", "5S", "2Z", "6G", "4A", "UV")
_SKEW_MS = 20_000
"""A plate that is told later than its credential belongs to the next one; two clocks may be 10 s off each."""

Seen = tuple[str, int]
"""A plate, and when it was read."""


def normal(token: bytes) -> str:
    """Letters and digits, in capitals."""
    text = token.decode("utf-8", "replace").upper()
    return "".join(char for char in text if char.isalnum())[:KEPT]


def apart(one: str, other: str) -> float:
    """The least that turns one into the other: a character more, less or changed 1, a confused one ½."""
    best = {(0, 0): 0.0}
    for i in range(len(one) + 1):
        for j in range(len(other) + 1):
            ways = [best[0, 0]] if i == j == 0 else []
            if i:
                ways.append(best[i - 1, j] + 1)
            if j:
                ways.append(best[i, j - 1] + 1)
            if i and j:
                ways.append(best[i - 1, j - 1] + _changed(one[i - 1], other[j - 1]))
            best[i, j] = min(ways)
    return best[len(one), len(other)]


def _changed(char: str, other: str) -> float:
    if char == other:
        return 0
    return 0.5 if any(char in alike and other in alike for alike in _ALIKE) else 1


def is_witnessed(rules: dict[str, Any], lane: tuple[str, int]) -> bool:
    """Whether a plate opens nothing at that lane."""
    identity = rules.get("identity", {})
    found = identity.get("lanes", {}).get(f"{lane[0]}/{lane[1]}", identity.get("plates", "credential"))
    return bool(found == "witness")


def seen_at(rules: dict[str, Any], seen: Seen | None, at_ms: int) -> str | None:
    """The plate that waits for a credential of that time."""
    if seen is None or "identity" not in rules:
        return None
    fresh = -_SKEW_MS <= at_ms - seen[1] <= rules["identity"].get("witness_s", 30) * 1000
    return seen[0] if fresh else None
