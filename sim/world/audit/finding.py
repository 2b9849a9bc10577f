"""What the auditor holds against the engine."""

from typing import NamedTuple


class Finding(NamedTuple):
    """One promise that was not kept.

    kind: its name, constant, by which a story is shrunk; at_ms: when it was seen, virtual Unix time; text:
    what was seen; expected: what should have been.
    """

    kind: str
    at_ms: int
    text: str
    expected: str
