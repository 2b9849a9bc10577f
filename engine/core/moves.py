"""Cars between areas: at once, or promised until the lane saw them pass.

Whatever a stay has (a spot, a place in a count, a promise) is given back here and nowhere else, so that
occupancy stays the sum of what entered and left.
"""

from liftgate.codecs import codes
from liftgate.engine.core.model import Area, Block, Lane, Lot, Stay


def move_now(lot: Lot, stay: Stay, to: Area | None, block: Block | None, number: int) -> None:
    """The car is in `to` from here on, None the street; it has the spot, if one is given."""
    before = stay.area
    _unpromise(lot, stay)
    _vacate(stay)
    stay.forgiven = False
    if to is None:
        _forget(lot, stay)
    else:
        stay.area = to
        to.inside += 1
        stay.block = block
        stay.number = number
        if block is not None:
            block.take(number)
    if before is not to:
        if before is not None:
            before.tally.left += 1
        if to is not None:
            to.tally.entered += 1
        for part in lot.watchers:
            part.moved(stay, before)
    elif to is not None:
        for part in lot.watchers:
            part.shifted(stay)


def promise_move(
    lot: Lot, stay: Stay, lane: Lane, to: Area | None, block: Block | None, number: int, at_ms: int
) -> None:
    """A barrier was opened for the car; until it passes, its new spot is held and its old one kept."""
    _unpromise(lot, stay)
    stay.moving = True
    stay.lane = lane
    stay.since_ms = at_ms
    stay.to = to
    stay.to_block = block
    stay.to_number = number
    if to is not None and stay.holds():
        to.held += 1
    if block is not None:
        block.take(number)
    lot.moving[stay.session] = stay


def finish_move(lot: Lot, stay: Stay) -> None:
    """The car passed. A promise that had lapsed is made good without its spot: that may be another's now."""
    to, block, number = stay.to, stay.to_block, stay.to_number
    if not stay.moving:
        block, number = None, 0
        newer = lot.stays.get(stay.credential)
        if newer is not None and newer is not stay:
            end_stay(lot, newer)
        lot.stays[stay.credential] = stay
    move_now(lot, stay, to, block, number)


def cancel_move(lot: Lot, stay: Stay) -> None:
    """The car did not pass. One that was on the street has no stay any more."""
    _unpromise(lot, stay)
    if stay.area is None:
        _forget(lot, stay)


def end_stay(lot: Lot, stay: Stay) -> None:
    """The stay is over without a sighting: by rule."""
    before = stay.area
    move_now(lot, stay, None, None, 0)
    if before is not None:
        before.tally.left -= 1
        before.tally.closed += 1


def count_adrift(area: Area, way: int, followed: bool, at_ms: int, where: str) -> None:
    """A car that no stay names came into `area` or left it; followed: behind another one. where: its lane."""
    change = 1 if way == codes.IN else -1
    cause = "followed" if followed else "without a stay"
    area.adrift += change
    area.tally.stray(followed, change)
    area.tally.note(at_ms, cause, change, where)
    if area.parent is not None:
        area.parent.adrift -= change
        area.parent.tally.stray(followed, -change)
        area.parent.tally.note(at_ms, cause, -change, where)


def count_nameless(lot: Lot, area: Area, change: int) -> None:
    """So many more cars in `area`, fewer with a minus, count without a name: they lost or got one."""
    area.adrift += change
    area.tally.named += change
    area.tally.note(lot.at_ms, "named", change, "a stay")


def name_car(lot: Lot, stay: Stay, area: Area) -> None:
    """A car that counts in `area` without a name is the one of `stay`: it still counts once."""
    lot.stays[stay.credential] = stay
    count_nameless(lot, area, -1)
    move_now(lot, stay, area, None, 0)


def rename(lot: Lot, stay: Stay, credential: bytes) -> None:
    """The stay goes on under another credential, which has none."""
    _forget(lot, stay)
    stay.credential = credential
    lot.stays[credential] = stay
    for part in lot.watchers:
        part.renamed(stay)


def still_there(lot: Lot, stay: Stay | None, credential: bytes) -> Stay | None:
    """The stay of a credential after its scan on the way out; stay: the one before it. Who left is not looked
    up to be found nowhere.
    """
    if stay is None:
        return lot.stays.get(credential)
    return stay if stay.area is not None or stay.moving else None


def _unpromise(lot: Lot, stay: Stay) -> None:
    """Take back what an opened barrier promised, kept or lapsed, if one did."""
    if not stay.moving:
        if lot.lapsed:
            lot.lapsed.pop(stay.session, None)
            stay.lane = None
        return
    stay.moving = False
    stay.lane = None
    del lot.moving[stay.session]
    if stay.to is not None and stay.holds():
        stay.to.held -= 1
    if stay.to_block is not None:
        stay.to_block.release(stay.to_number)
        stay.to_block = None


def _vacate(stay: Stay) -> None:
    """Give back the place where the car was."""
    if stay.area is not None:
        stay.area.inside -= 1
        stay.area = None
    if stay.block is not None:
        stay.block.release(stay.number)
        stay.block = None
    stay.number = 0


def _forget(lot: Lot, stay: Stay) -> None:
    if lot.stays.get(stay.credential) is stay:
        del lot.stays[stay.credential]
