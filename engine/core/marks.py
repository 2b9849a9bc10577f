"""What rules have the event of a scan say, made and packed once where it is said again and again."""

from typing import Any

import msgspec

TURNED_ROUND = "turned_round"


class Marks:
    """The usual marks: by which pass and group a car came in, or that it turned round.

    values: the marks by name, which nobody changes any more; rare: as `ScanDecided.rare` has them; found,
    group: the Pass and the Group that they name; notes: what stays keep of them, all the same object, once
    one did (`parts/entitlements.py`); turned: whether they say that the car only turned round.
    """

    def __init__(self, values: dict[str, Any], found: Any = None, group: Any = None) -> None:
        self.values = values
        self.found = found
        self.group = group
        self.turned = TURNED_ROUND in values
        self.rare = msgspec.msgpack.encode([None, None, values])
        self.notes: dict[str, Any] | None = None
