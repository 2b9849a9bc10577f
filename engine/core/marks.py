"""What rules have the event of a scan say, made and packed once where it is said again and again."""

from typing import Any

import msgspec


class Marks:
    """values: the marks by name, which nobody changes any more; rare: as `ScanDecided.rare` has them."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values
        self.rare = msgspec.msgpack.encode([None, None, values])
