"""What commands share: their errors, the configuration option, finding the engine, running trio."""

from __future__ import annotations

import argparse
import json
import os
import re
import ssl
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import NoReturn, TypeVar

import trio

from liftgate.configs.schema import Config, EngineConfig, ServiceConfig
from liftgate.sim.city.client import Dial

Result = TypeVar("Result")

FINE, FAILED, USAGE = 0, 1, 2
"""Exit codes: done; could not be done, or damage or disagreement found; wrong arguments or configuration."""

_DURATION = re.compile(r"([0-9]{1,6})(ms|s|m|h)?")
_UNIT_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


class Trouble(Exception):
    """The command cannot be done; the message is for people and says what would help. code: to exit with."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


class NoEngine(ConnectionRefusedError):
    """No engine listens where one was looked for."""


def say_example(parser: argparse.ArgumentParser, description: str, *examples: str) -> None:
    """Give a command its help: what it does, then examples that can be pasted."""
    parser.description = description
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(
        ["example:" if len(examples) == 1 else "examples:", *(f"  {e}" for e in examples)]
    )


def duration_ms(text: str) -> int:
    """20s, 5m, 1h or 500ms, in ms; a bare number is seconds. For argparse."""
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 20s, 5m or 1h")
    return int(match[1]) * _UNIT_MS[match[2] or "s"]


def config_option(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """--config; where it is not required the command says itself when it is missing."""
    parser.add_argument(
        "--config", type=Path, required=required, metavar="FILE", help="the engine's configuration, TOML"
    )


def address_options(parser: argparse.ArgumentParser) -> None:
    """--host and --port, for an engine that cannot be found by its configuration."""
    parser.add_argument("--host", help="where the engine listens (default: found by its configuration)")
    parser.add_argument("--port", type=int, help="and its port")


def ready_path(engine: EngineConfig) -> Path:
    """Where a running engine of this configuration says how to reach it: beside its journal's folder."""
    return engine.journal.with_name(engine.journal.name + ".engine.json")


def find_mqtt(config: Config) -> tuple[str, int]:
    """Where the running engine takes MQTT, as it wrote itself. Raises NoEngine."""
    path = ready_path(config.engine)
    try:
        said = json.loads(path.read_text())["mqtt"]
        return _reachable(str(said["host"])), int(said["port"])
    except (FileNotFoundError, KeyError):
        raise NoEngine(f"no engine listens for MQTT: it would have written so in {path}") from None


def find(args: argparse.Namespace, config: Config) -> tuple[str, int]:
    """Where the engine listens: as told, as configured, or as it wrote itself. Raises NoEngine."""
    engine = config.engine
    host, port = args.host or _reachable(engine.host), args.port or engine.port
    if port:
        return host, port
    path = ready_path(engine)
    try:
        ready = json.loads(path.read_text())
        return args.host or _reachable(str(ready["host"])), int(ready["port"])
    except FileNotFoundError:
        raise NoEngine(f"no engine runs on {args.config}: it would have written {path}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoEngine(f"{path} does not say where an engine listens: {error}") from error


def _reachable(host: str) -> str:
    """An address to connect to, for one to listen at."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def dialer(args: argparse.Namespace, config: Config) -> Dial:
    """Opens a stream to the engine, wherever it listens by then."""
    tls = tls_context(config.engine)

    async def dial() -> trio.abc.Stream:
        host, port = find(args, config)
        try:
            stream = await trio.open_tcp_stream(host, port)
        except OSError as error:
            reason = error.__cause__ or error
            raise NoEngine(
                f"no engine runs on {args.config}: nothing listens at {host}:{port} ({_last(reason)})"
            ) from error
        stream.setsockopt(6, 1, 1)  # TCP_NODELAY: a scan is one small write, and somebody waits for it
        return stream if tls is None else trio.SSLStream(stream, tls)

    return dial


def _last(error: BaseException) -> str:
    """The system's own words, of the last address tried."""
    if isinstance(error, BaseExceptionGroup):
        return _last(error.exceptions[-1])
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else str(error)


def tls_context(engine: EngineConfig) -> ssl.SSLContext | None:
    """Trust the very certificate that the configuration names: these commands run where it lies."""
    if engine.tls is None:
        return None
    if engine.tls.client_ca is not None:
        raise Trouble("this engine asks clients for a certificate, and these commands have none", USAGE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(engine.tls.cert)
    return context


def pick_service(
    config: Config, wanted: str | None, *rights: str, lot: str | None = None, lots: Sequence[str] = ()
) -> ServiceConfig:
    """The service of that name, or the first that has the rights in that lot, or those. Raises Trouble.

    One that a sink of the relay signs on as is only taken by its name: an id has one connection, and a
    command that took that one would end the relay.
    """
    relay = config.relay
    taken = set() if relay is None else {relay.service_of(sink) for sink in relay.sinks}
    for service in config.services:
        asked = [*lots, lot] if lot is not None else lots
        there = service.lots is None or set(asked) <= set(service.lots)
        fits = there and service.id not in taken and set(rights) <= set(service.may)
        if service.id == wanted or (wanted is None and fits):
            return service
    names = ", ".join(service.id for service in config.services) or "none"
    if wanted is not None:
        raise Trouble(f"no service {wanted} is configured; there are: {names}", USAGE)
    but = " but those of the relay's sinks, which are in use" if taken else ""
    raise Trouble(f"no configured service may {' and '.join(rights)}{but}; there are: {names}", USAGE)


def run_trio(work: Callable[..., Awaitable[Result]], *arguments: object) -> Result:
    """Run `work` on trio; what ends it comes out as itself, not in a group of one."""
    try:
        return trio.run(work, *arguments)
    except BaseExceptionGroup as group:
        _raise_only(group)


def _raise_only(group: BaseExceptionGroup[BaseException]) -> NoReturn:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    raise error
