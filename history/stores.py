"""The store and the recorder that a configuration names."""

from liftgate.configs.history import HistoryConfig
from liftgate.history.port import Store, StoreMisfit
from liftgate.history.privacy import Hasher
from liftgate.history.recorder import Recorder
from liftgate.history.sqlite import SqliteStore


def store_of(config: HistoryConfig) -> Store:
    """The store, not open. Raises StoreMisfit for one whose driver is not installed."""
    if config.store == "sqlite":
        return SqliteStore(config.path, keep_days=config.keep_days, personal_hours=config.personal_hours)
    return _cassandra(config)


def _cassandra(config: HistoryConfig) -> Store:
    try:
        from liftgate.history.cassandra.store import CassandraStore
        from liftgate.history.cassandra.tables import Keeping
    except ModuleNotFoundError as error:
        raise StoreMisfit(
            f'store = "cassandra" needs the package {error.name}: liftgate[services]'
        ) from error
    if config.cassandra is None:
        raise ValueError("a configuration without [history.cassandra] for that store")
    return CassandraStore(config.cassandra, Keeping(config.keep_days, config.personal_hours))


def recorder_of(config: HistoryConfig) -> Recorder:
    """What fills it. Raises StoreMisfit."""
    keep_tokens = config.personal_hours > 0
    return Recorder(store_of(config), config.feed, Hasher(config.key), keep_tokens=keep_tokens)
