"""Tickets: a CWT (RFC 8392) in a QR code, signed (Ed25519) or MACed (HMAC 256/64).

As scanned: `LG1:` and base45, so that a QR code takes it in its alphanumeric mode. docs/credentials.md has
the claims. Who a ticket is, is its `cti`: the same ticket in other bytes is the same car.
"""

from typing import Any

import base45
import cbor2
from msgspec import Struct

from liftgate.codecs.credentials import cbor, cose
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.keys import MAC_BYTES, SIGNATURE_BYTES, VerifyKey, is_mac, is_signature

PREFIX = b"LG1:"
TOKEN_BYTES_MAX = 512
"""As SCAN takes."""

CTI_BYTES = 8
KID_BYTES_MAX = 16
SECONDS_MAX = 1 << 40

ISS, EXP, NBF, CTI = 1, 4, 5, 7
LOT, SPOT_CLASS, SINGLE_USE = -65537, -65538, -65539


class Ticket(Struct, frozen=True, kw_only=True):
    """What a ticket claims. cti: its 8 bytes of identity; not_before_s, expires_s: Unix s, good from the
    first and not at the second; spot_class: None = as the lot gives; single_use: opens an entry once.
    """

    cti: bytes
    lot: str
    expires_s: int
    not_before_s: int = 0
    spot_class: str | None = None
    single_use: bool = False
    issuer: str | None = None


class Sealed(Struct, frozen=True):
    """A ticket out of a token, with what is needed to find out whether it is genuine.

    mac: MACed and not signed; over: the bytes that `seal` is over.
    """

    ticket: Ticket
    kid: str
    mac: bool
    over: bytes
    seal: bytes


def is_ticket(token: bytes) -> bool:
    """Whether a QR code's content says that it is a ticket."""
    return token.startswith(PREFIX)


def read(token: bytes) -> Sealed:
    """The ticket in a token as it was scanned. Raises CredentialError; nothing is proven yet.

    Some 20 µs; garbage fails earlier.
    """
    message = cose.read(_decoded(token))
    kid, mac = _header(message)
    if len(message.seal) != (MAC_BYTES if mac else SIGNATURE_BYTES):
        raise CredentialError("a seal of another length")
    claims = cbor.loads(message.payload)
    if not isinstance(claims, dict):
        raise CredentialError("claims that are no map")
    return Sealed(_ticket(claims), kid, mac, message.sealed(), message.seal)


def _decoded(token: bytes) -> bytes:
    if not is_ticket(token):
        raise CredentialError("not a ticket")
    if len(token) > TOKEN_BYTES_MAX:
        raise CredentialError("too long")
    try:
        return bytes(base45.b45decode(token[len(PREFIX) :]))
    except ValueError as error:
        raise CredentialError("not base45") from error


def _header(message: cose.Message) -> tuple[str, bool]:
    """kid, and whether it is a MAC. Both stand in the protected header, or nobody vouches for them."""
    alg, kid = message.headers.get(cose.ALG), message.headers.get(cose.KID)
    wanted = cose.HMAC_256_64 if message.mac else cose.EDDSA
    if type(alg) is not int or alg != wanted:
        raise CredentialError("an algorithm that tickets do not have")
    if not isinstance(kid, bytes) or not 1 <= len(kid) <= KID_BYTES_MAX:
        raise CredentialError("no kid")
    return kid_text(kid), message.mac


def kid_text(kid: bytes) -> str:
    """A kid as people write it: text, in hex digits where it is not printable."""
    text = kid.decode("ascii", "replace")
    return text if kid.isascii() and text.isprintable() else kid.hex()


def _ticket(claims: dict[Any, Any]) -> Ticket:
    """The claims that are known; others are let be."""
    cti, lot = claims.get(CTI), claims.get(LOT)
    spot_class, issuer = claims.get(SPOT_CLASS), claims.get(ISS)
    single_use = claims.get(SINGLE_USE, False)
    if not isinstance(cti, bytes) or len(cti) != CTI_BYTES:
        raise CredentialError("no cti of 8 bytes")
    if not isinstance(lot, str) or not 1 <= len(lot) <= 64:
        raise CredentialError("no lot")
    if not isinstance(single_use, bool):
        raise CredentialError("single use is true or false")
    for text in (spot_class, issuer):
        if text is not None and not (isinstance(text, str) and len(text) <= 64):
            raise CredentialError("a claim that is not a short text")
    return Ticket(
        cti=cti,
        lot=lot,
        expires_s=_seconds(claims, EXP),
        not_before_s=_seconds(claims, NBF) if NBF in claims else 0,
        spot_class=spot_class,
        single_use=single_use,
        issuer=issuer,
    )


def _seconds(claims: dict[Any, Any], name: int) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 <= value <= SECONDS_MAX:
        raise CredentialError("a time that is no whole number of seconds")
    return value


def is_genuine(sealed: Sealed, key: VerifyKey) -> bool:
    """Whether the key vouches for the ticket. A signature takes some 100 µs, a MAC 2."""
    if sealed.mac != (key.alg == "hmac"):
        return False
    check = is_mac if sealed.mac else is_signature
    return check(key.material, sealed.over, sealed.seal)


def issue(ticket: Ticket, kid: str, alg: str, secret: bytes) -> bytes:
    """A ticket as it goes into a QR code.

    secret: 32 bytes, an Ed25519 private key (alg "ed25519") or an HMAC key ("hmac"). Raises CredentialError
    for claims that `read` would not take.
    """
    from liftgate.codecs.credentials.sealing import seal  # 60 ms of imports that no engine needs

    name = kid.encode()
    if not 1 <= len(name) <= KID_BYTES_MAX:
        raise CredentialError(f"a kid has 1 to {KID_BYTES_MAX} bytes")
    claims = {EXP: ticket.expires_s, NBF: ticket.not_before_s, CTI: ticket.cti, LOT: ticket.lot}
    if ticket.issuer is not None:
        claims[ISS] = ticket.issuer
    if ticket.spot_class is not None:
        claims[SPOT_CLASS] = ticket.spot_class
    if ticket.single_use:
        claims[SINGLE_USE] = True
    sealed = seal(cbor2.dumps(claims, canonical=True), name, alg, secret)
    token = PREFIX + bytes(base45.b45encode(sealed))
    if read(token).ticket != ticket:
        raise CredentialError("claims that a reader would take otherwise")
    return token
