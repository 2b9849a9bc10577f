"""What was found out about a credential that proves itself, before it was decided.

A gateway proves (`gateways/proofs.py`), as that takes keys and time; the core only has the result, in the
command, and puts it into the event: replay needs no keys.
"""

from typing import Any

from msgspec import Struct


class Proof(Struct, frozen=True, kw_only=True):
    """identity: what the car is known by, a ticket's cti or a tag's UID; b"": nothing is proven, and the
    token stays as it was scanned. fault: why not, in words; kid: the key that vouched.

    Of a ticket: lot, from_s and until_s (Unix s), spot_class, single_use. Of a tag: counter, else None.
    """

    identity: bytes = b""
    fault: str = ""
    kid: str = ""
    lot: str = ""
    from_s: int = 0
    until_s: int = 0
    spot_class: str | None = None
    single_use: bool = False
    counter: int | None = None

    def marks(self) -> dict[str, Any]:
        """What the event says of it."""
        if not self.identity:
            return {"unproven": self.fault}
        if self.counter is not None:
            return {"tag": self.kid, "counter": self.counter}
        marks: dict[str, Any] = {"ticket": self.kid}
        if self.single_use:
            marks["single_use"] = self.until_s
        return marks
