"""Reads one TOML table key by key, noting every mistake instead of stopping at the first.

After a mistake a reading function returns a harmless value of the right type, so that the rest of the file is
judged too; such a value never leaves the loader, because a noted mistake makes it raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, TypeVar

from liftgate.configs.problems import quoted, suggestion

ID = (re.compile(r"[A-Za-z0-9._-]{1,64}"), "1 to 64 letters, digits, '.', '_' or '-'")
_INDEX = re.compile(r"\[\d+\]")
# Longer than any path or name that makes sense, short enough for one log line.
_TEXT_CHARACTERS_MAX = 1024
_KIND_NAMES = {
    bool: "true or false",
    int: "a whole number",
    float: "a decimal number",
    str: "a string",
    list: "an array",
    dict: "a table",
}

T = TypeVar("T")
W = TypeVar("W", bound=str)

Shape = tuple[re.Pattern[str], str]


class Notes:
    """The mistakes noted so far, as (key, message)."""

    __slots__ = ("noted",)

    def __init__(self) -> None:
        self.noted: list[tuple[str, str]] = []

    def add(self, key: str, message: str) -> None:
        self.noted.append((key, message))


class Table:
    """One table of the file, the keys asked of it so far, and the tables inside it."""

    __slots__ = ("_asked", "_children", "_notes", "_path", "_raw")

    def __init__(self, raw: dict[str, object], path: str, notes: Notes) -> None:
        self._raw = raw
        self._path = path
        self._notes = notes
        self._asked: set[str] = set()
        self._children: list[Table] = []

    def note(self, key: str, message: str) -> None:
        """Note a mistake at a key of this table; "" is the table itself."""
        self._notes.add(self._at(key), message)

    def has(self, key: str) -> bool:
        return key in self._raw

    def text(self, key: str, default: str | None = None, shape: Shape | None = None) -> str:
        """A string without control characters; needed unless it has a default."""
        value = self._take(key, str, default)
        if value is None:
            return ""
        if not value.strip() or len(value) > _TEXT_CHARACTERS_MAX or not value.isprintable():
            self.note(key, f"must be 1 to {_TEXT_CHARACTERS_MAX} printable characters")
        elif shape is not None and not shape[0].fullmatch(value):
            self.note(key, f"{quoted(value)} is not {shape[1]}")
        return value

    def maybe_text(self, key: str, shape: Shape | None = None) -> str | None:
        """A string, or None where the key is left out."""
        return self.text(key, shape=shape) if self._known(key) else None

    def number(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number in low..high; needed unless it has a default."""
        value = self._take(key, int, default)
        if value is None:
            return low
        if not low <= value <= high:
            self.note(key, f"{quoted(value)} is not in {low}..{high}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value = self._take(key, bool, default)
        return default if value is None else value

    def word(self, key: str, words: tuple[W, ...], default: W | None = None) -> W:
        """One of the words; needed unless it has a default."""
        given: str | None = default
        value = self._take(key, str, given)
        return words[0] if value is None else self._pick(key, value, words)

    def words(self, key: str, words: tuple[W, ...], default: tuple[W, ...] | None = None) -> tuple[W, ...]:
        """An array of words, none twice; needed unless it has a default."""
        return tuple(self._pick(f"{key}[{i}]", word, words) for i, word in self._strings(key, default))

    def texts(self, key: str, shape: Shape) -> tuple[str, ...]:
        """An array of at least one string, all of that shape, none twice."""
        if self._raw.get(key) == []:
            self.note(key, "needs at least one")
        texts = self._strings(key, None)
        for index, text in texts:
            if not shape[0].fullmatch(text):
                self.note(f"{key}[{index}]", f"{quoted(text)} is not {shape[1]}")
        return tuple(text for _, text in texts)

    def names(self, key: str, known: Iterable[str], what: str, where: str = "") -> tuple[str, ...]:
        """An array of names of things that exist, none twice; empty where the key is left out."""
        names = self._strings(key, ())
        for index, name in names:
            self.refer(f"{key}[{index}]", name, known, what, where)
        return tuple(name for _, name in names)

    def strings(self, key: str) -> tuple[str, ...]:
        """An array of any strings, none twice; needed."""
        return tuple(text for _, text in self._strings(key, None))

    def refer(self, key: str, name: str, known: Iterable[str], what: str, where: str = "") -> None:
        """Note it if a given name is not among the known ones; one left out is noted where it is read."""
        known = list(known)
        if name and name not in known:
            self.note(key, f"no {what} {quoted(name)}{where}{suggestion(name, known)}")

    def table(self, key: str) -> Table | None:
        """The table under key, or None where it is left out or no table."""
        if not self._known(key) or (value := self._take(key, dict, None)) is None:
            return None
        return self._child(key, value)

    def plain(self, key: str) -> dict[str, Any]:
        """The table under key as it stands, for a reader of its own; empty where it is left out."""
        return self._take(key, dict, {}) or {}

    def tables(self, key: str, needed_by: str = "") -> list[Table]:
        """The array of tables under key; empty where left out, a mistake if needed_by says who needs one."""
        header = f"[[{_INDEX.sub('', self._at(key))}]]"
        values = self._array(key, header)
        if needed_by and self._raw.get(key, []) == []:
            self.note(key, f"is missing: {needed_by} has at least one {header}")
        for index, value in enumerate(values):
            if not isinstance(value, dict):
                self.note(f"{key}[{index}]", f"must be a table, written as {header}")
        return [
            self._child(f"{key}[{index}]", value)
            for index, value in enumerate(values)
            if isinstance(value, dict)
        ]

    def note_unknown(self) -> None:
        """Note the keys that nobody asked for, here and in the tables inside."""
        for key in self._raw:
            if key not in self._asked:
                self.note(key, f"unknown key{suggestion(key, self._asked)}")
        for child in self._children:
            child.note_unknown()

    def _at(self, key: str) -> str:
        return ".".join(part for part in (self._path, key) if part)

    def _known(self, key: str) -> bool:
        self._asked.add(key)
        return key in self._raw

    def _child(self, key: str, raw: dict[str, object]) -> Table:
        child = Table(raw, self._at(key), self._notes)
        self._children.append(child)
        return child

    def _take(self, key: str, kind: type[T], default: T | None) -> T | None:
        """The value if it is of this very type (true is no number here), else its mistake noted and None."""
        if not self._known(key):
            if default is None:
                self.note(key, "is missing")
            return default
        value = self._raw[key]
        if type(value) is kind:
            return value
        self.note(
            key, f"must be {_KIND_NAMES[kind]}, not {_KIND_NAMES.get(type(value), type(value).__name__)}"
        )
        return None

    def _array(self, key: str, header: str) -> list[object]:
        if self._known(key) and isinstance(self._raw[key], dict):
            self.note(key, f"can be there several times: write {header}, in two brackets")
            return []
        return self._take(key, list, []) or []

    def _strings(self, key: str, default: tuple[str, ...] | None) -> list[tuple[int, str]]:
        """The strings of an array with their places; others, and repeated ones, are noted and left out."""
        if default is not None and not self._known(key):
            return list(enumerate(default))
        found: dict[str, int] = {}
        for index, value in enumerate(self._take(key, list, None) or []):
            if not isinstance(value, str):
                self.note(f"{key}[{index}]", "must be a string")
            elif value in found:
                self.note(f"{key}[{index}]", f"{quoted(value)} is there twice")
            else:
                found[value] = index
        return [(index, value) for value, index in found.items()]

    def _pick(self, key: str, value: str, words: tuple[W, ...]) -> W:
        for word in words:
            if word == value:
                return word
        known = suggestion(value, words) or f", only {', '.join(words)}"
        self.note(key, f"{quoted(value)} is not known here{known}")
        return words[0]


def note_repeats(tables: Iterable[Table], names: Iterable[object], key: str) -> None:
    """Note every table after the first whose name (or number) at key was used before."""
    seen: set[object] = set()
    for table, name in zip(tables, names, strict=True):
        if name in seen and table.has(key):
            table.note(key, f"{quoted(name)} is used before")
        seen.add(name)
