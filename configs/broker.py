"""Reads `[mqtt.broker]`: somebody else's broker, which readers publish to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from liftgate.configs.paths import maybe_existing
from liftgate.configs.secrets import Password, variable
from liftgate.configs.table import ID, Table

if TYPE_CHECKING:
    from liftgate.configs.schema import ServiceConfig

NEEDED = ("read_credential", "record_passage", "report_lane", "record_history")
"""What the gateway's service must be allowed: all that a reader says."""


class BrokerConfig(Struct, frozen=True, kw_only=True):
    """One MQTT gateway, `liftgate mqtt`.

    service: as whom it signs on with the engine; group: of the shared subscription, by which several gateways
    share the readers; ca: trust a broker whose certificate this signed, over TLS; None: in the clear.
    in_flight_max: messages taken and not acknowledged, 64: as one reader may have with the engine itself.
    """

    host: str
    port: int
    service: str
    group: str
    ca: Path | None = None
    user: str | None = None
    password: Password | None = None
    in_flight_max: int = 64


def read_broker(
    mqtt: Table | None, folder: Path, environ: Mapping[str, str], services: Sequence[ServiceConfig]
) -> BrokerConfig | None:
    """The table, None where there is none: then no gateway runs."""
    table = mqtt.table("broker") if mqtt is not None else None
    if table is None:
        return None
    name = table.maybe_text("password_env")
    config = BrokerConfig(
        host=table.text("host"),
        port=table.number("port", 1, 65_535, default=1883),
        service=table.text("service", default="mqtt", shape=ID),
        group=table.text("group", default="liftgate", shape=ID),
        ca=maybe_existing(table, "ca", folder),
        user=table.maybe_text("user"),
        password=Password(variable(table, "password_env", name, environ) or "") if name else None,
        in_flight_max=table.number("in_flight_max", 1, 64, default=64),
    )
    service = {service.id: service for service in services}.get(config.service)
    missing = [right for right in NEEDED if service is None or right not in service.may]
    if missing:
        rights = ", ".join(f'"{right}"' for right in missing)
        table.note("service", f'signs on as [[service]] "{config.service}", which needs {rights} in may')
    return config
