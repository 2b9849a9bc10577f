"""A root folder for servers that go with the process that started them, however it ends."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.services.errors import ServiceError
from deploy.services.registry import TREE

END_S_MAX = 60
"""Killing takes a moment, removing some hundred megabytes of data a second or two."""


@contextmanager
def throwaway_root() -> Iterator[Path]:
    """A new folder under the system's temporary one; its servers are killed and it is removed in the end.

    A process of its own does that when its standard input ends, so kill -9 of this process leaves nothing
    behind either. Rejected: PR_SET_PDEATHSIG, which fires when the starting *thread* ends, and tests start
    servers from worker threads. Nothing in the folder survives, so do not point it at anything.
    """
    root = Path(tempfile.mkdtemp(prefix="liftgate-services-"))
    root.chmod(0o711)  # PostgreSQL's own user must be able to pass
    guard = subprocess.Popen(
        [sys.executable, "-m", "deploy.services", "guard", "--dir", str(root)],
        cwd=TREE,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # a Ctrl-C in the terminal must not end it before its work
    )
    try:
        yield root
    finally:
        guard.communicate(timeout=END_S_MAX)
    if guard.returncode:
        raise ServiceError(f"{root} was not cleared away: its guard ended with {guard.returncode}")
