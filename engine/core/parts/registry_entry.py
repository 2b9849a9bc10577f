"""What the registry remembers of one reader."""

from typing import Any

import msgspec


class Registered(msgspec.Struct, kw_only=True):
    """keys: wrapped, the newest last: two while it is rotated, none once it is revoked; lanes: as in
    ReaderConfigured; until_ms: when the older of two keys dies. Times in Unix ms, 0 and "": never, nobody;
    reason: of the last order that registered or revoked it.
    """

    reader: str
    keys: tuple[bytes, ...]
    lanes: tuple[tuple[Any, ...], ...]
    until_ms: int = 0
    added_ms: int = 0
    added_by: str = ""
    rotated_ms: int = 0
    rotated_by: str = ""
    revoked_ms: int = 0
    revoked_by: str = ""
    reason: str = ""

    def in_rotation(self) -> bool:
        """Whether two keys are good."""
        return len(self.keys) == 2
