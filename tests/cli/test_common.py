"""What commands share: as whom they sign on."""

from __future__ import annotations

import msgspec
import pytest

from liftgate.commands.common import Trouble, pick_service
from liftgate.configs.loader import load
from tests.cli.commands import ROOT


def test_no_command_signs_on_as_a_sink_of_the_relay() -> None:
    """An id has one connection, so that would end the relay; by its name it can still be had."""
    loaded = load(ROOT / "configs" / "services.toml", {})
    relays = [service for service in loaded.services if service.id.startswith("relay-")]
    others = [service for service in loaded.services if service not in relays]
    config = msgspec.structs.replace(loaded, services=(*relays, *others))
    assert pick_service(config, None, "query").id == "city"
    assert pick_service(config, None, "query", lot="north").id == "screen"
    assert pick_service(config, "relay-stream", "query").id == "relay-stream"
    with pytest.raises(Trouble, match="no configured service may query but those of the relay's sinks"):
        pick_service(msgspec.structs.replace(loaded, services=tuple(relays)), None, "query")
