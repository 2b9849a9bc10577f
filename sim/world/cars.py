"""Drivers: a population of cards, and what each does before a barrier, by whether it opened."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from msgspec import Struct

from liftgate.sim.world.devices.lanes import HELD_OPEN, LaneEnd
from liftgate.sim.world.devices.log import Answer
from liftgate.sim.world.loop import Act

if TYPE_CHECKING:
    from liftgate.configs.schema import LotConfig
    from liftgate.sim.world.world import World

QR, CARD, SUN, PLATE = 1, 2, 3, 4
PASSED, BACKED_OUT, FOLLOWED, FORCED = 1, 2, 3, 4

TRIES_MAX = 3
RETURNS_MAX = 3
"""Times that somebody who cannot get out comes back to the exit. Then the car stays for the night."""

_KINDS = (CARD, CARD, CARD, PLATE, CARD, CARD, QR, CARD, CARD, CARD, CARD, PLATE, CARD, CARD, SUN, CARD)


def capacity(lot: LotConfig) -> int:
    """The spots of a lot."""
    return sum(spots.count for area in lot.areas for spots in area.spots)


def population(lot: LotConfig) -> int:
    """Cards that know the lot: more than it has room for, so that it fills."""
    return 2 * capacity(lot) + 5


def credential(card: int) -> tuple[int, bytes]:
    """Kind and token of a card of the population. Some are as long as the protocol lets them be, so that
    segments fill and frames split.
    """
    token = b"card-%d" % card
    return _KINDS[card % len(_KINDS)], token.ljust(512, b".") if card % 5 == 3 else token


class Step(Struct, frozen=True):
    """One barrier on a visit. after_ms: since the one before was passed; out: this one leads out."""

    reader: str
    lane: int
    after_ms: int
    out: bool = False


class Driver:
    """One visit, from the street to the street: barrier after barrier, as far as they open."""

    __slots__ = ("_card", "_end", "_returns", "_rng", "_steps", "_tries", "_world")

    def __init__(self, world: World, card: int, steps: tuple[Step, ...], rng: Random) -> None:
        self._world = world
        self._card = card
        self._steps = list(steps)
        self._rng = rng
        self._end: LaneEnd | None = None
        self._tries = 0
        self._returns = 0

    def go(self) -> None:
        """Set off to the next barrier, if there is one."""
        self._tries = self._returns = 0
        if self._steps:
            self._world.loop.after(self._steps[0].after_ms, self._arrive)

    def _arrive(self) -> None:
        """A lane that is not there any more, or with too many before it, is passed by."""
        step = self._steps[0]
        self._end = self._world.readers[step.reader].lanes.get(step.lane)
        self._tries = 0
        if self._end is not None and not self._end.enter(self._at_barrier):
            self._come_back()

    def _at_barrier(self) -> None:
        assert self._end is not None
        if self._end.mode == HELD_OPEN and self._rng.random() < 0.5:
            self._later(1_000, 4_000, lambda: self._through(FOLLOWED))
        else:
            self._later(500, 5_000, self._scan)

    def _scan(self) -> None:
        step = self._steps[0]
        kind, token = self._show(step)
        self._tries += 1
        reader = self._world.readers[step.reader]
        reader.scan(step.lane, kind, token, self._seen)
        if self._rng.random() < 0.06:
            self._later(200, 2_000, lambda: reader.scan(step.lane, kind, token, _ignore))

    def _show(self, step: Step) -> tuple[int, bytes]:
        """The card as it is held before the reader: a tag says something else each time."""
        world = self._world
        lot_id = world.shape.reader(step.reader).lot
        lot = next(lot for lot in world.shape.lots if lot.id == lot_id)
        return world.wallet.show(lot, self._card, self._rng)

    # -- what the barrier does

    def _seen(self, answer: Answer) -> None:
        if answer.opened:
            slow = self._rng.random() < 0.03
            self._later(*((60_000, 180_000) if slow else (1_000, 9_000)), self._pass)
        elif answer.verdict == 0:
            self._later(2_000, 10_000, self._try_again)
        else:
            self._refused()

    def _try_again(self) -> None:
        if self._tries < TRIES_MAX:
            self._scan()
        else:
            self._give_up()

    def _refused(self) -> None:
        """Some try again, some wait for help, some go behind or through the barrier; most leave."""
        chance = self._rng.random()
        out = self._steps[0].out
        if chance < 0.15:
            self._later(2_000, 8_000, self._try_again)
        elif chance < (0.45 if out else 0.2):
            self._wait_for_help()
        elif chance < (0.65 if out else 0.23):
            self._later(3_000, 20_000, lambda: self._through(FOLLOWED))
        elif chance < (0.7 if out else 0.25):
            self._later(3_000, 20_000, lambda: self._through(FORCED))
        else:
            self._later(1_000, 10_000, self._give_up)

    def _wait_for_help(self) -> None:
        """Stand there until somebody raises the barrier, or a minute is over."""
        assert self._end is not None
        timer = self._world.loop.after(60_000, self._nobody_came)

        def raised() -> None:
            timer.cancel()
            self._later(1_000, 9_000, self._pass)

        self._end.wait_raise(raised)

    def _nobody_came(self) -> None:
        assert self._end is not None
        self._end.wait_raise(_nothing)
        self._give_up()

    def _pass(self) -> None:
        """The barrier is up: most go through, some with another car behind them, some lend their card."""
        chance = self._rng.random()
        if chance < 0.06:
            self._see(BACKED_OUT)
            self._give_up()
            return
        step = self._steps[0]
        reader = self._world.readers[step.reader]
        self._through(PASSED)
        if chance < 0.09:
            self._later(1_000, 3_000, lambda: reader.passage(step.lane, FOLLOWED))
        elif chance < 0.13:
            kind, token = self._show(step)
            self._later(5_000, 60_000, lambda: reader.scan(step.lane, kind, token, _ignore))

    def _through(self, what: int) -> None:
        self._see(what)
        self._leave_lane()
        self._steps.pop(0)
        self.go()

    def _see(self, what: int) -> None:
        """The lane's sensor sees it: mostly at once, sometimes late, sometimes never."""
        step = self._steps[0]
        chance = self._rng.random()
        if chance < 0.03:
            return
        late_ms = self._rng.randrange(5_000, 200_000) if chance < 0.07 else 0
        self._world.readers[step.reader].passage(step.lane, what, late_ms)

    def _give_up(self) -> None:
        self._leave_lane()
        self._come_back()

    def _come_back(self) -> None:
        """Whoever wanted in drives on for good; whoever wants out tries again later."""
        self._returns += 1
        if self._steps[0].out and self._returns < RETURNS_MAX:
            self._later(60_000, 900_000, self._arrive)

    def _leave_lane(self) -> None:
        end, self._end = self._end, None
        if end is not None:
            end.leave()

    def _later(self, low_ms: int, high_ms: int, act: Act) -> None:
        self._world.loop.after(self._rng.randrange(low_ms, high_ms), act)


def _ignore(answer: Answer) -> None:
    """Nobody looks: the driver's eyes are on the first answer."""


def _nothing() -> None:
    """Nobody waits any more."""
