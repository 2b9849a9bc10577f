"""Compile the C parts of the benchmarks, once for each version of their sources."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parent
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-std=c11")
PROGRAMS = {
    "loadgen": ("loadgen.c", "connect.c", "signon.c", "requests.c", "answers.c", "wire.c"),
    "storm": ("storm.c", "connect.c", "signon.c", "requests.c", "wire.c"),
    "limit": ("limit.c", "wire.c"),
    "mqttgen": ("mqttgen.c",),
}
LIBRARIES = {"loadgen": ("-lcrypto",), "storm": ("-lcrypto",), "limit": (), "mqttgen": ()}


class BuildFailed(RuntimeError):
    """The C compiler is missing or refused a source; the text says which, and names the packages needed."""


def work_folder() -> Path:
    """A folder on a real disk for compiled programs and the servers' files; created if missing.

    In a checkout it is build/bench, so that `make clean` removes it; installed, the user's cache. Not the
    system's temporary folder: that is often in memory, where a sync costs nothing and the comparison is void.
    """
    root = SOURCES.parent
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = root / "build" / "bench" if (root / "pyproject.toml").is_file() else cache / "liftgate" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def program(name: str, *extra_flags: str) -> Path:
    """Path of a program of PROGRAMS, compiled now unless these very sources and flags were before.

    Raises BuildFailed if there is no C compiler (CC, else cc) or it reports an error.
    """
    compiler = os.environ.get("CC", "cc")
    if shutil.which(compiler) is None:
        raise BuildFailed(f"no C compiler {compiler!r}: install gcc and libssl-dev, or set CC")
    sources = [SOURCES / source for source in PROGRAMS[name]]
    command = [compiler, *FLAGS, *extra_flags, *map(str, sources), *LIBRARIES[name]]
    read = [path.read_bytes() for path in (*sources, *sorted(SOURCES.glob("*.h")))]
    key = hashlib.sha256(repr(command).encode() + b"".join(read))
    target = work_folder() / f"{name}-{key.hexdigest()[:16]}"
    if not target.exists():
        _compile(command, target)
    return target


def _compile(command: list[str], target: Path) -> None:
    # Written aside and renamed, so that two runs at once never start a half-written program.
    aside = target.with_suffix(f".{os.getpid()}")
    done = subprocess.run([*command, "-o", str(aside)], capture_output=True, text=True)
    if done.returncode:
        raise BuildFailed(f"{' '.join(command)}\n{done.stderr}(libcrypto's headers are in libssl-dev)")
    aside.replace(target)
