"""The journal of a configuration, opened for reading."""

from __future__ import annotations

from liftgate.commands.common import Trouble
from liftgate.configs.schema import Config
from liftgate.engine.core.model import Lot
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.replay import read_lots


def storage_of(config: Config) -> DiskStorage:
    """The journal's folder, for reading; it is not made. Raises Trouble if there is none."""
    folder = config.engine.journal
    if not folder.is_dir():
        raise Trouble(f"there is no journal at {folder}: has an engine run on this configuration?")
    return DiskStorage(folder, make=False)


def lots_of(config: Config) -> list[Lot]:
    """The file's lots as its journal has them; none where no engine ran yet. Files are only read.

    An engine may run on them: what it answered by now is there. Raises JournalRotten, StorageError.
    """
    if not config.engine.journal.is_dir():
        return []
    lots = read_lots(storage_of(config))
    return [lots[lot.id] for lot in config.lots if lot.id in lots]
