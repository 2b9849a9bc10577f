"""`liftgate scan`: be a reader for one card."""

from __future__ import annotations

import argparse
from pathlib import Path

import trio

from liftgate.codecs import messages as m
from liftgate.commands import words
from liftgate.commands.common import (
    FINE,
    USAGE,
    Trouble,
    address_options,
    config_option,
    dialer,
    run_trio,
    say_example,
)
from liftgate.commands.registry_desk import registered
from liftgate.configs.loader import load
from liftgate.configs.problems import suggestion
from liftgate.configs.schema import Config, LaneConfig, ReaderConfig
from liftgate.sim.city.client import Dial
from liftgate.sim.city.reader import PASSED, Reader
from liftgate.sim.city.run import now_ms

NOT_OPENED = 3
BACKED_OUT = 2
PASSAGES = {"passed": PASSED, "backed-out": BACKED_OUT, "none": 0}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Sign on as one of the configuration's readers, read one credential, and print the decision. Where\n"
        "the lane waits for the car to pass, that is told too. A real reader of that name that is connected\n"
        "is replaced meanwhile. Exit code: 0 opened, 3 not opened, 1 no engine, 2 wrong usage.",
        "liftgate scan --config configs/demo.toml --reader north-entry-1 --card 04DE5F1EACC040",
        "liftgate scan --config configs/demo.toml --reader north-exit-1 --plate 'B-LG 2042'",
    )
    config_option(parser)
    parser.add_argument("--reader", required=True, metavar="ID", help="which of its readers to be")
    text = "be a registered reader (liftgate reader add), whose key this file has"
    parser.add_argument("--key-in", type=Path, metavar="FILE", help=text)
    parser.add_argument(
        "--lane", type=int, metavar="N", help="number of the lane (default: the reader's first)"
    )
    words.credential_options(parser, required=True)
    parser.add_argument(
        "--passage",
        choices=PASSAGES,
        default="passed",
        help="what the car does after the barrier opened, at a lane that waits for it (default: passed)",
    )
    address_options(parser)
    parser.set_defaults(run=run, service=None, lot=None)


def run(args: argparse.Namespace) -> int:
    """Scan once. Raises ConfigErrors, Trouble, NoEngine, SignOnFailed, EngineGone."""
    config = load(args.config)
    if args.key_in is None:
        reader = pick_reader(config, args.reader)
    else:
        reader = registered(args, config, args.key_in)
    lane = _pick_lane(reader, args.lane)
    return run_trio(_scan, args, dialer(args, config), reader, lane)


def pick_reader(config: Config, wanted: str) -> ReaderConfig:
    """The reader of that name. Raises Trouble."""
    by_id = {reader.id: reader for reader in config.readers}
    if wanted not in by_id:
        hint = suggestion(wanted, by_id) or f"; there are: {', '.join(by_id) or 'none'}"
        raise Trouble(f"no reader {wanted} is configured{hint}", USAGE)
    return by_id[wanted]


def _pick_lane(reader: ReaderConfig, wanted: int | None) -> LaneConfig:
    for lane in reader.lanes:
        if wanted is None or lane.number == wanted:
            return lane
    numbers = ", ".join(str(lane.number) for lane in reader.lanes)
    raise Trouble(f"reader {reader.id} has no lane {wanted}; it has: {numbers}", USAGE)


async def _scan(args: argparse.Namespace, dial: Dial, config: ReaderConfig, lane: LaneConfig) -> int:
    kind, token = words.credential(args) or (0, b"")
    async with trio.open_nursery() as nursery:
        reader = Reader(nursery, dial, config, now_ms)
        try:
            began = trio.current_time()
            decision = await reader.scan(lane.number, kind, token)
            took_ms = (trio.current_time() - began) * 1000
            _print(args, reader, lane, decision, took_ms)
            what = PASSAGES[args.passage]
            if decision.verdict == m.OPEN and lane.confirm:
                await _tell_passage(reader, lane, what, decision)
        finally:
            await reader.aclose()
    return FINE if decision.verdict == m.OPEN else NOT_OPENED


async def _tell_passage(reader: Reader, lane: LaneConfig, what: int, decision: m.Decision) -> None:
    if not what:
        print("passage   not told: the engine holds the move until it lapses")
        return
    await reader.passage(lane.number, what, decision.session)
    print("passage   the car passed" if what == PASSED else "passage   the car backed out")


def _print(
    args: argparse.Namespace, reader: Reader, lane: LaneConfig, decision: m.Decision, took_ms: float
) -> None:
    lines = {
        "verdict": words.verdict(decision.verdict).upper(),
        "reason": "" if not decision.reason else words.reason(decision.reason),
        "display": decision.text,
        "spot": decision.spot or "",
        "price": "" if decision.price is None else _price(*decision.price),
        "stay": "" if decision.session is None else decision.session.hex(),
        "lane": f"{lane.number} of {reader.config.id}, {lane.direction} of {lane.area}",
        "durable": f"journal position {decision.position}" if decision.position else "",
        "took": f"{took_ms:.1f} ms, sign-on included",
    }
    for name, text in lines.items():
        if text:
            print(f"{name:9} {text}")
    print(
        f"why       liftgate why --config {args.config} --reader {reader.config.id}"
        f" --boot {reader.log.boot} --no {decision.no}"
    )


def _price(minor: int, currency: str) -> str:
    return f"{minor // 100}.{minor % 100:02} {currency}"
