"""A Java that both servers run on, and the start of their command lines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

VERSION_MIN = 17
PACKAGE = "default-jre-headless"
JVMS = Path("/usr/lib/jvm")


@cache
def find_java() -> str | None:
    """Path of a `java` to run the servers with, None if there is none of VERSION_MIN or later.

    JAVA_HOME wins. Then 17 itself, which Cassandra 5.0 is tested on by its makers: it does not run where the
    security manager is gone (24). Then what stands on the path.
    """
    homes = [os.environ["JAVA_HOME"]] if os.environ.get("JAVA_HOME") else []
    homes += [str(home) for home in sorted(JVMS.glob(f"*-{VERSION_MIN}-*"))]
    candidates = [f"{home}/bin/java" for home in homes]
    if on_path := shutil.which("java"):
        candidates.append(on_path)
    return next((java for java in candidates if version_of(java) >= VERSION_MIN), None)


def version_of(java: str) -> int:
    """Feature version (17 for "17.0.15"), 0 for what is no Java or tells no version."""
    try:
        told = subprocess.run([java, "-version"], capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', told.stderr + told.stdout)
    return int(match[1]) if match else 0


def java_command(
    jars: Path, folder: Path, options: Path, heap: str, heap_at_start: str, more: tuple[str, ...]
) -> list[str]:
    """Command line up to the main class.

    folder: the service's own, absolute. more: options that win over those in the file `options`.
    """
    java = find_java()
    assert java is not None, "asked for without Kind.missing()"
    return [
        java,
        f"@{options}",
        f"-Xms{heap_at_start}",
        f"-Xmx{heap}",
        f"-Djava.io.tmpdir={folder}/tmp",
        f"-XX:ErrorFile={folder}/log/hs_err_%p.log",
        "-cp",
        f"{folder}/conf:{jars}/*",
        *more,
    ]
