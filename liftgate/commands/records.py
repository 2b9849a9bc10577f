"""The journal of a configuration, opened for reading."""

from __future__ import annotations

from liftgate.commands.common import Trouble
from liftgate.configs.schema import Config
from liftgate.engine.journal.disk import DiskStorage


def storage_of(config: Config) -> DiskStorage:
    """The journal's folder, for reading; it is not made. Raises Trouble if there is none."""
    folder = config.engine.journal
    if not folder.is_dir():
        raise Trouble(f"there is no journal at {folder}: has an engine run on this configuration?")
    return DiskStorage(folder, make=False)
