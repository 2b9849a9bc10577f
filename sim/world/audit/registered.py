"""What is on record of a lot's registered readers."""

from typing import Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.records import Event


class Registered:
    """One of them. keys: wrapped, the newest last, none once it is revoked; until_ms: when the older dies."""

    def __init__(self, event: Event) -> None:
        self.keys = [event["key"]]
        self.lanes = event["lanes"]
        self.until_ms = 0


class Registry:
    """readers: by id."""

    def __init__(self) -> None:
        self.readers: dict[str, Registered] = {}

    def lanes(self, reader: str) -> list[Any] | None:
        """Those that it should have; None for one that is not registered, or revoked."""
        found = self.readers.get(reader)
        return None if found is None or not found.keys else found.lanes

    def fold(self, event: Event) -> None:
        """Take in what an event of the registry says."""
        if event["type"] == r.READER_REGISTERED:
            self.readers[event["reader"]] = Registered(event)
            return
        found = self.readers[event["reader"]]
        if event["type"] == r.READER_CHANGED:
            found.lanes = event["lanes"]
        elif event["type"] == r.KEY_ROTATED:
            found.keys = [found.keys[0], event["key"]]
            found.until_ms = event["until_ms"]
        elif event["type"] == r.KEY_RETIRED:
            found.keys = found.keys[-1:]
        else:
            found.keys = []
