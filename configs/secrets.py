"""Secrets and where they come from, when they do not stand in the file itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from liftgate.configs.table import Table

SECRET_BYTES_MAX = 4096
"""A secret's file is one line; one with a megabyte in it is another file."""


class Password(str):
    """A secret text that no log, traceback or repr of a configuration shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Password(…)"


def variable(table: Table, place: str, name: str, environ: Mapping[str, str]) -> str | None:
    """What the environment has under a name; None, and noted at `place`, where it has nothing."""
    if name not in environ:
        table.note(place, f"environment variable {name} is not set")
    return environ.get(name)


def file_bytes(path: Path) -> bytes:
    """The beginning of a secret's file. Raises OSError, ValueError."""
    with path.open("rb") as file:
        return file.read(SECRET_BYTES_MAX)
