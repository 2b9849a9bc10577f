"""name=value words become what a shape takes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import pytest

from liftgate.commands.common import Trouble
from liftgate.commands.fields import described, read_fields


class Inner(msgspec.Struct):
    """A part."""

    token: bytes
    count: int = 0


class Shape(msgspec.Struct):
    """What an order takes."""

    token: bytes
    kind: int
    name: str
    mode: Literal["a", "b"] = "a"
    until_ms: int | None = None
    several: tuple[bytes, ...] = ()
    parts: list[Inner] = []
    table: dict[str, int] = {}


@pytest.mark.parametrize(
    ("word", "args"),
    [
        ("card=04:AA", {"kind": 2, "token": b"\x04\xaa"}),
        ("plate=B-LG 1", {"kind": 4, "token": b"B-LG 1"}),
        ("name=12", {"name": "12"}),
        ("name=a=b", {"name": "a=b"}),
        ("until_ms=12", {"until_ms": 12}),
        ("until_ms=null", {"until_ms": None}),
        ('several=["04aa", "05"]', {"several": [b"\x04\xaa", b"\x05"]}),
        ('parts=[{"token": "04", "count": 2}]', {"parts": [{"token": b"\x04", "count": 2}]}),
        ('table={"a": 1}', {"table": {"a": 1}}),
    ],
)
def test_values_are_read_by_the_type_of_their_field(word: str, args: dict[str, Any]) -> None:
    """Text as it stands, bytes in hex at any depth, the rest as JSON."""
    assert read_fields([word], Shape) == args


@pytest.mark.parametrize("word", ["several=[1", "token=0", "naem=x", "kind"])
def test_what_cannot_be_read_is_told(word: str) -> None:
    """A word that makes no sense is named."""
    with pytest.raises(Trouble):
        read_fields([word], Shape)


def test_a_shape_is_described_for_people() -> None:
    """Every field, what it takes, and its default."""
    lines = described("order", Shape)
    assert lines[0] == "order: What an order takes."
    assert "  mode           a | b (default: a)" in lines
    assert "  several        [hex digits, …] (default: ())" in lines
    assert "  parts          [{token, count}, …] (default: [])" in lines
