"""NTAG 424 DNA: the SUN message that a tag mirrors into its URL at each tap (NXP AN12196).

    e = PICC data, encrypted: what the tag is (7 bytes of UID), and its counter, one higher at each tap
    c = SDMMAC: 8 bytes that only the tag with this key and this counter can say

A copy of the URL says the same counter again, so it is good at most once, and only before the tag's next tap.
"""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from msgspec import Struct

from liftgate.codecs.credentials.errors import CredentialError

UID_BYTES, COUNTER_BYTES, BLOCK, MAC_BYTES = 7, 3, 16, 8
PICC_DATA_TAG = 0xC7
"""UID and counter are both there, and the UID has 7 bytes."""

TOKEN_BYTES_MAX = 512


class TagKeys(Struct, frozen=True):
    """kid: the name of the pair; picc: SDMMetaReadKey, 16 bytes; file: SDMFileReadKey, 16 bytes."""

    kid: str
    picc: bytes
    file: bytes

    def __repr__(self) -> str:
        return f"TagKeys({self.kid!r}, …)"


class Names(Struct, frozen=True):
    """Of the URL's parameters. file: of the encrypted file data, which the MAC is over then; "": none."""

    picc: str = "e"
    mac: str = "c"
    file: str = ""


USUAL = Names()


class Sun(Struct, frozen=True):
    """A SUN message. picc: 16 bytes, encrypted; mac: 8 bytes; over: what the tag's MAC is over, as ASCII."""

    picc: bytes
    mac: bytes
    over: bytes = b""


class Tap(Struct, frozen=True):
    """What a genuine message says: which tag, and its how manieth tap."""

    uid: bytes
    counter: int


def read(token: bytes, names: Names = USUAL) -> Sun:
    """The message in a token: 24 bytes, PICC data and MAC, or a URL or its query. Raises CredentialError."""
    if len(token) == BLOCK + MAC_BYTES:
        return Sun(token[:BLOCK], token[BLOCK:])
    if len(token) > TOKEN_BYTES_MAX or not token.isascii():
        raise CredentialError("not a SUN message")
    text = token.decode("ascii")
    query = text.rpartition("?")[2].partition("#")[0]
    values = dict(piece.partition("=")[::2] for piece in query.split("&"))
    picc, mac = _hex(values, names.picc, BLOCK), _hex(values, names.mac, MAC_BYTES)
    return Sun(picc, mac, _over(query, names).encode())


def _hex(values: dict[str, str], name: str, size: int) -> bytes:
    text = values.get(name, "")
    if len(text) != 2 * size:
        raise CredentialError(f"no {name} of {2 * size} hex digits")
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise CredentialError(f"{name} is not in hex digits") from error


def _over(query: str, names: Names) -> str:
    """From the file data on, up to the MAC's value: what AN12196 has the tag set up to sign."""
    if not names.file:
        return ""
    before, found, after = f"&{query}".partition(f"&{names.file}=")
    signed, end, _ = after.partition(f"&{names.mac}=")
    if not found or not end:
        raise CredentialError(f"no {names.file} before {names.mac}")
    return f"{signed}&{names.mac}="


def opened(sun: Sun, keys: TagKeys) -> Tap | None:
    """What the message says, if these are the tag's keys and the tag said it; else None. Some 10 µs."""
    cipher = Cipher(algorithms.AES(keys.picc), modes.CBC(bytes(BLOCK))).decryptor()
    plain = cipher.update(sun.picc) + cipher.finalize()
    if plain[0] != PICC_DATA_TAG:
        return None
    uid, counter = plain[1 : 1 + UID_BYTES], plain[1 + UID_BYTES : 1 + UID_BYTES + COUNTER_BYTES]
    if not hmac.compare_digest(mac_of(keys.file, uid, counter, sun.over), sun.mac):
        return None
    return Tap(uid, int.from_bytes(counter, "little"))


def mac_of(file_key: bytes, uid: bytes, counter: bytes, over: bytes) -> bytes:
    """SDMMAC, 8 bytes. counter: 3 bytes as on the tag, the lowest first."""
    session = cmac(file_key, (b"\x3c\xc3\x00\x01\x00\x80" + uid + counter).ljust(BLOCK, b"\0"))
    return cmac(session, over)[1::2]


def cmac(key: bytes, data: bytes) -> bytes:
    """AES-CMAC (RFC 4493), 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def file_data(file_key: bytes, uid: bytes, counter: bytes, encrypted: bytes) -> bytes:
    """The file data that the tag mirrored. encrypted: whole blocks. Raises CredentialError."""
    if not encrypted or len(encrypted) % BLOCK:
        raise CredentialError("not whole blocks")
    session = cmac(file_key, (b"\xc3\x3c\x00\x01\x00\x80" + uid + counter).ljust(BLOCK, b"\0"))
    first = Cipher(algorithms.AES(session), modes.ECB()).encryptor()
    iv = first.update(counter.ljust(BLOCK, b"\0")) + first.finalize()
    cipher = Cipher(algorithms.AES(session), modes.CBC(iv)).decryptor()
    return cipher.update(encrypted) + cipher.finalize()


def tap(keys: TagKeys, uid: bytes, counter: int, padding: bytes = bytes(5)) -> bytes:
    """What a tag says at its tap number `counter`, as 24 bytes: for simulated tags and tests."""
    count = counter.to_bytes(COUNTER_BYTES, "little")
    plain = bytes((PICC_DATA_TAG,)) + uid + count + padding
    cipher = Cipher(algorithms.AES(keys.picc), modes.CBC(bytes(BLOCK))).encryptor()
    return cipher.update(plain) + cipher.finalize() + mac_of(keys.file, uid, count, b"")
