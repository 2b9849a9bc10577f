"""Whether the stay is paid. The price comes from the lot's tariff; a lot without one is free."""

from liftgate.engine.core.commands import ReadCredential
from liftgate.engine.core.marks import TURNED_ROUND
from liftgate.engine.core.model import Lot
from liftgate.engine.core.rules.base import Rule

PAY = 402
PAID_TOO_LONG_AGO = 403


class IsPaid(Rule):
    """Leaves the price in the scan's working place where something is owed."""

    name = "payment"

    def check(self, lot: Lot, read: ReadCredential) -> int:
        stay = read.stay
        if lot.tariff is None or stay is None or read.lane.area.parent is not None:
            return 0
        if read.marks is not None and TURNED_ROUND in read.marks:
            return 0
        if read.time_ms <= stay.paid_until_ms:
            return 0
        read.price_minor = lot.tariff.price_minor(stay.entered_at_ms, read.time_ms)
        if read.price_minor <= 0:
            return 0
        return PAID_TOO_LONG_AGO if stay.paid_until_ms else PAY

    def explain(self, lot: Lot, read: ReadCredential) -> str:
        if lot.tariff is None:
            return "no tariff: free"
        return f"owed: {read.price_minor} {lot.currency} (minor units)"
