"""Where a frame's type and its ref stand in MQTT: in the topic, and in correlation data."""

from typing import NamedTuple

from liftgate.codecs import messages as m

BOOT = "boot"
"""User property with the decimal number of the reader's boot: in CONNECT, or in each PUBLISH."""

REF_BYTES = 4

FRESH_MS = 10_000
"""How long a message that moves a barrier or speaks to a driver is worth sending: history never opens one.
A reader that lost its DECISION sends its scan again, and is given it again."""

FRESH = frozenset({m.Decision.TYPE, m.Vend.TYPE, m.Display.TYPE})


class Up(NamedTuple):
    """A topic that a reader publishes to."""

    reader: str
    kind: int


def up(reader: str, kind: int) -> str:
    """The topic for a message of a reader's."""
    return f"liftgate/v1/{reader}/up/{kind:02x}"


def down(reader: str, kind: int) -> str:
    """The topic for a message to a reader."""
    return f"liftgate/v1/{reader}/down/{kind:02x}"


def down_filter(reader: str) -> str:
    """What a reader subscribes to."""
    return f"liftgate/v1/{reader}/down/#"


def parse_up(topic: str) -> Up | None:
    """What an up topic says; None for any other topic. The type is two lower-case hex digits."""
    parts = topic.split("/")
    if len(parts) != 5 or parts[0] != "liftgate" or parts[1] != "v1" or parts[3] != "up" or not parts[2]:
        return None
    kind = kind_of(parts[4])
    return None if kind is None else Up(parts[2], kind)


def parse_down(topic: str) -> Up | None:
    """The same of a down topic."""
    return parse_up(topic.replace("/down/", "/up/", 1)) if topic.count("/down/") == 1 else None


def kind_of(text: str) -> int | None:
    """The type that two lower-case hex digits name."""
    if len(text) != 2 or not all(digit in "0123456789abcdef" for digit in text):
        return None
    return int(text, 16)


def pack_ref(ref: int) -> bytes:
    """A ref as correlation data: as in a frame's header, four bytes, little-endian."""
    return ref.to_bytes(REF_BYTES, "little")


def parse_ref(correlation: bytes | None) -> int:
    """The ref in correlation data, 0 where there is none."""
    if correlation is None or len(correlation) != REF_BYTES:
        return 0
    return int.from_bytes(correlation, "little")


def parse_boot(properties: list[tuple[str, str]]) -> int:
    """The boot among user properties, 0 where there is none. Raises ValueError for what is no u64 above 0."""
    for name, value in properties:
        if name == BOOT:
            if not (value.isascii() and value.isdigit() and len(value) <= 20 and 0 < int(value) < 1 << 64):
                raise ValueError(f"{BOOT} is not a number in 1..2**64-1")
            return int(value)
    return 0
