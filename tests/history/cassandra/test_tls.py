"""TLS to a node that asks for it, and for the client's certificate, too."""

from __future__ import annotations

import asyncio
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.services import Service
from deploy.services.cassandra import Cassandra
from deploy.services.kind import Ports
from deploy.services.ports import HOST
from deploy.services.throwaway import throwaway_root
from liftgate.configs.cassandra import CassandraTls
from liftgate.history.cassandra.store import CassandraStore
from liftgate.history.port import StoreMisfit, StoreUnavailable
from tests.gateways.certificates import make_certificate
from tests.history.cassandra.rows import some
from tests.history.cassandra.stores import FOR_EVER, assert_all_there, config_of, opened
from tests.services.clients import unique
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long

SECRET = "of-the-stores"
"""PKCS 12 wants one; it protects nothing here."""

STARTUP, READY = b"\4\0\0\0\1\0\0\0\x16\0\1\0\x0bCQL_VERSION\0\x053.0.0", 0x02
ELSEWHERE = "127.0.0.2"
"""An address that is not in the node's certificate."""


class Secured(Cassandra):
    """A node with a certificate for 127.0.0.1, which trusts one client's."""

    def __init__(self, certificates: Path) -> None:
        super().__init__(heap="512m")
        self.node, self.client = (certificates / name for name in ("node", "client"))
        for folder in (self.node, self.client):
            folder.mkdir()
            make_certificate(folder)
        self.trusting = CassandraTls(
            ca=self.node / "cert.pem", cert=self.client / "cert.pem", key=self.client / "key.pem"
        )
        run(
            *("openssl", "pkcs12", "-export", "-passout", f"pass:{SECRET}", "-out", self.node / "own.p12"),
            *("-inkey", self.node / "key.pem", "-in", self.node / "cert.pem"),
        )
        run(
            *("keytool", "-importcert", "-noprompt", "-storetype", "PKCS12", "-storepass", SECRET),
            *("-keystore", self.node / "trust.p12", "-file", self.client / "cert.pem"),
        )

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        command = super().prepare(folder, ports)
        with (folder / "conf" / "cassandra.yaml").open("a") as yaml:
            yaml.write(
                "\nclient_encryption_options:\n  enabled: true\n  optional: false\n  store_type: PKCS12\n"
                f"  keystore: {self.node}/own.p12\n  keystore_password: {SECRET}\n"
                "  require_client_auth: true\n"
                f"  truststore: {self.node}/trust.p12\n  truststore_password: {SECRET}\n"
            )
        return command

    def is_serving(self, ports: Ports) -> bool:
        """STARTUP is answered by READY, to the client whom it trusts."""
        context = ssl.create_default_context(cafile=self.trusting.ca)
        context.load_cert_chain(self.client / "cert.pem", self.client / "key.pem")
        with (
            socket.create_connection((HOST, ports["client"]), 5) as plain,
            context.wrap_socket(plain, server_hostname=HOST) as wire,
        ):
            wire.sendall(STARTUP)
            return wire.recv(9)[4] == READY


def run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True)


@pytest.fixture(scope="module")
def kind(tmp_path_factory: pytest.TempPathFactory) -> Secured:
    return Secured(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def secured(kind: Secured) -> Iterator[Service]:
    with throwaway_root() as root:
        service = Service(kind, Path(root) / "secured")
        service.start()
        yield service
        service.kill()


def say_opening(port: int, tls: CassandraTls | None, **more: Any) -> str:
    """What opening raises, whether it is to be tried again or not."""
    store = CassandraStore(msgspec.structs.replace(config_of(port, "nobody"), tls=tls, **more), FOR_EVER)

    async def open_it() -> str:
        try:
            with pytest.raises((StoreUnavailable, StoreMisfit)) as caught:
                await store.open()
        finally:
            await store.aclose()
        return str(caught.value)

    return asyncio.run(open_it())


def test_rows_go_there_and_back(kind: Secured, secured: Service) -> None:
    """The node is checked by its address and the client by its certificate."""

    async def work() -> None:
        async with opened(secured.port, unique("tls"), tls=kind.trusting) as store:
            await store.write(some(1, 100))
            await assert_all_there(store, 100)

    asyncio.run(work())


def test_who_cannot_be_trusted_is_not_talked_to(kind: Secured, secured: Service, tmp_path: Path) -> None:
    """Without TLS, without the client's certificate, with another CA, and at an address of somebody else."""
    said = {
        "plain": say_opening(secured.port, None),
        "nobody": say_opening(secured.port, CassandraTls(ca=kind.trusting.ca)),
        "other": say_opening(
            secured.port, msgspec.structs.replace(kind.trusting, ca=make_certificate(tmp_path)[0])
        ),
    }
    with Proxy(secured.port, host=ELSEWHERE) as proxy:
        said["elsewhere"] = say_opening(proxy.port, kind.trusting, contact_points=(ELSEWHERE,))
        unchecked = msgspec.structs.replace(kind.trusting, check_address=False)
        reached = say_opening(proxy.port, unchecked, contact_points=(ELSEWHERE,))
    where = f"Cassandra at {HOST} port {secured.port}"
    for closed in ("plain", "nobody"):  # the node does not say why
        assert said[closed] == f"{where}: No hosts available: Connection closed prematurely"
    assert said["other"].startswith(f"{where} is not to be trusted: ")
    assert said["elsewhere"].startswith(f"Cassandra at {ELSEWHERE} port {proxy.port} is not to be trusted: ")
    assert "does not match" in said["elsewhere"]
    assert reached.startswith('no keyspace "nobody" in this cluster')


def test_files_that_are_no_certificates_are_said(tmp_path: Path) -> None:
    """One that is gone, and one with something else in it."""
    (tmp_path / "text.pem").write_text("no certificate")
    for name in ("gone.pem", "text.pem"):
        said = say_opening(9042, CassandraTls(ca=tmp_path / name))
        assert said.startswith("the files of [history.cassandra.tls] cannot be used: ")
