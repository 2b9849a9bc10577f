"""COSE_Sign1 and COSE_Mac0 (RFC 9052) as far as a receiver needs them: the parts, and what was signed."""

from typing import Any, NamedTuple

import cbor2

from liftgate.codecs.credentials import cbor
from liftgate.codecs.credentials.errors import CredentialError

SIGN1, MAC0, CWT = 18, 17, 61
_TAGS = frozenset((SIGN1, MAC0, CWT))

ALG, KID = 1, 4
EDDSA, HMAC_256_64 = -8, 4
_MACS = frozenset((HMAC_256_64, 5, 6, 7))


class Message(NamedTuple):
    """protected: the header map's bytes as they came; headers: what is in it; loose: the unprotected ones,
    which nobody vouches for; seal: the signature, or the MAC.
    """

    mac: bool
    protected: bytes
    headers: dict[Any, Any]
    loose: dict[Any, Any]
    payload: bytes
    seal: bytes

    def sealed(self, external: bytes = b"") -> bytes:
        """The bytes that the seal is over: Sig_structure or MAC_structure (RFC 9052, 4.4 and 6.3).

        An empty header map counts as no bytes, however it was written.
        """
        protected = self.protected if self.headers else b""
        what = "MAC0" if self.mac else "Signature1"
        return cbor2.dumps([what, protected, external, self.payload])


def read(data: bytes) -> Message:
    """The parts of a COSE_Sign1 or COSE_Mac0, tagged (also as a CWT) or not. Raises CredentialError.

    Without a tag a message is a MAC where its protected header names an algorithm for MACs.
    """
    tag, rest = cbor.untagged(data, _TAGS)
    parts = cbor.loads(rest)
    if not isinstance(parts, list) or len(parts) != 4:
        raise CredentialError("not a message of four parts")
    protected, loose, payload, seal = parts
    if not (isinstance(protected, bytes) and isinstance(payload, bytes) and isinstance(seal, bytes)):
        raise CredentialError("a part that is not bytes")
    headers = cbor.loads(protected) if protected else {}
    if not isinstance(headers, dict) or not isinstance(loose, dict):
        raise CredentialError("a header that is no map")
    alg = headers.get(ALG)
    mac = tag == MAC0 if tag in (SIGN1, MAC0) else isinstance(alg, int) and alg in _MACS
    return Message(mac, protected, headers, loose, payload, seal)
