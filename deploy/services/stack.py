"""Several services under one root folder: all up, all down."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.services import registry
from deploy.services.errors import NotInstalled, ServiceError
from deploy.services.kinds import KINDS, kind_named
from deploy.services.service import Service

INSTALL_S_MAX = 900


@dataclass(frozen=True)
class Outcome:
    """What came of one service: ready_s until it answered (None: it ran before), or what went wrong."""

    service: Service
    ready_s: float | None = None
    error: ServiceError | None = None


def service_in(root: Path, name: str) -> Service:
    """The named service of a root, running or not. Raises ServiceError for a name that is none.

    That of `make services` takes the usual ports, so that configs/services.toml fits as it is. A test's own
    does not: it would take them from the one that somebody starts meanwhile.
    """
    return Service(kind_named(name), root / name, usual=root.resolve() == registry.root_folder().resolve())


def known(root: Path) -> list[Service]:
    """Services that were ever started under the root."""
    return [service_in(root, name) for name in KINDS if (root / name / "service.json").exists()]


def missing(names: Sequence[str]) -> list[str]:
    """Debian packages to install before these services can run, each once."""
    return sorted({package for name in names for package in kind_named(name).missing()})


def install(packages: Sequence[str]) -> None:
    """Install Debian packages; needs root. Raises CalledProcessError with apt-get's own words above it."""
    environment = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for command in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
        subprocess.run(["apt-get", *command], check=True, env=environment, timeout=INSTALL_S_MAX)


def up(root: Path, names: Sequence[str], tell: Callable[[Outcome], None]) -> list[Outcome]:
    """Start these services side by side, those that run are left as they are; `tell` hears of each when it is
    settled. The registry says in the end what runs. Raises NotInstalled before anything is started."""
    if packages := missing(names):
        raise NotInstalled(packages)
    root.mkdir(parents=True, exist_ok=True)

    def start(name: str) -> Outcome:
        service = service_in(root, name)
        ran = service.pid is not None
        try:
            ready_s = service.start()
            outcome = Outcome(service, None if ran else ready_s)
        except (ServiceError, OSError) as error:
            outcome = Outcome(service, error=_told(error))
        tell(outcome)
        return outcome

    with _turn(root):
        with ThreadPoolExecutor(len(names) or 1) as pool:
            outcomes = list(pool.map(start, names))
        registry.write(root, known(root))
    return outcomes


def down(root: Path, names: Sequence[str], tell: Callable[[str], None], hard: bool = False) -> None:
    """End these services and return when they are gone. One that does not end in its orderly way within a
    minute is killed, and `tell` hears of it; hard: all are killed at once."""
    if not root.exists():
        return

    def end(service: Service) -> None:
        if service.pid is None:
            return
        try:
            service.kill() if hard else service.stop()
            tell(f"{service.name:<10} stopped")
        except ServiceError as error:
            service.kill()
            tell(f"{service.name:<10} killed: {error}")

    with _turn(root):
        chosen = [service for service in known(root) if service.name in names]
        with ThreadPoolExecutor(len(chosen) or 1) as pool:
            list(pool.map(end, chosen))
        registry.write(root, known(root))


def _told(error: ServiceError | OSError) -> ServiceError:
    return error if isinstance(error, ServiceError) else ServiceError(str(error))


@contextmanager
def _turn(root: Path) -> Iterator[None]:
    """One up or down of a root at a time; the kernel frees it whichever way this process ends."""
    with (root / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
