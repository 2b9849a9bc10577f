"""The small CBOR reader: what it takes it reads as cbor2 does, and everything else is one error."""

import time
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liftgate.codecs.credentials import cbor
from liftgate.codecs.credentials.errors import CredentialError

numbers = st.integers(min_value=-(2**64), max_value=2**64 - 1)
leaves = st.one_of(numbers, st.binary(max_size=40), st.text(max_size=40), st.booleans(), st.none())
keys = st.one_of(numbers, st.text(max_size=10))
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=12,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(values)
def test_it_reads_what_cbor2_wrote(value: Any) -> None:
    """Whatever a ticket could hold comes back as it was, unless it is nested too deeply."""
    data = cbor2.dumps(value, canonical=True)
    if depth(value) <= cbor.DEPTH_MAX:
        assert cbor.loads(data) == value
    else:
        with pytest.raises(CredentialError, match="deeply"):
            cbor.loads(data)


@given(st.binary(max_size=600))
def test_any_bytes_are_a_value_or_an_error(data: bytes) -> None:
    """What it takes, cbor2 takes too, and reads alike."""
    try:
        value = cbor.loads(data)
    except CredentialError:
        return
    assert cbor2.loads(data) == value


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "ends"),
        (b"\x18", "ends"),
        (b"\x42\x01", "ends"),
        (b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", "ends"),
        (b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff", "ends"),
        (b"\x01\x01", "behind"),
        (b"\x9f\x01\xff", "indefinite"),
        (b"\x5f\x41a\xff", "indefinite"),
        (b"\x1c", "reserved"),
        (b"\xc1\x01", "tag"),
        (b"\xd8\x23\x61a", "tag"),
        (b"\xf9\x3c\x00", "kind"),
        (b"\xf8\x20", "kind"),
        (b"\x61\xff", "UTF-8"),
        (b"\xa2\x01\x01\x01\x02", "twice"),
        (b"\xa1\x41a\x01", "neither"),
        (b"\xa1\xf5\x01", "neither"),
        (b"\x81" * 600, "deeply"),
    ],
)
def test_what_no_ticket_has_is_refused_by_name(data: bytes, why: str) -> None:
    """Each in a word that an operator can look for."""
    with pytest.raises(CredentialError, match=why):
        cbor.loads(data)


def test_the_longest_garbage_takes_no_time() -> None:
    """512 bytes of heads that promise much cost less than a millisecond, whatever they say."""
    garbage = [bytes((head,)) * 512 for head in range(256)]
    began = time.perf_counter()
    for data in garbage:
        with pytest.raises(CredentialError):
            cbor.loads(data)
    assert time.perf_counter() - began < 0.256
