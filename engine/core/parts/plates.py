"""Plates that stays came in with, and whether two readings are of one plate."""

from functools import lru_cache
from typing import Any

from liftgate.codecs import codes
from liftgate.engine.core.model import Stay

PLATE = codes.PLATE
"""Its kind of credential."""

PLATE_MAX = 16
"""Characters of a plate that are kept and compared; the longest in use have 10."""

_LOOKALIKES = (
    "0O",
    "0D",
    "0Q",
    "OD",
    "OQ",
    "DQ",
    "1I",
    "1L",
    "IL",
    "1T",
    "8B",
    "5S",
    "2Z",
    "6G",
    "4A",
    "UV",
    "7T",
)
LOOKALIKES = frozenset(pair for text in _LOOKALIKES for pair in (text, text[::-1]))
"""What cameras take for each other; such a difference counts a half."""


def normal(token: bytes) -> str:
    """A plate's letters and digits, in capitals, without what stands between them."""
    text = token.decode("utf-8", "replace").upper()
    return "".join(char for char in text if char.isalnum())[:PLATE_MAX]


@lru_cache(maxsize=256)  # a rule that refuses is asked again for its trace
def edits(one: str, other: str) -> float:
    """How far two plates are apart: characters added, left out or changed, a look-alike for a half.

    Levenshtein's distance by rows. With numbers of cost 2 and 1, so that nothing is rounded.
    """
    above = [2 * place for place in range(len(other) + 1)]
    for line, char in enumerate(one, 1):
        row = [2 * line]
        for place, against in enumerate(other, 1):
            row.append(min(above[place] + 2, row[-1] + 2, above[place - 1] + _change(char, against)))
        above = row
    return above[-1] / 2


def _change(char: str, other: str) -> int:
    if char == other:
        return 0
    return 1 if char + other in LOOKALIKES else 2


def note(stay: Stay, name: str, value: Any) -> None:
    """Keep something of who it is with the stay."""
    notes = stay.notes or {}
    stay.notes = {**notes, "identity": {**notes.get("identity", {}), name: value}}


def plate_of(stay: Stay) -> str | None:
    """The plate that the stay came in with: read beside its credential, or the credential itself."""
    known: str | None = None if stay.notes is None else stay.notes.get("identity", {}).get("plate")
    if known is None and stay.credential[0] == PLATE:
        return normal(stay.credential[1:])
    return known
