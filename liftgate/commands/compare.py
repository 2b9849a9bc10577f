"""`liftgate compare`: whether history and stream have what the journal has. `liftgate up` ends with it."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import trio

from liftgate.codecs import messages as m
from liftgate.codecs.client import Identity, SignOnFailed
from liftgate.codecs.events import events_of
from liftgate.commands.common import (
    FAILED,
    FINE,
    USAGE,
    NoEngine,
    Trouble,
    address_options,
    config_option,
    dialer,
    pick_service,
    run_trio,
    say_example,
)
from liftgate.commands.records import storage_of
from liftgate.configs.history import HistoryConfig
from liftgate.configs.loader import load
from liftgate.configs.relay import RelayConfig, SinkKind
from liftgate.configs.schema import Config, ServiceConfig
from liftgate.engine.journal import inspect
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.segments import first_of, segment_names
from liftgate.history.clock import now_ms
from liftgate.history.port import StoreMisfit, StoreUnavailable
from liftgate.history.stays import day_of
from liftgate.history.stores import store_of
from liftgate.relay.comparison import Compared, Entry, Span, compare
from liftgate.relay.dead import DeadLetters, How
from liftgate.relay.gaps import Gaps
from liftgate.relay.process import read_status
from liftgate.relay.sink import SinkMisfit, SinkUnavailable
from liftgate.relay.sinks.history_kept import HistoryKept, count_of
from liftgate.sim.city.client import ConnectionLost, Dial, connect

COMPARED: tuple[SinkKind, ...] = ("history", "stream")
"""The null sink keeps nothing to compare with."""

QUIET_TRIES = 3
"""Times that the engine is asked for its counts: while cars drive they are of no single position."""

ORDER = {"history": "each (lot, seq) once", "stream": "each (lot, seq) once and in order"}


class Counts(NamedTuple):
    """Cars in each lot by the engine, when its journal ended with `position`; None, and why not."""

    position: int
    cars: Mapping[str, int] | None
    why_not: str = ""


class Line(NamedTuple):
    """What came of one sink."""

    sink: str
    text: str
    equal: bool


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    say_example(
        parser,
        "Read the journal, and the history and the topic beside it, and say whether each event of the\n"
        "journal is in both once, a lot's in order, and nothing more; and whether the history counts as\n"
        "many cars as the engine. It only reads, also while engine and relay run: what a sink has not had\n"
        "yet is left for the next time. Exit code: 0 equal, 1 not, and the first difference is named.",
        "liftgate compare --config configs/services.toml",
    )
    config_option(parser)
    address_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare and say. Raises ConfigErrors, Trouble, JournalRotten."""
    config = load(args.config)
    relay = compared_relay(config)
    if relay is None:
        raise Trouble(f"{args.config} has no [relay] with a history or a stream: docs/relay.md", USAGE)
    if read_status(relay.state) is None:
        raise Trouble(f"the relay never ran: liftgate relay --config {args.config}")
    try:
        counts = run_trio(ask_counts, dialer(args, config), config)
    except NoEngine:
        counts = Counts(0, None, "no engine runs")
    except (ConnectionLost, SignOnFailed) as error:
        counts = Counts(0, None, str(error))
    return report(config, relay, counts)


def compared_relay(config: Config) -> RelayConfig | None:
    """The file's [relay] if it has a sink that can be compared."""
    relay = config.relay
    return relay if relay is not None and set(COMPARED) & set(relay.sinks) else None


def report(config: Config, relay: RelayConfig, counts: Counts, whole: bool = False) -> int:
    """Print a line for the journal and one for each sink; the exit code.

    whole: every sink must have all up to counts.position; else what it has not had yet is no difference.
    Raises Trouble where there is no journal, JournalRotten.
    """
    storage = storage_of(config)
    names = segment_names(storage.names())
    first = first_of(names[0]) if names else 1
    status = read_status(relay.state)
    safe = {sink.name: sink.safe for sink in status.sinks} if status is not None else {}
    gone = f"; what was before {first} is gone from it, and not compared" if first > 1 else ""
    until = f" to {counts.position}" if counts.position else " on"
    print(f"journal    from position {first}{until}{gone}", flush=True)
    equal = True
    for kind in [kind for kind in COMPARED if kind in relay.sinks]:
        has = safe.get(kind, 0)
        line = _judged(config, relay, storage, kind, Span(first, has), counts)
        if whole and has < counts.position:
            line = Line(kind, f"DIFFERS: it has no more than position {has} yet; {line.text}", False)
        print(f"{line.sink:10} {line.text}", flush=True)
        for gap in _gaps(relay, kind):
            print(f"{'':10} {gap}", flush=True)
        equal = equal and line.equal
    return FINE if equal else FAILED


def _judged(
    config: Config, relay: RelayConfig, storage: DiskStorage, kind: SinkKind, span: Span, counts: Counts
) -> Line:
    """One sink, compared."""
    work = _history if kind == "history" else _stream
    try:
        return asyncio.run(work(config, relay, _entries(storage, span), span, counts))
    except (StoreUnavailable, StoreMisfit, SinkUnavailable, SinkMisfit) as error:
        return Line(kind, f"cannot be compared: {error}", False)


def _entries(storage: DiskStorage, span: Span) -> Iterator[Entry]:
    for position, _, event in inspect.dump(storage, span.first, span.last, events_of):
        yield Entry(event.lot, event.seq, position, type(event).__name__, event.at_ms)


async def _history(
    config: Config, relay: RelayConfig, journal: Iterator[Entry], span: Span, counts: Counts
) -> Line:
    if config.history is None:
        raise StoreMisfit("there is no [history]")
    store = store_of(config.history)
    try:
        await store.open()
        kept = HistoryKept(store, span, _oldest_day(config.history))
        found = await compare(journal, kept, _settled(relay, "history"))
        if found.difference is not None:
            return _line("history", relay, found, span)
        if counts.cars is None or counts.position != span.last:
            why = counts.why_not or f"the engine went on to {counts.position}"
            return _line("history", relay, found, span, f"; counts not compared: {why}")
        for lot, cars in counts.cars.items():
            by_history = await count_of(store, lot)
            if by_history != cars:
                what = f"{lot} has {by_history} cars by the history and {cars} by the engine"
                return Line("history", f"DIFFERS: {what}", False)
    finally:
        await store.aclose()
    return _line("history", relay, found, span, f"; {len(counts.cars)} lots count as the engine does")


def _oldest_day(history: HistoryConfig) -> int:
    """A day more than what is kept, since rows go by the hour."""
    today = day_of(now_ms())
    return max(today - history.keep_days + 1, 0) if history.keep_days else 0


async def _stream(
    config: Config, relay: RelayConfig, journal: Iterator[Entry], span: Span, counts: Counts
) -> Line:
    if config.stream is None:
        raise SinkMisfit("there is no [stream]")
    try:
        from liftgate.relay.sinks.kafka_kept import open_topic  # its client is an extra
    except ModuleNotFoundError as missing:
        raise SinkMisfit(f"{missing}: pip install liftgate[services]") from missing
    async with open_topic(config.stream, config.engine.name, span) as kept:
        return _line("stream", relay, await compare(journal, kept, _settled(relay, "stream")), span)


def _line(sink: str, relay: RelayConfig, found: Compared, span: Span, more: str = "") -> Line:
    if found.difference is not None:
        entry = found.difference.entry
        dead = _is_dead(relay, sink, entry.position)
        hint = f"; it is a dead letter: liftgate dead show {entry.position}" if dead else ""
        return Line(sink, f"DIFFERS: {found.difference}{hint}", False)
    notes = (
        (found.skipped, "it was to keep no longer"),
        (found.resent, "sent again, behind later ones"),
        (found.dropped, "dropped by hand"),
    )
    told = "".join(f"; {count:,} {what}" for count, what in notes if count)
    text = f"equal: {found.events:,} events up to position {span.last}, {ORDER[sink]}{told}{more}"
    return Line(sink, text, True)


def _settled(relay: RelayConfig, sink: str) -> Mapping[int, How]:
    """What became of letters that are none any more. Letters are there once a relay ran."""
    letters = DeadLetters(relay.state)
    try:
        return letters.settled(sink)
    finally:
        letters.close()


def _gaps(relay: RelayConfig, sink: str) -> Iterator[str]:
    """What a person had the sink go past; the journal does not hold it, so no comparison would find it."""
    gaps = Gaps(relay.state)
    try:
        for gap in gaps.skipped(sink):
            when = time.strftime("%Y-%m-%d %H:%MZ", time.gmtime(gap.at_ms / 1000))
            yield f"never had {gap.events:,} events, positions {gap.first} to {gap.last}: skipped {when}"
    finally:
        gaps.close()


def _is_dead(relay: RelayConfig, sink: str, position: int) -> bool:
    try:
        letters = DeadLetters(relay.state, make=False)
    except FileNotFoundError:
        return False
    try:
        return letters.get(sink, position) is not None
    finally:
        letters.close()


async def ask_counts(dial: Dial, config: Config) -> Counts:
    """The engine's counts of the lots that a service may ask about.

    Raises NoEngine, SignOnFailed, ConnectionLost, Trouble.
    """
    if not dict(_askers(config)):
        return Counts(0, None, "no service but the relay's may query")
    before = -1
    cars: dict[str, int] = {}
    for _ in range(QUIET_TRIES + 1):
        position, now = await _ask_once(dial, config)
        if position == before and now == cars:
            return Counts(position, cars)
        before, cars = position, now
    return Counts(before, None, "cars drive")


def _askers(config: Config) -> Iterator[tuple[str, ServiceConfig]]:
    """Each lot that a service may ask about, and which one; other lots are not counted."""
    for lot in config.lots:
        try:
            yield lot.id, pick_service(config, None, "query", lot=lot.id)
        except Trouble:
            continue


async def _ask_once(dial: Dial, config: Config) -> tuple[int, dict[str, int]]:
    """The journal's end, then each lot's cars, as the first service that may ask about it."""
    asking = dict(_askers(config))
    cars: dict[str, int] = {}
    position = 0
    for service in {service.id: service for service in asking.values()}.values():
        async with trio.open_nursery() as nursery:
            client = await connect(nursery, dial, Identity(m.SERVICE, service.id, service.key))
            try:
                status = _body(await client.ask(m.Query("", "status", {})))
                position = position or int(status["durable_position"])
                for lot in [lot for lot, asker in asking.items() if asker.id == service.id]:
                    answer = _body(await client.ask(m.Query(lot, "occupancy", {})))
                    cars[lot] = int(answer["occupancy"])
            finally:
                await client.aclose()
                nursery.cancel_scope.cancel()
    return position, cars


def _body(answer: m.Message) -> dict[str, int]:
    if not isinstance(answer, m.Answer) or not answer.ok:
        raise Trouble("the engine does not tell its counts")
    return answer.body
