"""Stays as the fold follows them, and the row that the store has of each."""

from typing import Any

from liftgate.history.port import DAY_MS, StayRow

FORMERLY_MAX = 8
"""Credentials that a stay is remembered to have had: a swap is an attendant's work, and one stay rarely has
two.
"""


class Stay:
    """A stay from the opened barrier on: what of it decides where its car counts, and what its row says.

    credential: keyed hash; token: raw, b"" where those are not kept; area: where its car counts, None = on
    the street; to, to_spot: where it goes, once an opened barrier waits for it (moving) or no longer does
    (lapsed); last: the area it was in last; written: whether the store has a row of it.
    """

    __slots__ = (
        "area",
        "credential",
        "day",
        "entered_ms",
        "formerly",
        "last",
        "moving",
        "session",
        "spot",
        "to",
        "to_spot",
        "token",
        "written",
    )

    def __init__(
        self, session: bytes, credential: bytes, token: bytes, entered_ms: int | None, day: int
    ) -> None:
        self.session = session
        self.credential = credential
        self.token = token
        self.entered_ms = entered_ms
        self.day = day
        self.formerly: tuple[bytes, ...] = ()
        self.area: str | None = None
        self.last = ""
        self.spot = ""
        self.moving = False
        self.to: str | None = None
        self.to_spot = ""
        self.written = False

    def rename(self, credential: bytes, token: bytes) -> None:
        """It goes on under another credential."""
        before = (*self.formerly, self.credential)
        self.formerly = tuple(name for name in before if name != credential)[-FORMERLY_MAX:]
        self.credential, self.token = credential, token

    def row(self, lot: str, seq: int, left_ms: int | None, how: str) -> StayRow:
        """As the store has it from event `seq` on."""
        return StayRow(
            lot,
            self.day,
            self.session,
            seq,
            self.credential,
            self.token,
            self.last,
            self.spot,
            self.entered_ms,
            left_ms,
            how,
            self.formerly,
        )

    def dump(self) -> list[Any]:
        """As plain values, in the order in which `load` takes them."""
        return [
            self.session,
            self.credential,
            self.token,
            self.entered_ms,
            self.day,
            self.formerly,
            self.area,
            self.last,
            self.spot,
            self.to,
            self.to_spot,
            self.written,
        ]


def load(saved: list[Any]) -> Stay:
    """The stay that `dump` gave; whether it is moving is the fold's to say."""
    stay = Stay(*saved[:5])
    stay.formerly = tuple(saved[5])
    stay.area, stay.last, stay.spot, stay.to, stay.to_spot, stay.written = saved[6:12]
    return stay


def day_of(at_ms: int) -> int:
    """Days since 1970-01-01 UTC."""
    return at_ms // DAY_MS
