"""`liftgate dead`: the events that a sink refused for good."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import msgspec

from liftgate.codecs.events import Event, events_of
from liftgate.codecs.events.plain import shown
from liftgate.commands.actions import Actions
from liftgate.commands.common import FAILED, FINE, USAGE, Trouble, say_example
from liftgate.commands.records import storage_of
from liftgate.commands.relay import relay_of
from liftgate.configs.loader import load
from liftgate.engine.journal.segments import first_of, segment_names
from liftgate.relay.dead import DeadLetters, Letter
from liftgate.relay.gaps import Gaps
from liftgate.relay.process import read_status, runs

Run = Callable[[argparse.Namespace], int]

WAIT_S_MAX = 30.0
"""How long `resend` waits for the relay's word about what it asked for."""

LOOK_S = 0.1

LISTED_MAX = 1_000_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Look after dead letters: events that a sink refused for good, each kept with its reason. All of it\n"
        "works while the relay runs. Exit code: 0 fine, 1 there is no such letter, or it was refused again.",
        "liftgate dead list --config configs/demo.toml",
        "liftgate dead resend --config configs/demo.toml --sink history 1207",
    )
    actions = Actions(parser, "dead")
    listed = actions.add("list", _list, "One line for each: sink, position, lot, seq, type, reason.")
    listed.add_argument("--sink", metavar="NAME", help="of this sink only")
    listed.add_argument("--lot", metavar="ID", help="of this lot only")
    listed.add_argument("--json", action="store_true", help="a JSON object a line")
    show = actions.add("show", _show, "One letter with all fields of its event, as JSON.", " 1207")
    _which(show, many=False)
    again = actions.add(
        "resend",
        _resend,
        "Have the relay send them again, and wait for what comes of it. Later events of the lot are in the\n"
        "sink already: docs/relay.md says for each sink what that means.",
        " --all",
    )
    _which(again, many=True)
    skip = actions.add(
        "skip-gap",
        _skip_gap,
        "Have a sink go on that stands still because the journal no longer holds what comes next for it: it\n"
        "will never have those events. Which they were is kept, and told by `liftgate status` and `compare`.",
    )
    skip.add_argument("--sink", metavar="NAME", help="which one (default: the only one configured)")
    drop = actions.add("drop", _drop, "Forget them: the sink will never have these events.", " 1207")
    _which(drop, many=True)


def _which(parser: argparse.ArgumentParser, *, many: bool) -> None:
    parser.add_argument("--sink", metavar="NAME", help="of this sink (default: the only one configured)")
    if not many:
        parser.add_argument("position", type=int, metavar="POSITION")
        return
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("positions", nargs="*", type=int, metavar="POSITION", default=[])
    which.add_argument("--all", action="store_true", help="all of the sink")


def _opened(args: argparse.Namespace) -> DeadLetters:
    """The file, which is there once a relay ran. Raises Trouble."""
    state = relay_of(load(args.config)).state
    try:
        return DeadLetters(state, make=False)
    except FileNotFoundError:
        raise Trouble(f"no relay ever ran on {args.config}, so there are no dead letters") from None


def _sink(args: argparse.Namespace) -> str:
    sinks = relay_of(load(args.config)).sinks
    if args.sink is None and len(sinks) == 1:
        return sinks[0]
    if args.sink not in sinks:
        raise Trouble(f"say which sink: --sink {' | '.join(sinks)}", USAGE)
    return str(args.sink)


def _list(args: argparse.Namespace) -> int:
    for letter in _opened(args).find(args.sink, args.lot, limit=LISTED_MAX):
        print(msgspec.json.encode(_plain(letter)).decode() if args.json else _line(letter))
    return FINE


def _line(letter: Letter) -> str:
    wanted = ", to be sent again" if letter.wanted else ""
    kind = type(_event(letter)).__name__
    times = "once" if letter.attempts == 1 else f"{letter.attempts} times"
    return (
        f"{letter.sink}  {letter.position}  {letter.lot} {letter.seq}  {kind}  "
        f"refused {times}{wanted}: {letter.reason}"
    )


def _plain(letter: Letter) -> dict[str, object]:
    named = {**letter._asdict(), "type": type(_event(letter)).__name__, "event": shown(_event(letter))}
    del named["raw"]
    return named


def _event(letter: Letter) -> Event:
    return events_of(letter.raw, 1)[0]


def _show(args: argparse.Namespace) -> int:
    letter = _opened(args).get(_sink(args), args.position)
    if letter is None:
        raise Trouble(f"{_sink(args)} has no dead letter at position {args.position}")
    print(msgspec.json.format(msgspec.json.encode(_plain(letter))).decode())
    return FINE


def _chosen(args: argparse.Namespace, letters: DeadLetters, sink: str) -> list[int]:
    """The positions meant, each of which has a letter. Raises Trouble."""
    known = [letter.position for letter in letters.find(sink, limit=LISTED_MAX)]
    if args.all:
        return known
    for position in args.positions:
        if position not in known:
            raise Trouble(f"{sink} has no dead letter at position {position}")
    return list(args.positions)


def _drop(args: argparse.Namespace) -> int:
    letters, sink = _opened(args), _sink(args)
    count = letters.drop(sink, _chosen(args, letters, sink))
    print(f"{count} dropped")
    return FINE


def _resend(args: argparse.Namespace) -> int:
    """Ask for it in the file, which the relay looks into twice a second; then see what became of each."""
    letters, sink = _opened(args), _sink(args)
    chosen = _chosen(args, letters, sink)
    letters.want(sink, chosen)
    if not runs(relay_of(load(args.config)).state):
        print(f"{len(chosen)} will be sent when a relay runs")
        return FINE
    until_s = time.monotonic() + WAIT_S_MAX
    while (waiting := _still_wanted(letters, sink, chosen)) and time.monotonic() < until_s:
        time.sleep(LOOK_S)
    refused = [letter for position in chosen if (letter := letters.get(sink, position)) and not letter.wanted]
    print(
        f"{len(chosen) - len(refused) - waiting} stored, {len(refused)} refused again, {waiting} not sent yet"
    )
    for letter in refused:
        print(_line(letter))
    return FAILED if refused or waiting else FINE


def _still_wanted(letters: DeadLetters, sink: str, chosen: list[int]) -> int:
    return len({letter.position for letter in letters.wanted(sink, LISTED_MAX)} & set(chosen))


def _skip_gap(args: argparse.Namespace) -> int:
    """Ask for it in the file, which the relay looks into while it stands still; then say what it left out."""
    config = load(args.config)
    relay, name = relay_of(config), _sink(args)
    status = read_status(relay.state)
    sink = next((sink for sink in status.sinks if sink.name == name), None) if status is not None else None
    if sink is None or not runs(relay.state):
        raise Trouble(f"no relay runs, which would have to do it: liftgate relay --config {args.config}")
    names = segment_names(storage_of(config).names())
    if not names or sink.received >= first_of(names[0]) - 1:
        raise Trouble(f"{name} stands before no gap: the journal has what comes behind {sink.received}")
    gaps = Gaps(relay.state)
    before = len(gaps.skipped(name))
    gaps.want(name)
    until_s = time.monotonic() + WAIT_S_MAX
    while len(gaps.skipped(name)) == before:
        if time.monotonic() > until_s:
            raise Trouble(f"the relay has not done it in {WAIT_S_MAX:.0f} s: liftgate status says how it is")
        time.sleep(LOOK_S)
    gap = gaps.skipped(name)[-1]
    print(f"{name} goes on without {gap.events:,} events, positions {gap.first} to {gap.last}")
    return FINE
