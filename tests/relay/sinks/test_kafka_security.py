"""TLS and SASL against a broker that asks for both: who is let in, and what is said to who is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.services import Service
from deploy.services.kafka import Kafka
from deploy.services.kind import Ports
from liftgate.configs.secrets import Password
from liftgate.configs.stream import StreamConfig, StreamSasl, StreamTls
from liftgate.relay.sink import SinkMisfit
from tests.gateways.certificates import make_certificate
from tests.relay.topics import make_sink, offered, stream_config
from tests.services.clients import unique

pytestmark = pytest.mark.long

USER, PASSWORD = "relay", "secret-word"


class SecuredKafka(Kafka):
    """The listener "behind_proxy" with TLS and SASL PLAIN, and no proxy before it."""

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        command = super().prepare(folder, {**ports, "proxy": ports["behind_proxy"]})
        certificate, key = make_certificate(folder / "conf")
        store = folder / "conf" / "server.pem"
        store.write_text(key.read_text() + certificate.read_text())
        properties = folder / "conf" / "server.properties"
        text = properties.read_text().replace("PROXIED:PLAINTEXT", "PROXIED:SASL_SSL")
        login = "org.apache.kafka.common.security.plain.PlainLoginModule"
        more = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store,
            "sasl.enabled.mechanisms": "PLAIN",
            "listener.name.proxied.plain.sasl.jaas.config": f'{login} required user_{USER}="{PASSWORD}";',
        }
        properties.write_text(text + "".join(f"{name}={value}\n" for name, value in more.items()))
        return command


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(SecuredKafka(), tmp_path_factory.mktemp("secured"))
    try:
        service.start()
        yield service
    finally:
        service.kill()


def config_of(broker: Service, **changes: Any) -> StreamConfig:
    """What the broker takes, but for the changes."""
    keys = {"tls": StreamTls(ca=broker.folder / "conf" / "cert.pem"), **sasl(USER, PASSWORD), **changes}
    return stream_config(f"127.0.0.1:{broker.ports['behind_proxy']}", unique("t"), **keys)


async def attempt(config: StreamConfig) -> int:
    sink = make_sink(config)
    try:
        return await sink.write(offered(10))
    finally:
        await sink.aclose()


def test_with_certificate_and_password_it_writes(broker: Service) -> None:
    """Producer, consumer and admin client are all given both."""
    assert asyncio.run(attempt(config_of(broker))) == 10


def sasl(user: str, password: str, mechanism: Any = "PLAIN") -> dict[str, Any]:
    return {"sasl": StreamSasl(mechanism=mechanism, user=user, password=Password(password))}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (sasl(USER, "wrong-word"), "[Aa]uthentication"),
        (sasl("nobody", PASSWORD), "[Aa]uthentication"),
        (sasl(USER, PASSWORD, "SCRAM-SHA-256"), "UnsupportedSaslMechanism"),
        ({"tls": StreamTls()}, "certificate verify failed"),
    ],
)
def test_who_is_not_let_in_is_told_why(broker: Service, changes: dict[str, Any], said: str) -> None:
    """As something that waiting does not mend, without the password."""
    config = config_of(broker, **changes)
    with pytest.raises(SinkMisfit, match=said) as refused:
        asyncio.run(attempt(config))
    assert config.brokers[0] in str(refused.value)
    assert PASSWORD not in str(refused.value) and "wrong-word" not in str(refused.value)


def test_files_that_are_no_certificates_are_said(broker: Service, tmp_path: Path) -> None:
    """Before anybody is asked."""
    (tmp_path / "ca.pem").write_text("nothing of the kind")
    config = msgspec.structs.replace(config_of(broker), tls=StreamTls(ca=tmp_path / "ca.pem"))
    with pytest.raises(SinkMisfit, match=r"\[stream.tls\] cannot be used"):
        asyncio.run(attempt(config))
