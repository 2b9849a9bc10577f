"""Signing and MACing by the library `cwt`; apart, since only who issues tickets needs it."""

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey

from liftgate.codecs.credentials import cose
from liftgate.codecs.credentials.errors import CredentialError

KTY, KEY_ALG, CRV, X, D, K = 1, 3, -1, -2, -4, -1
OKP, SYMMETRIC, CURVE_25519 = 1, 4, 6


def seal(payload: bytes, kid: bytes, alg: str, secret: bytes) -> bytes:
    """A COSE_Sign1 ("ed25519") or COSE_Mac0 ("hmac") around the payload, without its tag, which is shorter.

    secret: 32 bytes. Raises CredentialError.
    """
    if len(secret) != 32 or alg not in ("ed25519", "hmac"):
        raise CredentialError("a key has 32 bytes and is for ed25519 or hmac")
    message = _signed(payload, kid, secret) if alg == "ed25519" else _maced(payload, kid, secret)
    return cbor2.dumps(cbor2.loads(message).value)


def _signed(payload: bytes, kid: bytes, secret: bytes) -> bytes:
    public = Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
    key = COSEKey.new({KTY: OKP, KEY_ALG: cose.EDDSA, CRV: CURVE_25519, X: public, D: secret})
    header = {cose.ALG: cose.EDDSA, cose.KID: kid}
    return bytes(COSE.new().encode_and_sign(payload, key, protected=header))


def _maced(payload: bytes, kid: bytes, secret: bytes) -> bytes:
    key = COSEKey.new({KTY: SYMMETRIC, KEY_ALG: cose.HMAC_256_64, K: secret})
    header = {cose.ALG: cose.HMAC_256_64, cose.KID: kid}
    return bytes(COSE.new().encode_and_mac(payload, key, protected=header))
