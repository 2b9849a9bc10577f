"""The TLS layer on memory buffers, against Python's own client."""

import ssl
from pathlib import Path

import pytest

from liftgate.gateways.tls import TlsError, TlsLayer, server_context
from tests.gateways.certificates import make_certificate


class Client:
    """A client on memory buffers."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname="localhost")

    def shake(self, server: TlsLayer) -> None:
        """Exchange flights until both are done."""
        for _ in range(4):
            try:
                self.tls.do_handshake()
            except ssl.SSLWantReadError:
                pass
            server.decrypt(self.outgoing.read()) if self.outgoing.pending else None
            self.incoming.write(server.outgoing())

    def say(self, data: bytes) -> bytes:
        self.tls.write(data)
        return self.outgoing.read()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def ends(certificate: tuple[Path, Path]) -> tuple[Client, TlsLayer]:
    """A client and a server layer that have shaken hands."""
    client = Client(client_context(certificate[0]))
    server = TlsLayer(server_context(*certificate, None))
    client.shake(server)
    return client, server


def client_context(cert: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(cert))


def test_both_ways(ends: tuple[Client, TlsLayer]) -> None:
    """What one side says the other hears, in whatever pieces it arrives."""
    client, server = ends
    heard = b""
    for byte in client.say(b"hello"):
        plain, ended = server.decrypt(bytes([byte]))
        assert not ended
        heard += plain
    assert heard == b"hello"
    server.encrypt(b"welcome")
    client.incoming.write(server.outgoing())
    assert client.tls.read(100) == b"welcome"
    assert client.tls.version() == "TLSv1.3"


def test_large(ends: tuple[Client, TlsLayer]) -> None:
    """More than a TLS record goes through whole."""
    client, server = ends
    data = bytes(range(256)) * 1024
    assert server.decrypt(client.say(data)) == (data, False)


def test_ends(ends: tuple[Client, TlsLayer]) -> None:
    """close_notify is an end."""
    client, server = ends
    with pytest.raises(ssl.SSLWantReadError):
        client.tls.unwrap()
    assert server.decrypt(client.outgoing.read()) == (b"", True)


def test_cut(ends: tuple[Client, TlsLayer]) -> None:
    """A socket that closed without close_notify is an end too: a power cut says nothing."""
    assert ends[1].decrypt(b"") == (b"", True)


def test_no_tls(certificate: tuple[Path, Path]) -> None:
    """A peer that speaks plain is refused."""
    server = TlsLayer(server_context(*certificate, None))
    with pytest.raises(TlsError):
        server.decrypt(b"LG\x01\x01" + bytes(60))


def test_older_tls(certificate: tuple[Path, Path]) -> None:
    """TLS 1.2 is refused."""
    context = client_context(certificate[0])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(TlsError):
        Client(context).shake(TlsLayer(server_context(*certificate, None)))


def test_said_before_the_handshake(certificate: tuple[Path, Path]) -> None:
    """What is to be said before there is anybody to say it to is dropped, not sent in the clear."""
    server = TlsLayer(server_context(*certificate, None))
    server.encrypt(b"secret")
    assert server.outgoing() == b""


def test_client_certificate(certificate: tuple[Path, Path]) -> None:
    """With client_ca a client without a certificate is refused, one with a signed certificate is not."""
    cert, key = certificate
    server = TlsLayer(server_context(cert, key, cert))
    with pytest.raises(TlsError, match="certificate"):
        Client(client_context(cert)).shake(server)
    context = client_context(cert)
    context.load_cert_chain(cert, key)
    server = TlsLayer(server_context(cert, key, cert))
    client = Client(context)
    client.shake(server)
    assert server.decrypt(client.say(b"x")) == (b"x", False)
