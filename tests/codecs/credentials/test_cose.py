"""COSE messages taken apart: what was signed is rebuilt byte for byte, by the published examples."""

from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from liftgate.codecs.credentials import cbor, cose
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.keys import is_mac, is_signature
from tests.codecs.credentials.vectors import load

SIGN1 = load("cose_sign1")["vectors"]
CWT = load("cwt_rfc8392")


def is_es256(key: dict[str, str], sealed: bytes, signature: bytes) -> bool:
    """Tickets have no ES256; the examples do, so their mathematics is here."""
    numbers = ec.EllipticCurvePublicNumbers(int(key["x"], 16), int(key["y"], 16), ec.SECP256R1())
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        numbers.public_key().verify(der, sealed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def verdict(key: dict[str, str], data: bytes, external: bytes = b"") -> bool:
    """Whether the message is one and its seal holds."""
    try:
        message = cose.read(data)
    except CredentialError:
        return False
    alg = message.headers.get(cose.ALG, message.loose.get(cose.ALG))
    sealed = message.sealed(external)
    if alg == cose.EDDSA:
        return is_signature(bytes.fromhex(key["x"]), sealed, message.seal)
    if alg == cose.HMAC_256_64:
        return message.mac and is_mac(bytes.fromhex(key["k"]), sealed, message.seal)
    return alg == -7 and is_es256(key, sealed, message.seal)


@pytest.mark.parametrize("vector", SIGN1, ids=lambda vector: vector["name"])
def test_the_examples_of_rfc_9052_and_of_its_working_group(vector: dict[str, Any]) -> None:
    """Each is valid or not, as it says; of the valid ones what was signed is the same bytes."""
    data, external = bytes.fromhex(vector["cose_sign1"]), bytes.fromhex(vector["external_aad"])
    valid = vector["expect"] == "valid"
    assert verdict(vector["key"], data, external) == valid
    if valid:
        assert cose.read(data).sealed(external).hex() == vector["sig_structure"]


@pytest.mark.parametrize("vector", CWT["vectors"], ids=lambda vector: vector["name"])
def test_the_examples_of_rfc_8392(vector: dict[str, Any]) -> None:
    """Signed, altered, and MACed with the tag of a CWT around; their claims are read."""
    data = bytes.fromhex(vector["token"])
    assert verdict(vector["key"], data) == (vector["expect"] != "signature invalid")
    structure = vector.get("sig_structure") or vector.get("mac_structure")
    if structure is not None:
        message = cose.read(data)
        assert message.sealed().hex() == structure
        assert message.payload.hex() == CWT["claims_cbor"]
        claims = cbor.loads(message.payload)
        assert [claims[name] for name in (1, 4, 5, 7)] == [
            "coap://as.example.com",
            1444064944,
            1443944944,
            bytes.fromhex("0b71"),
        ]


@pytest.mark.parametrize(
    "data",
    [
        "83404040",
        "84f6a04040",
        "8443a10126a0f640",
        "8443a10126404040",
        "8441f6a04040",
        "d903e68443a10126a04040",
        "d83dd83dd28443a10126a04040",
        "8446a10181010203a04040",
    ],
)
def test_what_is_no_message_is_an_error(data: str) -> None:
    """Parts missing or of the wrong kind, tags of others or too many of them."""
    with pytest.raises(CredentialError):
        cose.read(bytes.fromhex(data))
