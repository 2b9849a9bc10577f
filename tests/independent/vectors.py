"""The shared vectors of version 1, as pytest parameters."""

import json
from pathlib import Path
from typing import Any

import pytest

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "wire_v1.json").read_text())
GOOD = [pytest.param(vector, id=vector["name"]) for vector in VECTORS["good"]]
BAD = [pytest.param(vector, id=vector["name"]) for vector in VECTORS["bad"]]


def value_of(written: Any) -> Any:
    """Return a vector's body as values: {"bin": hex} is bytes, {"map": pairs} a dict."""
    if isinstance(written, list):
        return [value_of(item) for item in written]
    if isinstance(written, dict) and "bin" in written:
        return bytes.fromhex(written["bin"])
    if isinstance(written, dict):
        return {value_of(key): value_of(item) for key, item in written["map"]}
    return written
