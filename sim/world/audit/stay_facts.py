"""What doubt, resets and orders about single stays leave behind in a lot's facts."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.stays import Stay

if TYPE_CHECKING:
    from liftgate.sim.world.audit.facts import Lot


def _reset(lot: "Lot", event: Event) -> None:
    _disbelieve(lot, event["credential"])


def _disbelieve(lot: "Lot", credential: bytes) -> None:
    """Where it was seen last counts for nothing until it is seen again."""
    stay = lot.stay(credential)
    if stay is None:
        lot.stays.forgiven.add(credential)
    else:
        stay.forgiven = True


def _resets(lot: "Lot", event: Event) -> None:
    """Many at once: those named, or all there are."""
    for credential in list(lot.stays.open) if event["whole"] else event["credentials"]:
        _disbelieve(lot, credential)
    lot.unseen.believe_none(lot.layout.outermost, event["until_ms"], event["at_ms"])


def _doubt(lot: "Lot", event: Event) -> None:
    lot.unseen.told(event)


def _lost(lot: "Lot", event: Event) -> None:
    stay = lot.stays.open[event["credential"]]
    lot.unseen.lose(event["credential"], event["at_ms"])
    if event["replacement"] is None:
        lot.stays.move(stay, None, None)
    else:
        lot.stays.rename(stay, event["replacement"])


def _closed(lot: "Lot", event: Event) -> None:
    lot.stays.move(lot.stays.open[event["credential"]], None, None)


def _swapped(lot: "Lot", event: Event) -> None:
    lot.stays.rename(lot.stays.open[event["before"]], event["after"])


def _named(lot: "Lot", event: Event) -> None:
    stay = Stay(event["session"], event["credential"], event["entered_at_ms"])
    stay.plate = event["notes"].get("plate")
    lot.stays.name(stay, event["area"])


FOLDS: dict[int, Callable[["Lot", Event], None]] = {
    r.RESET: _reset,
    r.DOUBT: _doubt,
    r.RESETS: _resets,
    r.LOST: _lost,
    r.CLOSED: _closed,
    r.SWAPPED: _swapped,
    r.NAMED: _named,
}
"""By event type; a part of `facts._FOLDS`."""
