"""TLS 1.3 around one connection, on memory buffers: bytes in, bytes out, no socket."""

import ssl
from pathlib import Path


class TlsError(Exception):
    """The peer does not speak TLS 1.3, or broke it."""


def server_context(cert: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """TLS 1.3 only. client_ca: clients must show a certificate that it signed. Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(cert, key)
    if client_ca is not None:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


class TlsLayer:
    """One server side of TLS. What `outgoing()` gives is to be sent before anything else."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._in = ssl.MemoryBIO()
        self._out = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self._shaken = False

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """(what the peer said, whether it ended). Raises TlsError."""
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()
        plain = []
        try:
            if not self._shaken:
                self._tls.do_handshake()
                self._shaken = True
            while piece := self._tls.read(65_536):
                plain.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(plain), not data
        except ssl.SSLError as error:
            raise TlsError(str(error)) from error
        return b"".join(plain), True

    def encrypt(self, data: bytes) -> None:
        """Have `data` ready in `outgoing()`. Before the handshake is done there is nobody to say it to."""
        if self._shaken and data:
            self._tls.write(data)

    def outgoing(self) -> bytes:
        """Ciphertext to send now."""
        return self._out.read()
