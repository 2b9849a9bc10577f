"""The events of a lot's themes (`parts/`), a module each, imported here: every reader of events knows them.

Tags: 0x40-0x4F entitlements, 0x50-0x5F reservations, 0x60-0x6F passback and identity, 0x70-0x7F ledger,
limits and reconciliation, 0x80-0x8F lanes.
"""

from liftgate.engine.core.theme_events import entitlements, lanes, ledger, passback, reservations

__all__ = ["entitlements", "lanes", "ledger", "passback", "reservations"]
