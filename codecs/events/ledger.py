"""Events of the ledger and of the hourly reconciliation."""

from liftgate.codecs.events.operators import OperatorEvent


class AreasRecounted(OperatorEvent, frozen=True, tag=0x70):
    """Somebody counted the cars: each area's count is `after` from here on, and its ledger begins anew there.

    areas: (area, before, after) each; the drift is before minus after.
    """

    areas: tuple[tuple[str, int, int], ...]
    actor: str
    reason: str


class CountReported(OperatorEvent, frozen=True, tag=0x71):
    """A number counted by other means (a loop counter, a camera), beside the ledger's; the count stays.

    expected: the ledger's; counted: the other; source: who or what counted.
    """

    area: str
    expected: int
    counted: int
    source: str
    actor: str


class LaneReconciled(OperatorEvent, frozen=True, tag=0x72):
    """A lane's row of an hour: what was journalled of it since its last row.

    hour: Unix time in whole hours; counts: in the order of LANE_COUNTS (`engine/core/tally.py`); waiting:
    cars that an opened barrier waits for now; missing: numbers that the reader owes; difference: in words, ""
    where all is equal.
    """

    reader: str
    lane: int
    hour: int
    counts: tuple[int, ...]
    waiting: int
    missing: int
    difference: str
