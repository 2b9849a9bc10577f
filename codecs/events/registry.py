"""Events of the device registry: readers that came by an order and not by the configuration file.

A key stands here as it lies on disk, wrapped (`codecs/keywrap.py`). Commands that print events show its check
(`check_of`) in its place, and it leaves by no sink.
"""

from hashlib import sha256
from typing import Any

from liftgate.codecs.events.operators import OperatorEvent


def check_of(wrapped: bytes) -> str:
    """Eight hex digits that tell one wrapped key from another, for who wonders which one is in force."""
    return sha256(wrapped).hexdigest()[:8]


class ReaderRegistered(OperatorEvent, frozen=True, tag=0xA0):
    """A reader belongs to the lot, with this key: a new one, or one that had been revoked.

    key: wrapped, 40 bytes; lanes: as in ReaderConfigured, which comes with it.
    """

    reader: str
    key: bytes
    lanes: tuple[tuple[Any, ...], ...]
    actor: str
    reason: str


class ReaderChanged(OperatorEvent, frozen=True, tag=0xA1):
    """A registered reader has these lanes; ReaderConfigured comes with it."""

    reader: str
    lanes: tuple[tuple[Any, ...], ...]
    actor: str
    reason: str


class ReaderKeyRotated(OperatorEvent, frozen=True, tag=0xA2):
    """A registered reader has a new key; the one before is good too until that is used, or `until_ms`."""

    reader: str
    key: bytes
    until_ms: int
    actor: str
    reason: str


class ReaderKeyRetired(OperatorEvent, frozen=True, tag=0xA3):
    """The key before the newest one is dead. cause: "used" (the newest was), "time" (it was not)."""

    reader: str
    cause: str


class ReaderRevoked(OperatorEvent, frozen=True, tag=0xA4):
    """A registered reader may sign on no more, and its keys are forgotten; what it did stays."""

    reader: str
    actor: str
    reason: str
