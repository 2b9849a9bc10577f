"""`liftgate sim city`: a city's traffic against a running engine, with plain lines of progress.

`liftgate sim world` is in `world.py`; here is only its place among the arguments.
"""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import trio

from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    Trouble,
    address_options,
    config_option,
    dialer,
    duration_ms,
    find_mqtt,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.sim.city.reader import Over
from liftgate.sim.city.run import City, Comparison, now_ms
from liftgate.sim.city.schedule import HOUR_MS, Schedule, busiest, plan
from liftgate.sim.city.stays import SHANGHAI
from liftgate.sim.city.stories import RECORDED, STORIES, StoryUnfit, city_lots, story
from liftgate.sim.city.traffic import Traffic

SPEED = 600
"""Ten minutes of data a second: some 15 cars a second in the three recorded lots when they are busy."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Simulated traffic for a running engine, or a simulated world with an engine in it.",
        "liftgate sim city --config configs/demo.toml --for 20s --speed 1200",
        "liftgate sim world --for 1m",
    )
    actions = parser.add_subparsers(required=True, metavar="WHAT")
    city = actions.add_parser("city", help="cars in front of a running engine")
    say_example(
        city,
        "Be all readers of the city's lots: drive recorded stays, or traffic made from published rates,\n"
        "through their lanes over the real wire, then compare the engine's count of every lot with the\n"
        "truth counted from the data. Ctrl-C ends in order, with the comparison. Exit code: 0 they agree,\n"
        "1 they don't, or the engine went away.",
        "liftgate sim city --config configs/demo.toml --for 20s",
        "liftgate sim city --config configs/demo.toml --traffic birmingham --speed 3600 --for 1m",
    )
    config_option(city)
    story_options(city)
    city.add_argument("--as", dest="service", metavar="ID", help="which service asks for the counts")
    city.add_argument("--lots", metavar="A,B", help="which lots (default: those the service may ask about)")
    address_options(city)
    city.set_defaults(run=run)
    # Imported here: `liftgate up`, which shares this module, need not wait for a second engine's worth of it.
    from liftgate.commands import world

    world.arguments(actions.add_parser("world", help="the whole engine on virtual time, from a seed"))


def story_options(parser: argparse.ArgumentParser) -> None:
    """--traffic, --speed, --for and --seed."""
    parser.add_argument(
        "--traffic",
        choices=STORIES,
        default=RECORDED,
        help="recorded: stays of lots P1, P7, P8 as they were; birmingham: made from rates, for any lots",
    )
    parser.add_argument(
        "--speed",
        type=speed,
        default=SPEED,
        metavar="N",
        help="times as fast as in the data (default: %(default)s)",
    )
    parser.add_argument(
        "--for",
        dest="for_ms",
        type=duration_ms,
        metavar="TIME",
        help="end after this, such as 20s or 5m; takes the busiest stretch (default: busiest day to last)",
    )
    parser.add_argument(
        "--mqtt", action="store_true", help="every other reader speaks MQTT to [mqtt], by aiomqtt"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of made traffic (default: %(default)s)"
    )


def speed(text: str) -> int:
    """A whole number from 1 to 100,000. For argparse."""
    if not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("a whole number from 1 to 100000")
    return int(text)


def make_schedule(args: argparse.Namespace, config: Config) -> tuple[Schedule, list[str]]:
    """The story that the arguments ask for, and which lots it is for. Raises Trouble."""
    service = pick_service(config, args.service, "query")
    wanted = args.lots.split(",") if args.lots else service.lots
    try:
        lots = city_lots(config, wanted)
        schedule = _plan(story(args.traffic, lots, args.seed), args.speed, args.for_ms)
    except StoryUnfit as unfit:
        raise Trouble(str(unfit), USAGE) from unfit
    return schedule, [lot.id for lot in schedule.traffic.lots]


def _plan(traffic: Traffic, speed: int, for_ms: int | None) -> Schedule:
    """A run that ends by itself gets the busiest stretch; one that doesn't begins with the busiest day."""
    if for_ms is not None:
        return plan(traffic, speed, for_ms)
    day_ms = 24 * HOUR_MS
    start_ms = busiest(traffic, day_ms) if traffic.to_ms - traffic.from_ms > day_ms else traffic.from_ms
    return Schedule(traffic, start_ms, traffic.to_ms, speed)


def make_city(args: argparse.Namespace, config: Config, lots: list[str], nursery: trio.Nursery) -> City:
    """The city in front of those lots."""
    service = pick_service(config, args.service, "query")
    return City(nursery, dialer(args, config), config, city_lots(config, lots), service, _over(args, config))


def _over(args: argparse.Namespace, config: Config) -> Over | None:
    """MQTT for every other reader, where that is asked for. Raises Trouble."""
    if not args.mqtt:
        return None
    if config.mqtt is None:
        raise Trouble("no [mqtt] is configured: docs/mqtt.md says what it takes", USAGE)
    try:
        from liftgate.sim.city.mqtt import MqttWay
    except ImportError as error:
        raise Trouble(f"--mqtt needs aiomqtt: pip install liftgate[city] ({error})", USAGE) from error
    return MqttWay(lambda: find_mqtt(config))


def run(args: argparse.Namespace) -> int:
    """Drive and compare. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, EngineGone, CityTrouble."""
    config = load(args.config)
    schedule, lots = make_schedule(args, config)
    comparison = run_trio(_run, args, config, schedule, lots)
    return report(comparison, heading(args.traffic, schedule))


async def _run(args: argparse.Namespace, config: Config, schedule: Schedule, lots: list[str]) -> Comparison:
    async with trio.open_nursery() as nursery:
        city = make_city(args, config, lots, nursery)
        nursery.start_soon(stop_on_signal, city)
        nursery.start_soon(progress, city, schedule, args.traffic)
        try:
            return await city.run(schedule)
        finally:
            await city.aclose()
            nursery.cancel_scope.cancel()


async def stop_on_signal(city: City) -> None:
    """Ctrl-C and SIGTERM end the story in order; a second one at once."""
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if city.stop.is_set():
                raise KeyboardInterrupt
            city.stop.set()


async def progress(city: City, schedule: Schedule, traffic: str) -> None:
    """A line a second."""
    await city.begun.wait()
    begun, before = trio.current_time(), 0
    while True:
        await trio.sleep(1)
        await city.refresh()
        done = sum(lot.movements for lot in city.lots.values())
        at = trio.current_time() - begun
        print(
            f"{at:5.0f} s  {data_time(schedule, traffic)}  {_counts(city)}  {done - before:4} cars/s",
            flush=True,
        )
        before = done


def _counts(city: City) -> str:
    return "  ".join(
        f"{id} {lot.counts['occupancy']:3}/{lot.counts['capacity']}" for id, lot in city.lots.items()
    )


def data_time(schedule: Schedule, traffic: str) -> str:
    """The story's time now, in the zone of its data."""
    return _local(schedule.data_ms(now_ms()), traffic)


def heading(traffic: str, schedule: Schedule) -> str:
    """What was told, in a line."""
    what = "recorded stays" if traffic == RECORDED else "traffic made from Birmingham's rates"
    begin, end = (_local(at_ms, traffic) for at_ms in (schedule.start_ms, schedule.end_ms))
    day, _, clock = end.rpartition(" ")
    return f"{what}, {begin} to {clock if begin.startswith(day) else end}, {schedule.speed} times as fast"


def _local(at_ms: int, traffic: str) -> str:
    zone = SHANGHAI if traffic == RECORDED else UTC  # Birmingham in winter is UTC
    return datetime.fromtimestamp(at_ms / 1000, zone).strftime("%a %Y-%m-%d %H:%M")


def report(comparison: Comparison, title: str) -> int:
    """Print the comparison and say plainly what it comes to; the exit code."""
    for line in report_lines(comparison, title):
        print(line, flush=True)
    return FINE if comparison.agrees else FAILED


def report_lines(comparison: Comparison, title: str) -> Iterator[str]:
    """The comparison as text."""
    refused = f", {comparison.refused} of them refused" if comparison.refused else ""
    yield f"{comparison.movements} cars through a barrier{refused}: {title}"
    width = max(len(line.name) for line in comparison.lines)
    ids = max(3, *(len(line.lot) for line in comparison.lines))
    yield f"  {'lot':{ids}}  {'':{width}}  engine  truth"
    for line in comparison.lines:
        mark = "agree" if line.agrees else "DISAGREE"
        yield f"  {line.lot:{ids}}  {line.name:{width}}  {line.engine:6}  {line.truth:5}  {mark}"
    if comparison.agrees:
        yield "engine and truth agree"
    else:
        wrong = ", ".join(line.lot for line in comparison.lines if not line.agrees)
        yield f"engine and truth DISAGREE in {wrong} (whoever else drove there counts for the engine only)"
