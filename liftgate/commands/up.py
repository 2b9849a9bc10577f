"""`liftgate up`: an engine and a city in front of it, on one screen."""

from __future__ import annotations

import argparse
import asyncio
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

import trio
from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity
from liftgate.commands import compare, picture, sim
from liftgate.commands.child import Child, Kept, engine_kind, mqtt_kind, relay_kind
from liftgate.commands.common import Trouble, dialer, run_trio, say_example
from liftgate.commands.status import sink_lines
from liftgate.commands.view import LaneRow, LotRow, Screen, render
from liftgate.configs.history import HistoryConfig
from liftgate.configs.loader import load
from liftgate.configs.relay import RelayConfig
from liftgate.configs.schema import Config
from liftgate.engine.journal.disk import DiskStorage
from liftgate.history.port import StoreMisfit, StoreMissing, StoreUnavailable
from liftgate.history.stores import store_of
from liftgate.relay.process import read_status
from liftgate.sim.city.lasting import LastingClient
from liftgate.sim.city.run import City, Comparison, now_ms
from liftgate.sim.city.schedule import Schedule

REFRESH_S = 0.25
RATE_SAMPLES = 9
"""Samples that the rate is taken over: two seconds."""

SCREEN = "screen"
"""The service that may show lots which the city leaves alone. Only this name: taking another service's would
end its own connection."""

DRAIN_S_MAX = 30
"""How long the end waits for the relay's sinks; what they have not had by then they get with the next
start."""

DEMO_COPY = Path("liftgate-demo") / "demo.toml"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Start an engine and, in front of it, a city that drives recorded stays through its lanes, and\n"
        "show both: lanes, occupancy with the truth beside it, decisions a second. At the end the engine's\n"
        "counts are compared with those of the data. In a terminal this is one live screen, elsewhere\n"
        "plain lines. Ctrl-C ends in order. Where [relay] is configured, a relay runs behind the engine,\n"
        "and at the end history and stream are compared with the journal (`liftgate compare`).\n"
        "Exit code: 0 the counts agree and all is equal, 1 not, or a failure.",
        "liftgate up",
        "liftgate up --for 20s",
        "liftgate up --config configs/services.toml --for 60s",
        "liftgate up --speed 3600 --traffic birmingham --for 1m",
    )
    parser.add_argument("--config", type=Path, metavar="FILE", help="a configuration (default: the demo's)")
    sim.story_options(parser)
    parser.add_argument(
        "--keep",
        action="store_true",
        help="go on with the demo's journal of last time (that of your own configuration is always kept)",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE", help="save the last screen as SVG")
    parser.set_defaults(run=run, host=None, port=None, service=None, lots=None)


def run(args: argparse.Namespace) -> int:
    """Run both, compare. Raises ConfigErrors, Trouble, FolderLocked, and what City.run raises."""
    demo = args.config is None
    if demo:
        args.config = demo_config()
    config = load(args.config)
    schedule, lots = sim.make_schedule(args, config)
    if demo and not args.keep:
        _empty(config)
    make_schema(config)
    comparison, counts = run_trio(_run, args, config, schedule, lots)
    code = sim.report(comparison, sim.heading(args.traffic, schedule))
    relayed = read_status(config.relay.state) if config.relay is not None else None
    for sink in relayed.sinks if relayed is not None else ():
        print(*sink_lines(sink), sep="\n")
    relay = compare.compared_relay(config)
    return code if relay is None else max(code, compare.report(config, relay, counts, whole=True))


def demo_config() -> Path:
    """The demo's file: that of the source tree, else a copy in the current folder, where it can write."""
    with as_file(files("liftgate.configs") / "demo.toml") as packaged:
        real = packaged.resolve()
        if (real.parents[1] / "pyproject.toml").exists():
            here = Path.cwd()
            return real.relative_to(here) if real.is_relative_to(here) else real
        if not DEMO_COPY.exists():
            DEMO_COPY.parent.mkdir(exist_ok=True)
            shutil.copyfile(real, DEMO_COPY)
    return DEMO_COPY


def make_schema(config: Config) -> None:
    """Make a Cassandra's tables where there is nothing yet, as opening a SQLite file does.

    An older schema is left alone: what others may use is upgraded when somebody asks for it (`liftgate
    history migrate`), and the relay says so. A cluster that is away is said, too; the relay goes on looking
    for it. Raises StoreMisfit.
    """
    history, relay = config.history, config.relay
    if history is None or relay is None or "history" not in relay.sinks or history.store == "sqlite":
        return
    try:
        made = asyncio.run(_make_schema(history))
    except StoreUnavailable as error:
        print(f"history    is away: {error}; the relay goes on looking for it", flush=True)
        return
    if made:
        print(f"history    made: there was none yet; schema {made}", flush=True)


async def _make_schema(history: HistoryConfig) -> int | None:
    """Its version where it had to be made."""
    store = store_of(history)
    try:
        await store.open()
    except StoreMissing:
        _, version = await store.migrate()
        return version
    except StoreMisfit:
        return None  # the relay says it, and what helps
    finally:
        await store.aclose()
    return None


def _empty(config: Config) -> None:
    """Remove the demo's journal and its relay's folder. Raises FolderLocked while an engine works in it."""
    journal = config.engine.journal
    if journal.is_dir():
        DiskStorage(journal).lock().release()
        shutil.rmtree(journal)
    if config.relay is not None and config.relay.state.is_dir():
        shutil.rmtree(config.relay.state)


async def _run(
    args: argparse.Namespace, config: Config, schedule: Schedule, lots: list[str]
) -> tuple[Comparison, compare.Counts]:
    engine = await Child.start(engine_kind(config.engine), args.config)
    relay = mqtt = None
    try:
        if config.relay is not None:
            relay = Kept(relay_kind(config.relay), args.config)
            await relay.start()
        if config.broker is not None:
            mqtt = Kept(mqtt_kind(config.engine), args.config)
            await mqtt.start()
        async with trio.open_nursery() as nursery:
            city = sim.make_city(args, config, lots, nursery)
            nursery.start_soon(sim.stop_on_signal, city)
            nursery.start_soon(engine.watch)
            if relay is not None:
                nursery.start_soon(relay.keep)
            if mqtt is not None:
                nursery.start_soon(mqtt.keep)
            show = Show(args, config, schedule, city, engine, nursery)
            try:
                try:
                    comparison = await show.during(schedule)
                finally:
                    await show.aclose()
                counts = await _settle(args, config)
                return comparison, counts
            finally:
                engine.stopping = True
                nursery.cancel_scope.cancel()
    finally:
        try:
            if mqtt is not None:
                await mqtt.stop()
            if relay is not None:  # before the engine: what it has in hand becomes safe, and is told
                await relay.stop()
        finally:
            await engine.stop()


async def _settle(args: argparse.Namespace, config: Config) -> compare.Counts:
    """Give every sink that gets on the time to have what was done, until the engine had nothing more to do
    meanwhile; its counts then."""
    if config.relay is None:
        return compare.Counts(0, None)
    dial = dialer(args, config)
    counts = await compare.ask_counts(dial, config)
    with trio.move_on_after(DRAIN_S_MAX):
        while True:
            await _drain(config.relay, counts.position)
            before, counts = counts, await compare.ask_counts(dial, config)
            if before == counts:
                break
    return counts


async def _drain(relay: RelayConfig, position: int) -> None:
    while True:
        status = read_status(relay.state)
        sinks = status.sinks if status is not None else []
        if all(sink.safe >= position or sink.state == "degraded" for sink in sinks):
            return
        await trio.sleep(REFRESH_S)


class Show:
    """What is on the screen, and where it comes from."""

    def __init__(
        self,
        args: argparse.Namespace,
        config: Config,
        schedule: Schedule,
        city: City,
        engine: Child,
        nursery: trio.Nursery,
    ) -> None:
        self._args, self._schedule, self._city, self._engine = args, schedule, city, engine
        self._begun_s = trio.current_time()
        self._samples: deque[tuple[float, int]] = deque(maxlen=RATE_SAMPLES)
        self._guests = [lot for lot in config.lots if lot.id not in city.lots]
        self._guest_rows: list[LotRow] = []
        self._hint = _hint(args.config, config, city)
        self._asker: LastingClient | None = None
        service = next((service for service in config.services if service.id == SCREEN), None)
        if service is not None and self._guests:
            identity = Identity(m.SERVICE, service.id, service.key)
            self._asker = LastingClient(nursery, dialer(args, config), identity)

    async def during(self, schedule: Schedule) -> Comparison:
        """Show the city's run; its comparison."""
        console = Console()
        async with trio.open_nursery() as nursery:
            with self._shown(console, nursery):
                comparison = await self._city.run(schedule)
                await self._refresh()
            nursery.cancel_scope.cancel()
        if self._args.picture is not None:
            self._save_picture(comparison)
        return comparison

    async def aclose(self) -> None:
        """Say goodbye everywhere."""
        await self._city.aclose()
        if self._asker is not None:
            await self._asker.aclose()

    @contextmanager
    def _shown(self, console: Console, nursery: trio.Nursery) -> Iterator[None]:
        if not console.is_terminal:
            host, port = self._engine.address
            print(f"engine at {host}:{port}, its log in {self._engine.log}", flush=True)
            nursery.start_soon(sim.progress, self._city, self._schedule, self._args.traffic)
            nursery.start_soon(self._sample)
            yield
            return
        with Live(console=console, auto_refresh=False) as live:
            nursery.start_soon(self._sample, live)
            yield
            live.update(self.screen(), refresh=True)

    async def _sample(self, live: Live | None = None) -> None:
        """Ask how things are, again and again, and draw it where there is a screen."""
        await self._city.begun.wait()
        while True:
            await self._refresh()
            if live is not None:
                live.update(self.screen(), refresh=True)
            await trio.sleep(REFRESH_S)

    async def _refresh(self) -> None:
        await self._city.refresh()
        self._samples.append((trio.current_time(), self._city.status["decided"]))
        if self._asker is not None:
            self._guest_rows = [await self._guest(lot.id, lot.name) for lot in self._guests]

    async def _guest(self, id: str, name: str) -> LotRow:
        if self._asker is None:
            raise RuntimeError("nobody to ask with")
        answer = await self._asker.ask(m.Query(id, "occupancy", {}))
        if not isinstance(answer, m.Answer) or not answer.ok:
            raise Trouble(f"service {SCREEN} may not ask for the occupancy of {id}")
        return LotRow(id, name, answer.body["capacity"], answer.body["occupancy"], None)

    def screen(self) -> RenderableType:
        """The screen as of the last refresh."""
        city, status = self._city, self._city.status
        host, port = self._engine.address
        driven = [
            LotRow(id, lot.config.name, lot.counts["capacity"], lot.counts["occupancy"], lot.inside)
            for id, lot in city.lots.items()
        ]
        lanes = [
            LaneRow(reader.config.id, state) for reader in city.readers for state in reader.lanes.values()
        ]
        return render(
            Screen(
                title=f"engine {status['engine']} at {host}:{port}, {self._schedule.speed} × real time",
                clock=sim.data_time(self._schedule, self._args.traffic),
                elapsed_s=trio.current_time() - self._begun_s,
                now_ms=now_ms(),
                lots=(*driven, *self._guest_rows),
                lanes=tuple(lanes),
                decided=status["decided"],
                rate=self._rate(),
                position=status["durable_position"],
                readers=len(status["readers"]),
                refused=sum(lot.refused for lot in city.lots.values()),
                hint=self._hint,
            )
        )

    def _rate(self) -> float:
        if len(self._samples) < 2:
            return 0.0
        (from_s, before), (to_s, after) = self._samples[0], self._samples[-1]
        return (after - before) / (to_s - from_s)

    def _save_picture(self, comparison: Comparison) -> None:
        lines = sim.report_lines(comparison, sim.heading(self._args.traffic, self._schedule))
        picture.save(self._args.picture, "liftgate up", self.screen(), Text("\n".join(lines)))


def _hint(path: Path, config: Config, city: City) -> str:
    """A first scan of one's own, at a reader that the city leaves alone; "" where there is none."""
    free = [reader.id for reader in config.readers if reader.lot not in city.lots]
    if not free:
        return ""
    return f"try: liftgate scan --config {path} --reader {free[0]} --card 04DE5F1EACC040"
