"""Reservations: places kept for a credential for a time, and a waiting list for more."""

from liftgate.engine.core.parts.reservations.part import ReservationsPart

__all__ = ["ReservationsPart"]
