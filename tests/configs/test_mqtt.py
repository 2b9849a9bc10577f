"""`[mqtt]`: where readers that speak MQTT come in."""

from __future__ import annotations

from pathlib import Path

from liftgate.configs.broker import BrokerConfig
from liftgate.configs.loader import check, load
from liftgate.configs.schema import MqttConfig

EXAMPLE = (Path(load.__code__.co_filename).parent / "example.toml").read_text(encoding="utf-8")
ENVIRON = {"LIFTGATE_API_KEY": bytes(32).hex()}


def written(folder: Path, text: str) -> Path:
    path = folder / "a.toml"
    path.write_text(f"{EXAMPLE}\n{text}", encoding="utf-8")
    return path


def test_without_the_table_there_is_no_listener(tmp_path: Path) -> None:
    """And with an address there is one."""
    assert load(written(tmp_path, ""), ENVIRON).mqtt is None
    found = load(written(tmp_path, '[mqtt]\nlisten = "127.0.0.1:1883"'), ENVIRON).mqtt
    assert found == MqttConfig(host="127.0.0.1", port=1883)


def test_tls_is_as_the_engines(tmp_path: Path) -> None:
    """Certificate and key beside the file."""
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("x")
    path = written(tmp_path, '[mqtt]\nlisten = "0.0.0.0:8883"\n[mqtt.tls]\ncert = "c.pem"\nkey = "k.pem"')
    found = load(path, ENVIRON).mqtt
    assert found is not None and found.tls is not None and found.tls.cert == tmp_path / "c.pem"


def test_keys_do_not_go_in_the_clear_unasked(tmp_path: Path) -> None:
    """Beyond this machine it takes TLS, or somebody who says that it may go without."""
    mistakes = check(written(tmp_path, '[mqtt]\nlisten = "0.0.0.0:1883"'), ENVIRON)
    assert [(m.key, m.message) for m in mistakes] == [
        ("mqtt.listen", "reaches beyond this machine: add [mqtt.tls] or set allow_plain = true")
    ]
    assert not check(written(tmp_path, '[mqtt]\nlisten = "0.0.0.0:1883"\nallow_plain = true'), ENVIRON)


SERVICE = """
[[service]]
id = "mqtt"
key = "%s"
may = ["read_credential", "record_passage", "report_lane", "record_history"]
""" % ("00" * 32)


def test_a_broker_may_stand_alone(tmp_path: Path) -> None:
    """Then the engine itself listens for nobody; the rest is as documented."""
    config = load(written(tmp_path, SERVICE + '[mqtt.broker]\nhost = "b.example"'), ENVIRON)
    assert config.mqtt is None
    expected = BrokerConfig(host="b.example", port=1883, service="mqtt", group="liftgate")
    assert config.broker == expected


def test_every_key_of_the_broker_is_read(tmp_path: Path) -> None:
    """The password comes from the environment, and is shown nowhere."""
    (tmp_path / "ca.pem").write_text("x")
    text = (
        '[mqtt]\nlisten = "127.0.0.1:1883"\n[mqtt.broker]\nhost = "b"\nport = 8883\nca = "ca.pem"\n'
        'user = "u"\npassword_env = "WORD"\ngroup = "site"\nin_flight_max = 8\n'
    )
    found = load(written(tmp_path, SERVICE + text), {**ENVIRON, "WORD": "secret-word"}).broker
    assert found is not None and (found.port, found.group, found.in_flight_max) == (8883, "site", 8)
    assert found.password == "secret-word" and "secret-word" not in repr(found)
    assert found.ca == tmp_path / "ca.pem"


def test_the_gateways_service_needs_its_rights(tmp_path: Path) -> None:
    """All that a reader says, or the gateway could only refuse it."""
    (mistake,) = check(written(tmp_path, '[mqtt.broker]\nhost = "b"\nservice = "api"'), ENVIRON)
    assert mistake.key == "mqtt.broker.service"
    assert 'needs "record_passage", "report_lane", "record_history" in may' in mistake.message
