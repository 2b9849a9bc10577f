"""What the args of COMMANDs have in common, for the orders of the core and of its parts."""

from typing import Annotated

import msgspec
from msgspec import Meta

from liftgate.engine.core.model import Lane, Lot

TEXT_MAX = 512
"""Characters. What is refused may quote names out of args, which are as long as a frame; its event must
fit a record with room to spare."""

Words = Annotated[str, Meta(max_length=TEXT_MAX)]
Actor = Annotated[str, Meta(min_length=1, max_length=64)]
Kind = Annotated[int, Meta(ge=1, le=4)]
TokenBytes = Annotated[bytes, Meta(min_length=1, max_length=512)]


class OrderRefused(Exception):
    """The order cannot be done; code is for programs, text for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class OfCredential(msgspec.Struct, forbid_unknown_fields=True):
    """What is ordered of one credential: kind as in SCAN, token its bytes."""

    kind: Kind
    token: TokenBytes
    actor: Actor
    reason: Words = ""

    @property
    def credential(self) -> bytes:
        return bytes((self.kind,)) + self.token


def lane_of(lot: Lot, reader: str, lane: int) -> Lane:
    """The lane of that name. Raises OrderRefused."""
    found = lot.readers[reader].lanes.get(lane) if reader in lot.readers else None
    if found is None:
        raise OrderRefused("no_such_lane", f"no lane {lane} of reader {reader!r} in this lot")
    return found
