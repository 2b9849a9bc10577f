"""Processes by pid and start time: a pid alone may be somebody else's by now."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

PROC = Path("/proc")
POLL_S = 0.05
"""How often a condition outside this process is looked at; a look costs some 20 µs."""


def started_ticks(pid: int) -> int | None:
    """When a process started (clock ticks since boot), None if it is gone or only waits to be reaped."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold anything, so fields are counted from its end.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] == "Z" else int(fields[19])


def rss_mib(pid: int) -> int:
    """Resident memory of a process in MiB, 0 if it is gone."""
    try:
        status = (PROC / str(pid) / "status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    kib = [int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:")]
    return kib[0] // 1024 if kib else 0


def members(folder: Path, pid: int) -> list[int]:
    """The process `pid` and those of the same program that work in its folder, `pid` first.

    PostgreSQL's backends lead sessions of their own, so neither a process group nor a session finds them, and
    one that outlives a killed postmaster keeps the next one from starting.
    """
    folder = folder.resolve()
    return [pid, *(other for other in others_in(folder) if other != pid)]


def others_in(folder: Path) -> list[int]:
    """Processes whose working directory is the folder or in it, but for shells and this process."""
    found = []
    for entry in PROC.iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            inside = Path(os.readlink(entry / "cwd")).is_relative_to(folder)
            program = os.readlink(entry / "exe")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it ended meanwhile, or it is another user's and so not ours
        if inside and Path(program).name in PROGRAMS:
            found.append(int(entry.name))
    return found


PROGRAMS = {"java", "postgres", "redis-server", "redis-check-rdb", "mosquitto"}
"""Names of the servers' executables: a person's shell that stands in a folder is not to be killed."""


def wait_until(condition: Callable[[], bool], within_s: float) -> bool:
    """Whether the condition held within that time, looked at every POLL_S."""
    end = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_S)
    return True
