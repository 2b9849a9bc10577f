"""What a reader decides without an engine: by the POLICY that it was told, from docs/protocol.md alone."""

from __future__ import annotations

import hashlib
from typing import Any

from liftgate.codecs import messages as m

HOUR_MS = 3_600_000
CARD = 2


class Alone:
    """One reader's POLICY and how much of it is used up. policy: None before any was told; since_ms: when the
    engine was there last; entries: opened since.
    """

    __slots__ = ("entries", "policy", "since_ms")

    def __init__(self) -> None:
        self.policy: m.Policy | None = None
        self.since_ms = 0
        self.entries = 0

    def connected(self, now_ms: int) -> None:
        """The engine is there, or was until now."""
        self.since_ms, self.entries = now_ms, 0

    def opens(self, policy: m.Policy, direction: str, kind: int, token: bytes, now_ms: int) -> bool:
        """Whether a lane is opened for that; nobody is kept in. An entry is counted."""
        if direction == "exit":
            return True
        offline, name = policy.offline, hashlib.sha256(bytes((kind,)) + token).digest()
        over = now_ms - self.since_ms > offline.get("hours", 0) * HOUR_MS
        if over or self.entries >= offline.get("entries", 0) or name in policy.deny:
            return False
        opened = _takes(offline, kind, name)
        self.entries += opened
        return opened


def _takes(offline: dict[str, Any], kind: int, name: bytes) -> bool:
    cards, known = offline.get("cards", "off"), name[:8] in offline.get("known", ())
    return cards != "off" and (known or (cards == "open" and kind == CARD))
