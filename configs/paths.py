"""Paths in a configuration are relative to the file's own folder."""

from __future__ import annotations

import os
from pathlib import Path

from liftgate.configs.table import Table


def existing(table: Table, key: str, folder: Path, name: str) -> Path:
    """name from folder on; a file that cannot be read is noted at key."""
    path = resolve(folder, name)
    try:
        if name:
            path.open("rb").close()
    except (OSError, ValueError) as error:
        table.note(key, f'cannot read "{name}": {getattr(error, "strerror", None) or error}')
    return path


def maybe_existing(table: Table, key: str, folder: Path) -> Path | None:
    """The file that key names, None where it is left out."""
    name = table.maybe_text(key)
    return existing(table, key, folder, name) if name else None


def note_half_pair(table: Table) -> None:
    """Note a certificate without its key, or a key without one."""
    for one, other in (("cert", "key"), ("key", "cert")):
        if table.has(one) and not table.has(other):
            table.note(other, f"is missing: {one} is of no use without it")


def resolve(folder: Path, name: str) -> Path:
    """name from the file's folder on, without `..`; a NUL in it, noted before, must not stop us here."""
    return Path(os.path.normpath(folder / name))
