"""The engine as a process: recover, listen, serve, look after the journal, stop in order."""

import gc
import json
import resource
import secrets
import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
import trio

from liftgate.configs.schema import Config, EngineConfig, MqttConfig, TlsConfig
from liftgate.engine.configured import configure
from liftgate.engine.engine import Engine
from liftgate.engine.journal.backlog import BacklogWatch
from liftgate.engine.journal.disk import DiskStorage
from liftgate.engine.journal.snapshot import covered_position
from liftgate.engine.journal.storage import Storage
from liftgate.engine.replay import open_engine
from liftgate.gateways.backlog import keep_entries
from liftgate.gateways.gateway import Gateway
from liftgate.gateways.mqtt.listener import Listener
from liftgate.gateways.prover import ProcessProver, Prover
from liftgate.gateways.reactor import Door, Reactor, wall_ms
from liftgate.gateways.tls import server_context

log = structlog.get_logger()

STOP_S_MAX = 5
"""How long an orderly stop waits for peers that do not read their GOODBYE."""

GC_THRESHOLD = 100_000
"""New containers before a young collection. The hot path makes none that live, so few collections find
anything; design.md measured the difference at p99."""

FILES_KEPT = 64
"""Descriptors that no connection gets: segments, feeds, a fold, its pipes. Without one to spare the journal
could not begin its next segment, and strangers could bring that about."""

TICK_S = 0.25
"""How often time is looked at: heartbeats and lapses are at most this late. 10,000 links take 3 ms."""

SWITCH_S = 0.0005
"""The thread that makes the next segment comes back from a thousand short system calls, and waits for the
interpreter after each: at Python's own 5 ms it could come too late, and a commit had to wait for it."""

LISTEN_BACKLOG = 4096
"""A storm of reconnecting readers waits here while earlier ones are greeted."""


def nonce() -> bytes:
    """16 random bytes."""
    return secrets.token_bytes(16)


def start(config: Config, storage: Storage, prover: Prover | None = None) -> tuple[Engine, Gateway]:
    """Recover the engine, bring it to what the file says, and make its gateway.

    Raises JournalRotten, FolderLocked, StorageError, JournalFailed.
    """
    engine, recovery = open_engine(storage, config.engine.segment_bytes)
    engine.begin(wall_ms())
    configure(engine, config)
    engine.commit()
    log.info(
        "engine.recovered",
        position=recovery.position,
        records=recovery.records,
        cut_bytes=recovery.cut_bytes,
        cut_place=str(recovery.cut_place) if recovery.cut_place else None,
    )
    return engine, Gateway(engine, config, nonce, prover)


def connections_max(wanted: int) -> int:
    """How many connections this process may have, `wanted` or fewer; takes the descriptors that it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + FILES_KEPT
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return wanted
    soft = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft < needed:
        log.warning("engine.few_files", readers_max=wanted, connections_max=soft - FILES_KEPT, files=soft)
    return min(wanted, soft - FILES_KEPT)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError, whose filename is the address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(LISTEN_BACKLOG)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        error.filename = f"{host}:{port}"
        raise
    return listener


def context_of(tls: TlsConfig | None) -> ssl.SSLContext | None:
    """What wraps the connections of a listener. Raises OSError."""
    return server_context(tls.cert, tls.key, tls.client_ca) if tls is not None else None


def open_mqtt(reactor: Reactor, config: MqttConfig) -> tuple[str, int]:
    """Take MQTT readers too; where. Raises OSError."""
    listener = listen(config.host, config.port)
    reactor.open_door(Door(listener, context_of(config.tls), Listener(reactor.gateway).link))
    host, port = listener.getsockname()[:2]
    log.info("mqtt.listening", host=host, port=port, tls=config.tls is not None)
    return host, port


Ready = Callable[[str, int, tuple[str, int] | None], None]
"""Told host and port once the engine listens, and those of its MQTT listener where it has one."""


async def serve(config: Config, ready: Ready, stopping: trio.Event) -> None:
    """Run the engine until `stopping` is set (then it ends in order), or until the task is cancelled.

    ready: called once it listens. Raises JournalFailed and OSError; then nothing that was
    not durable was answered.
    """
    sys.setswitchinterval(SWITCH_S)
    gc.disable()  # recovery makes much and drops little: collections in it find nothing
    storage = DiskStorage(config.engine.journal)
    prover = ProcessProver()
    engine, gateway = start(config, storage, prover)
    gateway.connections_max = connections_max(config.engine.readers_max)
    context = context_of(config.engine.tls)
    reactor = Reactor(gateway, listen(config.engine.host, config.engine.port), context)
    mqtt = open_mqtt(reactor, config.mqtt) if config.mqtt is not None else None
    watch = backlog_watch(engine, config.engine)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_tick_often, reactor, watch)
            nursery.start_soon(_maintain, engine, watch)
            nursery.start_soon(_fold, engine, config.engine)
            nursery.start_soon(prover.run, reactor.proved)
            if any(lot.ruled("tickets") for lot in engine.lots.values()):
                prover.warm()
            nursery.start_soon(reactor.run)
            host, port = reactor.listener.getsockname()[:2]
            log.info("engine.listening", host=host, port=port, tls=context is not None)
            _settle_garbage()
            ready(host, port, mqtt)
            await stopping.wait()
            log.info("engine.stopping")
            await stop(reactor)
            nursery.cancel_scope.cancel()
    finally:
        reactor.close()
        engine.journal.close()
    log.info("engine.stopped", position=engine.journal.durable_position)


def backlog_watch(engine: Engine, config: EngineConfig) -> BacklogWatch:
    """The watch over subscribers, having looked once: the first tick must not open what is to stay closed."""
    watch = BacklogWatch(engine.journal, config.segment_bytes, config.backlog_max, config.backlog_full)
    watch.look()
    return watch


def _settle_garbage() -> None:
    """What stands now stays: a full collection over it would be a pause at a barrier."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(GC_THRESHOLD, 50, 50)


def write_ready_file(path: Path, said: dict[str, Any]) -> None:
    """Tell whoever started the engine where it listens, and its pid: JSON, written aside and renamed."""
    aside = path.with_name(path.name + ".new")
    aside.write_text(json.dumps(said))
    aside.rename(path)


async def stop(reactor: Reactor) -> None:
    """GOODBYE to everybody; who does not take it within STOP_S_MAX is dropped."""
    reactor.pause_accepting()
    reactor.gateway.begin(reactor.clock(), reactor.steady())
    reactor.gateway.stop()
    reactor.finish()
    with trio.move_on_after(STOP_S_MAX):
        while reactor.gateway.links:
            await trio.sleep(0.02)
    for link in list(reactor.gateway.links):
        reactor.drop(link)


def _mind_entries(reactor: Reactor, watch: BacklogWatch) -> None:
    """The next tick commits what comes of it."""
    reactor.gateway.begin(reactor.clock(), reactor.steady())
    keep_entries(reactor.gateway.engine, watch.holder)


async def _tick_often(reactor: Reactor, watch: BacklogWatch) -> None:
    _mind_entries(reactor, watch)  # once in any case: the configuration before may have closed them
    while True:
        await trio.sleep(TICK_S)
        reactor.resume_accepting()
        if watch.refuses:
            _mind_entries(reactor, watch)
        reactor.tick()


async def _maintain(engine: Engine, watch: BacklogWatch) -> None:
    """The journal's housekeeping blocks, so it has a thread."""
    journal = engine.journal
    while True:
        await trio.to_thread.run_sync(journal.maintain)
        watch.look()  # some microseconds for a handful of cursors; here, as a cursor belongs to this thread
        await trio.sleep(0.25)


async def _fold(engine: Engine, config: EngineConfig) -> None:
    """Have closed segments folded into a snapshot, by a process of its own at the lowest priority."""
    storage = engine.journal.storage
    engine.journal.retire(covered_position(storage))
    while True:
        await trio.sleep(config.snapshot_every_s)
        if len(engine.journal.catalogue.all()) < 2:
            continue
        command = ["nice", "-n", "19", sys.executable, "-m", "liftgate.engine.replay", str(config.journal)]
        done = await trio.run_process(command, check=False, capture_stdout=True, capture_stderr=True)
        if done.returncode:
            log.error("engine.fold_failed", stderr=done.stderr.decode(errors="replace")[-2000:])
        else:
            engine.journal.retire(covered_position(storage))
            log.info("engine.folded", position=int(done.stdout))
