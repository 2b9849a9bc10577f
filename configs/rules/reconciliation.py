"""`[lot.rules.reconciliation]`: each hour, does a lane's story agree with itself?"""

from __future__ import annotations

import msgspec


class Reconciliation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The table alone switches the rows on. findings: whether a difference is a finding too, not only a
    row.
    """

    findings: bool = True
