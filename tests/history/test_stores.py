"""Which store a configuration comes to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from liftgate.configs.cassandra import CassandraConfig
from liftgate.configs.history import HistoryConfig
from liftgate.configs.schema import Key
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.sqlite import SqliteStore
from liftgate.history.stores import store_of

CONFIG = HistoryConfig(path=Path("x.db"), feed="a", key=Key(bytes(32)))

WITHOUT_THE_DRIVER = """
import sys
from pathlib import Path
sys.modules["acsylla"] = None
from liftgate.configs.cassandra import CassandraConfig
from liftgate.configs.history import HistoryConfig
from liftgate.history.port import StoreMisfit
from liftgate.history.stores import store_of
cluster = CassandraConfig(contact_points=("a",))
try:
    store_of(HistoryConfig(path=Path(), feed="a", key=bytes(32), store="cassandra", cassandra=cluster))
except StoreMisfit as misfit:
    print(misfit)
"""


def test_the_store_is_the_one_that_is_configured() -> None:
    """SQLite unless said otherwise."""
    assert isinstance(store_of(CONFIG), SqliteStore)
    cluster = CassandraConfig(contact_points=("a",))
    asked = HistoryConfig(
        path=Path("x.db"), feed="a", key=Key(bytes(32)), store="cassandra", cassandra=cluster
    )
    assert isinstance(store_of(asked), CassandraStore)


def test_a_driver_that_is_not_installed_is_named() -> None:
    """SQLite needs none, so nobody must have it."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_THE_DRIVER], capture_output=True, text=True)
    assert done.stdout == 'store = "cassandra" needs the package acsylla: liftgate[services]\n', done.stderr
