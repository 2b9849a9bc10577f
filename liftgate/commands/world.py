"""`liftgate sim world`: the whole engine on virtual time, seed after seed, until one goes wrong."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import chain
from os import cpu_count

from liftgate.commands.common import FAILED, FINE, USAGE, Trouble, duration_ms, say_example
from liftgate.commands.world_view import Run, as_json, as_lines, progress
from liftgate.sim.world import plants, runner
from liftgate.sim.world.plan import Plan, draw_plan
from liftgate.sim.world.story import Failure, story_lines
from liftgate.sim.world.workers import Workers

SEED_MAX = (1 << 63) - 1
INTERRUPTED = 130
STORIES_MAX = 3
"""With --keep-going only so many stories are shrunk: each takes up to a minute, and all are named anyway."""

_SEEDS = re.compile(r"([0-9]{1,19})\.\.([0-9]{1,19})")
_DESCRIPTION = """\
The real engine (codecs, rules, journal, gateway) in a simulated world: network, disk, clock and devices come
from a seed, and so does all that goes wrong with them. An auditor that shares no code with the engine judges
every answer and every record. A seed that fails prints itself, the fewest happenings that it takes, and what
was expected. Without --seed and --seeds the seeds are fresh ones. Exit code: 0 nothing found, 1 found.
How to read a story: docs/simulation.md."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """What `liftgate sim world` takes."""
    say_example(
        parser,
        _DESCRIPTION,
        "liftgate sim world --for 1m",
        "liftgate sim world --seed 7 --story",
        "liftgate sim world --seeds 1..200 --jobs 2 --keep-going --json",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--seed", type=seed, metavar="N", help="play this one seed")
    which.add_argument("--seeds", type=seed_range, metavar="A..B", help="play these, both ends included")
    parser.add_argument(
        "--for", dest="for_ms", type=duration_ms, metavar="TIME", help="end after this, such as 90s or 10m"
    )
    parser.add_argument(
        "--jobs", type=jobs, default=cpu_count() or 1, metavar="N", help="processes (default: %(default)s)"
    )
    parser.add_argument("--keep-going", action="store_true", help="do not end with the first failing seed")
    parser.add_argument("--twice", action="store_true", help="play each twice and compare the journals")
    parser.add_argument("--json", action="store_true", help="print one JSON object, and no progress")
    parser.add_argument("--only", type=places, metavar="1,2", help="with --seed: these happenings, or none")
    parser.add_argument("--story", action="store_true", help="with --seed: print its happenings first")
    parser.add_argument(
        "--plant",
        choices=sorted(plants.BUGS),
        default="",
        metavar="BUG",
        help=f"plant a known bug, to see it found: {', '.join(plants.BUGS)}",
    )
    parser.set_defaults(run=run)


def seed(text: str) -> int:
    """A whole number below 2^63. For argparse."""
    if not text.isdecimal() or int(text) > SEED_MAX:
        raise argparse.ArgumentTypeError(f"a whole number up to {SEED_MAX}")
    return int(text)


def seed_range(text: str) -> range:
    """A..B. For argparse."""
    match = _SEEDS.fullmatch(text)
    if match is None or not int(match[1]) <= int(match[2]) <= SEED_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a range such as 1..200")
    return range(int(match[1]), int(match[2]) + 1)


def jobs(text: str) -> int:
    """1 to 256 processes. For argparse."""
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError("a whole number from 1 to 256")
    return int(text)


def places(text: str) -> tuple[int, ...]:
    """Numbers with commas between them, or "none". For argparse."""
    words = [] if text == "none" else text.split(",")
    if not all(word.isdecimal() for word in words):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list such as 3,17")
    return tuple(sorted({int(word) for word in words}))


def run(args: argparse.Namespace) -> int:
    """Play, and report; the exit code. Raises Trouble."""
    if args.seed is None and (args.only is not None or args.story):
        raise Trouble("--only and --story are about one seed: --seed N", USAGE)
    return _one(args) if args.seed is not None else _many(args)


# -- one seed, in this process


def _one(args: argparse.Namespace) -> int:
    runner.be_quiet()
    plan = draw_plan(args.seed)
    kept = _kept(args, plan)
    if args.story and not args.json:
        print(*story_lines(plan.happenings, kept), sep="\n", flush=True)
    began, totals = time.monotonic(), runner.Totals()
    if args.only is None:
        totals.add(runner.play(args.seed, args.plant, args.twice))
    else:
        totals.add(runner.play_plan(runner.only(plan, kept), args.plant))
    return _report(args, Run(args.seed, totals, time.monotonic() - began, _examined(args, totals)))


def _kept(args: argparse.Namespace, plan: Plan) -> tuple[int, ...]:
    """The places of the happenings that --only leaves."""
    count = len(plan.happenings)
    if args.only is None:
        return tuple(range(count))
    kept: tuple[int, ...] = args.only
    if kept and kept[-1] >= count:
        raise Trouble(f"seed {args.seed} has {count} happenings, 0 to {count - 1}", USAGE)
    return kept


# -- many, over processes


def _many(args: argparse.Namespace) -> int:
    seeds: Iterator[int] = iter(args.seeds) if args.seeds is not None else runner.fresh_seeds()
    first = next(seeds)
    seeds = chain((first,), seeds)
    if args.for_ms is not None:
        seeds = runner.until(seeds, args.for_ms / 1000)
    end = "" if args.seeds is None else f" to {args.seeds[-1]}"
    _say(args, f"seeds from {first}{end}, over {args.jobs} processes")
    began, totals = time.monotonic(), runner.Totals()
    try:
        _play(args, seeds, totals)
    except KeyboardInterrupt:
        _report(args, Run(first, totals, time.monotonic() - began, []))
        return INTERRUPTED
    took_s = time.monotonic() - began
    return _report(args, Run(first, totals, took_s, _examined(args, totals)))


def _play(args: argparse.Namespace, seeds: Iterator[int], totals: runner.Totals) -> None:
    """Play the seeds until they end, or one fails."""
    play = partial(runner.play, plant=args.plant, twice=args.twice)
    count = len(args.seeds) if args.seeds is not None and args.for_ms is None else None
    with progress(count, silent=args.json) as show, Workers(play, runner.died, args.jobs) as workers:
        for outcome in workers.results(seeds):
            totals.add(outcome)
            show(totals)
            if outcome.found and not args.keep_going:
                return


# -- what came of it


def _examined(args: argparse.Namespace, totals: runner.Totals) -> list[Failure]:
    """The first failures, with their stories shrunk."""
    failed = totals.failed[:STORIES_MAX]
    if failed:
        _say(args, f"seed {failed[0].seed} fails; looking for the fewest happenings that it takes")
    return [_examine(args, outcome) for outcome in failed]


def _examine(args: argparse.Namespace, outcome: runner.Outcome) -> Failure:
    runner.be_quiet()
    plan = draw_plan(outcome.seed)
    play_one = partial(runner.play_plan, plant=args.plant)
    more = runner.for_a_while(runner.SHRINK_S)
    return runner.examine(plan, _kept(args, plan), outcome.found[0], play_one, more, args.plant)


def _report(args: argparse.Namespace, run: Run) -> int:
    if args.json:
        print(as_json(run), flush=True)
    else:
        print(*as_lines(run), sep="\n", flush=True)
    return FAILED if run.totals.failed else FINE


def _say(args: argparse.Namespace, text: str) -> None:
    """A line for people: beside JSON it goes to stderr."""
    print(text, file=sys.stderr if args.json else sys.stdout, flush=True)
