"""Mistakes in a configuration: all of them, each with its place."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct

# difflib takes quadratic time; a name longer than any id is no slip of the finger.
_NAME_CHARACTERS_MAX = 64


class Problem(Struct, frozen=True):
    """One mistake: file as the caller named it, key such as `lot[0].area[1].parent` ("": the file)."""

    file: str
    key: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return ": ".join(part for part in (place, self.key, self.message) if part)


class ConfigErrors(Exception):
    """A configuration cannot be used; `problems` has every reason, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean "…"?' where a known word is close to this one, else ''."""
    close = get_close_matches(word, list(known), n=1) if len(word) <= _NAME_CHARACTERS_MAX else []
    return f'; did you mean "{close[0]}"?' if close else ""


def quoted(value: object) -> str:
    """The value for a message, cut to a readable length."""
    if isinstance(value, int) and value.bit_length() > 64:
        return "such a large number"  # and Python refuses to write out the largest
    text = str(value)
    text = text if len(text) <= _NAME_CHARACTERS_MAX else f"{text[:_NAME_CHARACTERS_MAX]}…"
    return f'"{text}"' if isinstance(value, str) else text
