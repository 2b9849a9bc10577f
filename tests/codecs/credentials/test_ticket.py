"""Tickets: what is issued is read, what was changed is found out, and garbage is one error."""

import base45
import cbor2
import pytest
import segno
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.credentials import ticket
from liftgate.codecs.credentials.errors import CredentialError
from liftgate.codecs.credentials.keys import VerifyKey
from liftgate.codecs.credentials.ticket import Ticket

SECRET = bytes(range(32))
PUBLIC = Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw()
SIGNING = VerifyKey("2026a", "ed25519", PUBLIC)
MACING = VerifyKey("m1", "hmac", SECRET)
PLAIN = Ticket(cti=b"ticket-1", lot="north", expires_s=1_800_003_600, not_before_s=1_800_000_000)
SIGNED = ticket.issue(PLAIN, "2026a", "ed25519", SECRET)
MACED = ticket.issue(PLAIN, "m1", "hmac", SECRET)

texts = st.text(min_size=1, max_size=20)
tickets = st.builds(
    Ticket,
    cti=st.binary(min_size=8, max_size=8),
    lot=texts,
    expires_s=st.integers(0, ticket.SECONDS_MAX),
    not_before_s=st.integers(0, ticket.SECONDS_MAX),
    spot_class=st.none() | texts,
    single_use=st.booleans(),
    issuer=st.none() | texts,
)


@given(tickets, st.sampled_from((SIGNING, MACING)))
def test_what_is_issued_is_read_and_genuine(issued: Ticket, key: VerifyKey) -> None:
    """Every claim comes back, under the key that it was issued with."""
    sealed = ticket.read(ticket.issue(issued, key.kid, key.alg, SECRET))
    assert (sealed.ticket, sealed.kid, sealed.mac) == (issued, key.kid, key.alg == "hmac")
    assert ticket.is_genuine(sealed, key)


def test_other_keys_do_not_vouch() -> None:
    """Neither another key, nor the public key taken for a MAC's."""
    assert not ticket.is_genuine(ticket.read(SIGNED), VerifyKey("2026a", "ed25519", bytes(32)))
    assert not ticket.is_genuine(ticket.read(SIGNED), VerifyKey("2026a", "hmac", PUBLIC))
    assert not ticket.is_genuine(ticket.read(MACED), VerifyKey("m1", "ed25519", SECRET))
    forged = ticket.issue(PLAIN, "2026a", "hmac", PUBLIC)
    assert not ticket.is_genuine(ticket.read(forged), SIGNING)


@given(st.sampled_from((SIGNED, MACED)), st.data())
def test_a_changed_ticket_is_not_genuine(token: bytes, data: st.DataObject) -> None:
    """Any bit of it, wherever it stands, makes it unreadable or not genuine."""
    message = bytearray(base45.b45decode(token[4:]))
    place = data.draw(st.integers(0, len(message) * 8 - 1))
    message[place >> 3] ^= 1 << (place & 7)
    try:
        sealed = ticket.read(b"LG1:" + base45.b45encode(bytes(message)))
    except CredentialError:
        return
    assert not ticket.is_genuine(sealed, SIGNING) and not ticket.is_genuine(sealed, MACING)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_ticket_or_an_error(garbage: bytes) -> None:
    """As they are, behind the prefix, and as base45 behind it: nothing else is raised."""
    for token in (garbage, b"LG1:" + garbage, b"LG1:" + base45.b45encode(garbage[:300])):
        try:
            ticket.read(token)
        except CredentialError:
            continue


def test_an_implementation_of_others_reads_it() -> None:
    """The library `cwt` verifies both kinds; tagged, and tagged as a CWT, it is the same ticket."""
    keys = {
        SIGNED: COSEKey.new({1: 1, 2: b"2026a", 3: -8, -1: 6, -2: PUBLIC}),
        MACED: COSEKey.new({1: 4, 2: b"m1", 3: 4, -1: SECRET}),
    }
    for token, key in keys.items():
        message = base45.b45decode(token[4:])
        tagged = cbor2.dumps(cbor2.CBORTag(17 if token is MACED else 18, cbor2.loads(message)))
        claims = cbor2.loads(COSE.new().decode(tagged, key))
        assert claims == {4: PLAIN.expires_s, 5: PLAIN.not_before_s, 7: PLAIN.cti, -65537: "north"}
        for wrapped in (tagged, b"\xd8\x3d" + tagged):
            assert ticket.read(b"LG1:" + base45.b45encode(wrapped)).ticket == PLAIN


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({7: b"short"}, "cti"),
        ({7: "text"}, "cti"),
        ({7: None}, "cti"),
        ({-65537: ""}, "lot"),
        ({-65537: 5}, "lot"),
        ({4: -1}, "time"),
        ({4: True}, "time"),
        ({4: 1 << 50}, "time"),
        ({5: "noon"}, "time"),
        ({-65538: b"x"}, "short text"),
        ({-65538: "x" * 65}, "short text"),
        ({-65539: 1}, "single use"),
        ({1: 7}, "short text"),
    ],
)
def test_a_claim_of_another_kind_is_refused(change: dict[int, object], why: str) -> None:
    """Signed or not: who issues such a ticket has another program than ours."""
    claims = {4: 1_800_003_600, 7: b"ticket-1", -65537: "north"} | change
    with pytest.raises(CredentialError, match=why):
        ticket.read(sealed_as(cbor2.dumps(claims)))


def test_unknown_claims_are_let_be() -> None:
    """A later version may say more."""
    claims = {4: 5, 7: b"ticket-1", -65537: "north", 99: [1, {"a": b"b"}], "x": None}
    assert ticket.read(sealed_as(cbor2.dumps(claims))).ticket.expires_s == 5


@pytest.mark.parametrize("header", [{}, {1: -8}, {1: -7, 4: b"k"}, {1: -8, 4: "k"}, {1: -8, 4: b""}, {1: []}])
def test_alg_and_kid_stand_in_the_protected_header(header: dict[int, object]) -> None:
    """Elsewhere, of another kind, or not at all: no ticket."""
    with pytest.raises(CredentialError):
        ticket.read(sealed_as(cbor2.dumps({4: 5, 7: b"ticket-1", -65537: "north"}), header))


@pytest.mark.parametrize("token", [b"", b"LG1", b"lg1:AB", b"LG1:" + b"A" * 509, b"LG1:AB\n", b"LG1:\xff"])
def test_what_is_no_token_of_a_ticket(token: bytes) -> None:
    """Another prefix, too long, not base45."""
    with pytest.raises(CredentialError):
        ticket.read(token)


def test_issuing_refuses_what_could_not_be_read() -> None:
    """At the desk and not at the barrier."""
    with pytest.raises(CredentialError, match="cti"):
        ticket.issue(Ticket(cti=b"", lot="north", expires_s=5), "k", "ed25519", SECRET)
    with pytest.raises(CredentialError, match="kid"):
        ticket.issue(PLAIN, "x" * 17, "ed25519", SECRET)
    with pytest.raises(CredentialError, match="32 bytes"):
        ticket.issue(PLAIN, "k", "ed25519", SECRET[:31])


def test_the_same_ticket_is_the_same_bytes() -> None:
    """Deterministic CBOR and Ed25519: nothing is drawn but the cti, and the caller drew that."""
    assert ticket.issue(PLAIN, "2026a", "ed25519", SECRET) == SIGNED


def test_a_qr_code_takes_it_in_alphanumeric_mode() -> None:
    """Base45 is the alphabet of that mode: 5.5 bits a character, a third less than bytes need."""
    signed, maced = (
        segno.make(token.decode(), error="m", micro=False, boost_error=False) for token in (SIGNED, MACED)
    )
    assert (signed.mode, maced.mode) == ("alphanumeric", "alphanumeric")
    assert (int(signed.version), int(maced.version)) == (7, 4)


def sealed_as(payload: bytes, header: dict[int, object] | None = None) -> bytes:
    """A token with this payload and protected header, and a seal of zeros."""
    protected = cbor2.dumps({1: -8, 4: b"k"} if header is None else header)
    return b"LG1:" + base45.b45encode(cbor2.dumps([protected, {}, payload, bytes(64)]))
