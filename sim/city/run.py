"""The city drives: simulated readers on real connections tell a story, then the engine's counts are compared.

Order is the schedule's two rules: within a lot each movement is answered (and its passage acknowledged)
before the next is sent; lots go beside each other. The truth is counted from the data, never from answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.configs.schema import Config, LotConfig, ServiceConfig
from liftgate.sim.city.client import Dial
from liftgate.sim.city.lasting import LastingClient
from liftgate.sim.city.reader import CARD, PASSED, LaneState, Over, Reader
from liftgate.sim.city.schedule import Schedule
from liftgate.sim.city.traffic import Direction, Movement, Traffic

LAPSE_S_MORE = 5
"""Seconds beyond confirm_s until an unconfirmed move has surely lapsed: the engine ticks once a second."""


class CityTrouble(Exception):
    """The run cannot begin or go on as told; the text says what can be done."""


class Counts(dict[str, int]):
    """capacity, occupancy, held, available of a lot, by the engine."""


@dataclass(frozen=True, slots=True)
class Line:
    """One lot compared: cars by the engine and by the file."""

    lot: str
    name: str
    engine: int
    truth: int

    @property
    def agrees(self) -> bool:
        """Whether they are the same."""
        return self.engine == self.truth


@dataclass(frozen=True, slots=True)
class Comparison:
    """The end of a run: every lot, and how many movements and refusals it had."""

    lines: tuple[Line, ...]
    movements: int
    refused: int

    @property
    def agrees(self) -> bool:
        """Whether every lot's count is the same."""
        return all(line.agrees for line in self.lines)


class LotRun:
    """One lot of the run. inside: cars by the story so far; counts: the engine's, when last asked.

    refused: movements of the story that the engine did not open for.
    """

    def __init__(self, config: LotConfig, readers: Sequence[Reader]) -> None:
        self.config = config
        self.lanes = [(reader, state) for reader in readers for state in reader.lanes.values()]
        self.inside = 0
        self.movements = 0
        self.refused = 0
        self.counts = Counts(capacity=0, occupancy=0, held=0, available=0)
        self._ways = {way: cycle(self._taking(way)) for way in Direction}

    def _taking(self, way: Direction) -> list[tuple[Reader, LaneState]]:
        """The lanes for that way into or out of the whole lot, for any card."""
        outermost = next(area.id for area in self.config.areas if area.parent is None)
        lanes = [
            (reader, state)
            for reader, state in self.lanes
            if state.config.area == outermost
            and state.config.direction in (way.value, "both")
            and (state.config.cards == "open" and "card" in state.config.kinds)
        ]
        if not lanes:
            raise CityTrouble(f"lot {self.config.id} has no {way.value} lane that takes any card")
        return lanes

    async def drive(self, movement: Movement) -> None:
        """Bring one car through a lane, the next one of those for its way."""
        reader, state = next(self._ways[movement.direction])
        self.inside += 1 if movement.direction is Direction.ENTRY else -1
        lane = state.config.number
        decision = await reader.scan(lane, CARD, movement.token)
        self.movements += 1
        if decision.verdict != m.OPEN:
            self.refused += 1
        elif state.config.confirm:
            await reader.passage(lane, PASSED, decision.session)


class City:
    """Readers, lots and one asking service in front of an engine; tasks run in `nursery`.

    stop: set it to end early, in order. status: the engine's, when last asked.
    """

    def __init__(
        self,
        nursery: trio.Nursery,
        dial: Dial,
        config: Config,
        lots: Iterable[LotConfig],
        service: ServiceConfig,
        over: Over | None = None,
    ) -> None:
        """over: another transport, which every other reader takes."""
        chosen = list(lots)
        there = [reader for reader in config.readers if reader.lot in {lot.id for lot in chosen}]
        self.readers = [
            Reader(nursery, dial, reader, now_ms, over=over if place % 2 else None)
            for place, reader in enumerate(there)
        ]
        self._over = over
        of_lot = {lot.id: [one for one in self.readers if one.config.lot == lot.id] for lot in chosen}
        self.lots = {lot.id: LotRun(lot, of_lot[lot.id]) for lot in chosen}
        self.stop = trio.Event()
        self.begun = trio.Event()
        self.status: dict[str, Any] = {}
        self._asker = LastingClient(nursery, dial, Identity(m.SERVICE, service.id, service.key))

    async def run(self, schedule: Schedule) -> Comparison:
        """Empty the lots, tell the story, compare.

        Raises CityTrouble, EngineGone, SignOnFailed, RequestRefused, OSError.
        """
        await self._sign_on()
        await _each(self._clear, [(lot, schedule.traffic) for lot in self.lots.values()])
        openings = _by_lot(schedule.opening)
        await _each(_drive_all, [(lot, openings.get(id, ())) for id, lot in self.lots.items()])
        schedule.begin(now_ms())
        self.begun.set()
        async with trio.open_nursery() as nursery:
            queues = {}
            for id, lot in self.lots.items():
                # Every movement is in memory already as part of the story, so a bound would save nothing, and
                # one slow lot would hold up the others.
                queues[id], moves = trio.open_memory_channel[Movement](math.inf)
                nursery.start_soon(_drive_queue, lot, moves)
            await self._hand_out(schedule, queues)
        return await self.compare(schedule)

    async def compare(self, schedule: Schedule) -> Comparison:
        """The engine's counts against the file's, as of everything handed out."""
        await self.refresh()
        truth = schedule.expected()
        lines = [
            Line(id, lot.config.name, lot.counts["occupancy"], truth[id]) for id, lot in self.lots.items()
        ]
        runs = self.lots.values()
        return Comparison(tuple(lines), sum(lot.movements for lot in runs), sum(lot.refused for lot in runs))

    async def refresh(self) -> None:
        """Ask the engine how it is and how many cars it counts."""
        self.status = await self._query("", "status")
        for id, lot in self.lots.items():
            lot.counts = Counts(await self._query(id, "occupancy"))

    async def aclose(self) -> None:
        """Say goodbye everywhere."""
        for reader in self.readers:
            await reader.aclose()
        await self._asker.aclose()
        if self._over is not None:
            self._over.close()

    async def _sign_on(self) -> None:
        """Every lane reports itself; so all readers are known to be there before the first car."""
        await self.refresh()
        for reader in self.readers:
            for number in reader.lanes:
                await reader.report(number)

    async def _clear(self, lot: LotRun, traffic: Traffic) -> None:
        """Drive out what an earlier run left inside. Raises CityTrouble where other cars are in."""
        id = lot.config.id
        await self._wait_settled(lot)
        if lot.counts["occupancy"]:
            for token in sorted({move.token for move in traffic.movements if move.lot == id}):
                found = await self._asker.ask(m.Query(id, "session", {"credential": token, "kind": CARD}))
                if isinstance(found, m.Answer) and found.ok:
                    await lot.drive(Movement(0, id, token, Direction.EXIT))
            lot.counts = Counts(await self._query(id, "occupancy"))
        if strange := lot.counts["occupancy"]:
            raise CityTrouble(
                f"lot {id} has {strange} car{'s' * (strange != 1)} inside that are not the city's, so its "
                "count could not be compared: begin with an empty lot (another journal, or correct_count)"
            )
        lot.inside = lot.movements = 0

    async def _wait_settled(self, lot: LotRun) -> None:
        """Wait until nothing is promised to a car that an earlier run left before an open barrier."""
        with trio.move_on_after(lot.config.confirm_s + LAPSE_S_MORE):
            while lot.counts["held"]:
                await trio.sleep(0.25)
                lot.counts = Counts(await self._query(lot.config.id, "occupancy"))

    async def _hand_out(
        self, schedule: Schedule, queues: Mapping[str, trio.MemorySendChannel[Movement]]
    ) -> None:
        """Give each lot what is due, until the stretch is over or somebody wants to stop."""
        while not self.stop.is_set():
            for movement in schedule.due(now_ms()):
                queues[movement.lot].send_nowait(movement)
            until_ms = schedule.next_due_ms() or schedule.ends_at_ms()
            if not schedule.remaining and now_ms() >= until_ms:
                break
            with trio.move_on_after(max(0, until_ms - now_ms()) / 1000):
                await self.stop.wait()
        for queue in queues.values():
            queue.close()

    async def _query(self, lot: str, name: str) -> dict[str, Any]:
        answer = await self._asker.ask(m.Query(lot, name, {}))
        if not isinstance(answer, m.Answer) or not answer.ok:
            code = answer.code if isinstance(answer, m.Answer) else "no answer"
            raise CityTrouble(f'service "{self._asker.identity.id}" may not ask for {name}: {code}')
        return answer.body


def now_ms() -> int:
    """Unix time in ms."""
    return time.time_ns() // 1_000_000


def _by_lot(moves: Sequence[Movement]) -> dict[str, list[Movement]]:
    sorted_out: dict[str, list[Movement]] = {}
    for move in moves:
        sorted_out.setdefault(move.lot, []).append(move)
    return sorted_out


async def _each(work: Callable[..., Any], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Do the work for all at once; return when all are done."""
    async with trio.open_nursery() as nursery:
        for one in arguments:
            nursery.start_soon(work, *one)


async def _drive_all(lot: LotRun, moves: Iterable[Movement]) -> None:
    for move in moves:
        await lot.drive(move)


async def _drive_queue(lot: LotRun, moves: trio.MemoryReceiveChannel[Movement]) -> None:
    async for move in moves:
        await lot.drive(move)
