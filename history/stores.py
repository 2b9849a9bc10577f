"""The store and the recorder that a configuration names."""

from liftgate.configs.history import HistoryConfig
from liftgate.history.port import Store, StoreMisfit
from liftgate.history.privacy import Hasher
from liftgate.history.recorder import Recorder
from liftgate.history.sqlite import SqliteStore


def store_of(config: HistoryConfig) -> Store:
    """The store, not open. Raises StoreMisfit for one that this installation does not have."""
    if config.store == "sqlite":
        return SqliteStore(config.path, keep_days=config.keep_days, personal_hours=config.personal_hours)
    raise StoreMisfit(f"this Liftgate has no store {config.store!r}")


def recorder_of(config: HistoryConfig) -> Recorder:
    """What fills it. Raises StoreMisfit."""
    keep_tokens = config.personal_hours > 0
    return Recorder(store_of(config), config.feed, Hasher(config.key), keep_tokens=keep_tokens)
