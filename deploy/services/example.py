"""Whether configs/services.toml finds the servers where they listen, and what to write there if not."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.services.registry import TREE, Record

FILE = TREE / "configs" / "services.toml"


def differences(running: Mapping[str, Record], path: Path = FILE) -> Iterator[str]:
    """At most one line: which keys of the file to change so that it names the servers that run.

    A server that does not run says nothing: it may get any port yet. Without the file there is nothing to
    compare.
    """
    if not path.exists():
        return
    with path.open("rb") as file:
        config = tomllib.load(file)
    wrong = list(_wrong(config, running))
    if wrong:
        yield f"{_shown(path)} names other ports; write there: {' and '.join(wrong)}"


def _wrong(config: Mapping[str, Any], running: Mapping[str, Record]) -> Iterator[str]:
    cassandra, kafka = running.get("cassandra"), running.get("kafka")
    if cassandra is not None and config["history"]["cassandra"]["port"] != cassandra.port:
        yield f"[history.cassandra] port = {cassandra.port}"
    if kafka is not None and config["stream"]["brokers"] != [f"{kafka.host}:{kafka.port}"]:
        yield f"[stream] brokers = {json.dumps([f'{kafka.host}:{kafka.port}'])}"


def _shown(path: Path) -> Path:
    return path.relative_to(TREE) if path.is_relative_to(TREE) else path
