"""What firmware may do one way or another within the protocol: drawn once for each reader."""

from random import Random

from msgspec import Struct

from liftgate.sim.world.loop import Loop


class Habits(Struct, frozen=True):
    """One reader's ways.

    lasting: its log survives a power cut; window: unanswered requests at most; replay_entries: of one REPLAY;
    asks_again: a scan that is durable by WELCOME is still sent again for its decision while the driver waits;
    newest_first: what is sent again goes in falling order; opens_alone: what it decides without the engine;
    patience_ms: until a scan counts as unanswered; impatient: then it also looks for a new connection;
    syncs: sets its clock by the engine; clock_chip: keeps the time without power; ppm: how fast its clock
    is; chatty: reports its barrier at every opening; names_session: in PASSAGE; orderly: the passage of a car
    that it let in alone goes behind that scan into the backlog; done_ms: how long it takes to obey.
    """

    lasting: bool
    window: int
    replay_entries: int
    asks_again: bool
    newest_first: bool
    opens_alone: bool
    patience_ms: int
    impatient: bool
    syncs: bool
    clock_chip: bool
    ppm: int
    chatty: bool
    names_session: bool
    orderly: bool
    done_ms: int


def draw_habits(rng: Random, lasting: bool, opens_alone: bool) -> Habits:
    """The ways of one reader."""
    return Habits(
        lasting=lasting,
        window=rng.choice((1, 2, 4, 16, 64)),
        replay_entries=rng.choice((1, 3, 10, 100)),
        asks_again=rng.random() < 0.8,
        newest_first=rng.random() < 0.3,
        opens_alone=opens_alone,
        patience_ms=rng.randrange(2_000, 20_000),
        impatient=rng.random() < 0.3,
        syncs=rng.random() < 0.7,
        clock_chip=rng.random() < 0.7,
        ppm=rng.randrange(-200, 201),
        chatty=rng.random() < 0.15,
        names_session=rng.random() < 0.8,
        orderly=rng.random() < 0.7,
        done_ms=rng.choice((0, 50, 1_000)),
    )


EPOCH_MS = 946_684_800_000
"""2000-01-01: what a clock without a chip of its own begins with."""


class DeviceClock:
    """A reader's own idea of the time."""

    __slots__ = ("_from_ms", "_loop", "_ppm", "_shown_ms")

    def __init__(self, loop: Loop, ppm: int) -> None:
        self._loop = loop
        self._ppm = ppm
        self._from_ms = loop.now_ms
        self._shown_ms = loop.now_ms

    def now_ms(self) -> int:
        """Unix time in ms, more or less."""
        passed_ms = self._loop.now_ms - self._from_ms
        return self._shown_ms + passed_ms + passed_ms * self._ppm // 1_000_000

    def set(self, ms: int) -> None:
        """Show this time from now on; a clock knows none before 1970."""
        self._shown_ms = max(ms, 0)
        self._from_ms = self._loop.now_ms
