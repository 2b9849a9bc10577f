"""Errors that a running installation can meet, in words that say what to do next."""

from __future__ import annotations

from liftgate.codecs.client import SignOnFailed
from liftgate.codecs.frame import PeerError
from liftgate.engine.configured import RegistryConflict
from liftgate.engine.core.names import BrokenState
from liftgate.engine.journal.cursors import CursorsDamaged
from liftgate.engine.journal.journal import JournalFailed
from liftgate.engine.journal.repair import RepairRefused
from liftgate.engine.journal.scan import JournalRotten
from liftgate.engine.journal.storage import FolderLocked, StorageError
from liftgate.history.port import StoreMisfit, StoreUnavailable
from liftgate.sim.city.client import ConnectionLost, RequestRefused
from liftgate.sim.city.lasting import EngineGone
from liftgate.sim.city.run import CityTrouble

_ITS_OWN_WORDS = (
    FolderLocked,
    RegistryConflict,
    RepairRefused,
    EngineGone,
    CityTrouble,
    StoreMisfit,
    StoreUnavailable,
    ConnectionLost,
    RequestRefused,
)


def explain(error: Exception, config: object) -> str | None:
    """The message for people, or None for an error that nobody but a programmer can do anything about."""
    if isinstance(error, JournalRotten | CursorsDamaged | BrokenState):
        return (
            f"{error}\n"
            f"see all of it:   liftgate journal verify --config {config}\n"
            f"plan a repair:   liftgate journal repair --config {config}"
        )
    if isinstance(error, _ITS_OWN_WORDS):
        return str(error)
    if isinstance(error, StorageError | JournalFailed):
        return f"the disk failed, so the engine stopped: nothing undurable was answered. {error}"
    if isinstance(error, SignOnFailed):
        return f"sign-on failed for {error}: is its key the one that the engine was started with?"
    if isinstance(error, PeerError):
        return f"what answered does not speak Liftgate's protocol: {error}"
    return None
