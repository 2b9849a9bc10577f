"""`liftgate journal`: verify, dump, stats, repair."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator

import msgspec

from liftgate.codecs.events import events_of
from liftgate.codecs.events.plain import as_line
from liftgate.commands.actions import Actions
from liftgate.commands.common import FAILED, FINE, say_example
from liftgate.commands.records import storage_of
from liftgate.configs.loader import load
from liftgate.engine.journal import inspect
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.repair import Repair, repair
from liftgate.engine.journal.snapshot import newest

POSITION_MAX = (1 << 63) - 1

Run = Callable[[argparse.Namespace], int]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Look after a journal. verify, dump and stats only read, also while an engine runs; repair needs\n"
        "the engine stopped. Exit code: 0 fine, 1 damage found, 2 wrong usage.",
        "liftgate journal verify --config configs/demo.toml",
    )
    actions = Actions(parser, "journal")
    actions.add("verify", _verify, "Read every record, and say for each segment whether it is whole.")
    dump = actions.add("dump", _dump, "Print events as JSON lines, oldest first.", " --from 10 --to 20")
    dump.add_argument("--from", dest="first", type=int, default=1, metavar="N", help="first position")
    dump.add_argument("--to", dest="last", type=int, default=POSITION_MAX, metavar="N", help="last position")
    stats = actions.add("stats", _stats, "Sums over segments, records, snapshots and cursors.")
    stats.add_argument("--json", action="store_true", help="as one JSON object")
    mend = actions.add(
        "repair",
        _repair,
        "Say what would be done about damage, and with --yes do it. Nothing is deleted: what cannot be kept\n"
        "is set aside under a new name. The first line says which events are lost, if any.",
    )
    mend.add_argument("--yes", action="store_true", help="carry it out")


def _storage(args: argparse.Namespace) -> DiskStorage:
    return storage_of(load(args.config))


def _verify(args: argparse.Namespace) -> int:
    storage = _storage(args)
    reports = inspect.verify(storage)
    for report in reports:
        state = str(report.rot) if report.rot is not None else report.state
        print(f"{report.name}  positions {report.first}..{report.last}  {report.records} records  {state}")
    if any(report.rot is not None for report in reports):
        print(f"damage found: liftgate journal repair --config {args.config} says what can be done")
        return FAILED
    covered = newest(storage)
    if reports and reports[0].first > (covered.position if covered else 0) + 1:
        print(f"events before position {reports[0].first} are gone, and no whole snapshot covers them")
        return FAILED
    print(f"fine: {sum(report.events for report in reports)} events in {len(reports)} segments")
    return FINE


def _dump(args: argparse.Namespace) -> int:
    for position, _, event in inspect.dump(_storage(args), args.first, args.last, events_of):
        sys.stdout.write(as_line(position, event) + "\n")
    return FINE


def _stats(args: argparse.Namespace) -> int:
    config = load(args.config)
    stats = inspect.stats(storage_of(config))
    if args.json:
        print(msgspec.json.encode(stats).decode())
        return FINE
    for line in _stat_lines(stats, config.engine.backlog_max):
        print(line)
    return FINE


def _stat_lines(stats: inspect.Stats, backlog_max: int) -> Iterator[str]:
    yield f"segments   {stats.segments}, {stats.bytes_files:,} bytes, {stats.bytes_used:,} of them used"
    yield f"events     {stats.events:,} in {stats.records:,} records, {stats.events_per_record:.1f} each"
    yield f"positions  {stats.first}..{stats.last}"
    for snapshot in stats.snapshots:
        whole = "whole" if snapshot.whole else "damaged"
        yield f"snapshot   up to {snapshot.position}, {snapshot.bytes_file:,} bytes, {whole}"
    rate = f"{stats.rate_bytes_s:,.0f} bytes a second over {_span(stats.rate_s)}"
    yield f"room       {stats.bytes_free:,} bytes free; written {rate}"
    for name, (position, held) in stats.cursors.items():
        share = f", {100 * held // backlog_max} % of backlog_max" if backlog_max else ""
        fits_s = stats.fits_s(name, backlog_max)
        fits = f"fits for {_span(fits_s)} more at that rate" if fits_s is not None else "no rate to judge by"
        behind = f"{stats.last - position:,} events behind"
        yield f"cursor     {name} at {position}, {behind}, holds back {held:,} bytes{share}; {fits}"


def _span(seconds: float) -> str:
    """A time in its two largest units that matter: 3 d 4 h, 12 min, 40 s."""
    for unit_s, unit, part_s, part in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min")):
        if seconds >= unit_s:
            return f"{int(seconds // unit_s):,} {unit} {int(seconds % unit_s // part_s)} {part}"
    return f"{int(seconds // 60)} min" if seconds >= 60 else f"{seconds:.0f} s"


def _repair(args: argparse.Namespace) -> int:
    """Plan, or carry out repair after repair until nothing is left to mend."""
    storage = _storage(args)
    plan = repair(storage, confirm=args.yes)
    if plan is None:
        print("nothing to repair")
        return FINE
    while plan is not None:
        for line in _plan_lines(plan):
            print(line)
        if not plan.done:
            print("nothing was changed: add --yes to carry it out")
            return FAILED
        plan = repair(storage, confirm=True)
    print("repaired")
    return FINE


def _plan_lines(plan: Repair) -> Iterator[str]:
    yield f"damage     {plan.damage}"
    if plan.lost is None:
        yield "events     none are lost"
    else:
        state = (
            "the state is whole all the same, by a snapshot" if plan.state_kept else "their effect is gone"
        )
        yield f"events     {plan.lost[0]}..{plan.lost[1]} are lost; {state}"
    if plan.cut is not None:
        yield f"cut        {plan.cut}; the segment as it is stays beside it"
    for name in plan.aside:
        yield f"set aside  {name}"
    for name, position in plan.cursors.items():
        yield f"cursor     {name} moves to {position}"
