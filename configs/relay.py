"""Reads `[relay]`: which sinks the feed goes to, under whose name, and within which bounds."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from liftgate.configs.table import ID, Table

if TYPE_CHECKING:
    from liftgate.configs.schema import ServiceConfig

SinkKind = Literal["history", "stream", "null"]
SINKS: tuple[SinkKind, ...] = ("history", "stream", "null")
NEEDED = ("subscribe", "query")
"""What the service of each sink must be allowed: the feed, and where the engine's journal ends."""

STATE_ENDS = ".relay"


class RelayConfig(Struct, frozen=True, kw_only=True):
    """One relay process.

    service: sink `x` signs on as service `{service}-x`: the engine lets an id have one connection, and each
    sink has its own.
    sinks: by kind; "null" takes everything and keeps nothing: for measurements.
    state: folder for dead letters and the status file, beside the journal unless given.
    buffer_bytes: what one sink may have received and not written. 8 MiB is a second of full load, and keeps
    a relay of three sinks in some 100 MiB.
    batch_events, batch_bytes: the most that a sink gets at once, when it catches up; live it gets what is
    there. 4,000 events of some 110 bytes decode in 10 ms, so no other sink waits longer for the loop, and
    cost a transaction or a produce request so little each that more gains nothing.
    dead_letters_max: of one sink; at the bound its pipeline stands still until somebody has looked.
    """

    service: str = "relay"
    sinks: tuple[SinkKind, ...]
    state: Path
    buffer_bytes: int = 8 << 20
    batch_events: int = 4000
    batch_bytes: int = 1 << 20
    dead_letters_max: int = 10_000

    def service_of(self, sink: str) -> str:
        """The id that a sink signs on with."""
        return f"{self.service}-{sink}"


def read_relay(
    root: Table, folder: Path, journal: Path, services: Sequence[ServiceConfig]
) -> RelayConfig | None:
    """The table, None where there is none: then no relay runs."""
    table = root.table("relay")
    if table is None:
        return None
    state = table.maybe_text("state")
    beside = journal.with_name(journal.name + STATE_ENDS) if journal.name else folder
    config = RelayConfig(
        service=table.text("service", default="relay", shape=ID),
        sinks=table.words("sinks", SINKS),
        state=Path(os.path.normpath(folder / state)) if state else beside,
        buffer_bytes=table.number("buffer_bytes", 1 << 20, 1 << 30, default=8 << 20),
        batch_events=table.number("batch_events", 1, 100_000, default=4000),
        batch_bytes=table.number("batch_bytes", 1 << 12, 64 << 20, default=1 << 20),
        dead_letters_max=table.number("dead_letters_max", 1, 1_000_000, default=10_000),
    )
    _check_services(table, config, {service.id: service for service in services})
    return config


def _check_services(table: Table, config: RelayConfig, services: dict[str, ServiceConfig]) -> None:
    if table.has("sinks") and not config.sinks:
        table.note("sinks", "names no sink")
    for sink in config.sinks:
        service = services.get(config.service_of(sink))
        missing = NEEDED if service is None else [right for right in NEEDED if right not in service.may]
        if missing:
            rights = " and ".join(f'"{right}"' for right in missing)
            name = config.service_of(sink)
            table.note("sinks", f'"{sink}" signs on as [[service]] "{name}", which needs {rights} in may')
