"""A lane's configuration as the plain data of `core/configure.py`, from the file or from an order."""

from collections.abc import Collection
from typing import Any, Protocol


class LaneSettings(Protocol):
    """What the file and orders say of a lane (`configs/schema.LaneConfig`)."""

    @property
    def number(self) -> int: ...
    @property
    def direction(self) -> str: ...
    @property
    def area(self) -> str: ...
    @property
    def gate(self) -> str | None: ...
    @property
    def confirm(self) -> bool: ...
    @property
    def cards(self) -> str: ...
    @property
    def kinds(self) -> Collection[str]: ...


def lane_spec(lane: LaneSettings) -> tuple[Any, ...]:
    """A lane's configuration as plain data. Codes are taken where known, tags where the lot has keys for
    them: a lane that takes none says so, and the others say nothing, as before there were any.
    """
    codes = "known" if "qr" in lane.kinds else "off"
    cards = lane.cards if "card" in lane.kinds else "off"
    plates = "open" if "plate" in lane.kinds else "off"
    tags = () if "sun" in lane.kinds else ("off",)
    return (lane.number, lane.direction, lane.area, lane.gate, lane.confirm, codes, cards, plates, *tags)
