"""The comparison of MQTT acknowledgements, tiny, with a real broker."""

from __future__ import annotations

import pytest

from liftgate.bench import servers
from liftgate.bench.load import LoadFailed, Shape
from liftgate.bench.mqtt import MORE, _run, mqtt


@pytest.mark.long
def test_mqtt_tiny() -> None:
    """Listener and broker are both measured by the same client."""
    result = mqtt(rounds=1, seconds=0.2, shape=Shape(8, 2))
    assert min(result.ratio, result.rate, result.mosquitto_rate, result.kept_nothing_rate) > 0


@pytest.mark.long
def test_a_refusal_is_no_acknowledgement() -> None:
    """With a wrong key the client says what CONNACK said, and there is no figure."""
    with servers.bench_folder() as folder, servers.engine_server(folder, 2, more=MORE) as server:
        said = servers.wait_said(server.process, folder / "ready.json", folder / "engine.log")
        with pytest.raises(LoadFailed, match="CONNACK 0x86"):
            _run(server, said["mqtt"]["port"], Shape(2, 1), 0.1, "--key", "00" * 32)
