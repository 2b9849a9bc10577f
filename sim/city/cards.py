"""Which card a car carries: as few as needed, and never one that is still inside or on its way out."""

from __future__ import annotations

import hashlib
from heapq import heappop, heappush

# The data has whole minutes: a card that leaves in one minute may in truth leave at the end of it.
REST_MS = 60_000
# UIDs of 7 bytes start with the chip maker's number; 04 is NXP, whose cards these would be.
_MAKER = b"\x04"


def token_of(lot: str, number: int) -> bytes:
    """Return the UID of a lot's card: maker, 3 bytes that name the lot, 3 bytes of number."""
    return _MAKER + hashlib.sha256(lot.encode()).digest()[:3] + number.to_bytes(3, "big")


class Cards:
    """The cards of one lot. Each arrival takes the lowest number that has been outside for REST_MS.

    So a lot needs hardly more cards than it ever held cars, cards come back as a regular's does, and
    anti-passback is never met by accident. A card for each stay would be simpler and would never try an
    engine on a card that returns.
    """

    __slots__ = ("_free", "_issued", "_lot", "_resting")

    def __init__(self, lot: str) -> None:
        self._lot = lot
        self._free: list[int] = []
        self._resting: list[tuple[int, int]] = []
        self._issued = 0

    def take(self, at_ms: int) -> int:
        """Return the number of the card for a car that arrives at at_ms; calls must come in order of time."""
        while self._resting and self._resting[0][0] + REST_MS <= at_ms:
            heappush(self._free, heappop(self._resting)[1])
        if self._free:
            return heappop(self._free)
        self._issued += 1
        return self._issued

    def give_back(self, number: int, left_at_ms: int) -> None:
        """Note when the card leaves; that may lie ahead of the arrivals still to come."""
        heappush(self._resting, (left_at_ms, number))

    def token(self, number: int) -> bytes:
        """Return the UID of card number."""
        return token_of(self._lot, number)
