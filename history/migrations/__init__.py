"""How a store's schema came to be what it is: numbered files, each run once."""

from importlib.resources import files
from typing import NamedTuple


class Migration(NamedTuple):
    """number: the schema's version after it, from 1 without gaps."""

    number: int
    text: str


def migrations(store: str) -> tuple[Migration, ...]:
    """Those of a store ("sqlite", "cassandra"), in order. Files are named by number and what they are for."""
    folder = files(__name__) / store
    found = sorted(
        (
            Migration(int(entry.name.split("_")[0]), entry.read_text(encoding="utf-8"))
            for entry in folder.iterdir()
        ),
        key=lambda migration: migration.number,
    )
    numbers = [migration.number for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise ValueError(f"migrations of {store}: {numbers} are not 1, 2, 3, …")
    return tuple(found)
