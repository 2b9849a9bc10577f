"""Codes of the wire and the journal in words, and words of the command line in codes."""

from __future__ import annotations

import argparse
import re

from liftgate.codecs import messages as m
from liftgate.configs.schema import KINDS

VERDICTS = {0: "none", m.OPEN: "open", m.REFUSE: "refuse", m.PAY_FIRST: "pay first"}

REASONS = {
    0: "fine",
    100: "lane closed",
    101: "credential kind not taken here",
    102: "a plate is a witness here, and opens nothing",
    200: "credential unknown",
    201: "on the deny list",
    202: "expired or not yet valid",
    203: "signature or MAC wrong",
    204: "token used before",
    205: "decided long ago, answer no longer kept",
    210: "already inside (anti-passback)",
    211: "not inside: exit without an entry",
    220: "outside its permitted times",
    300: "full",
    301: "its class of spot is full",
    302: "its group's allotment is used up",
    310: "reserved for others",
    400: "tariff cannot price the stay",
    402: "pay first",
    403: "paid, but the time to leave has passed",
    500: "decided, but a human should look",
    501: "opened alone more often than its limit allows",
    502: "opened after it was alone for longer than it may decide",
}
"""As in docs/protocol.md."""


def verdict(code: int) -> str:
    """A verdict in words."""
    return VERDICTS.get(code, str(code))


def reason(code: int) -> str:
    """A reason in words, with its number."""
    return f"{REASONS.get(code, 'see docs/protocol.md')} ({code})"


def kind_name(kind: int) -> str:
    """The name that configurations use for a kind of credential."""
    return KINDS[kind - 1] if 1 <= kind <= len(KINDS) else str(kind)


def shown(kind: int, token: bytes) -> str:
    """A token as its kind is usually written."""
    printable = kind in (1, 4) and token.isascii() and token.decode("ascii", "replace").isprintable()
    return token.decode("ascii") if printable else token.hex().upper()


def hex_bytes(text: str) -> bytes:
    """A card's UID as people write it: hex digits, with or without colons. For argparse."""
    try:
        token = bytes.fromhex(text.replace(":", ""))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not in hex digits, as in 04DE5F1EACC040") from error
    if not 1 <= len(token) <= 512:
        raise argparse.ArgumentTypeError("a token has 1 to 512 bytes")
    return token


def credential_options(parser: argparse.ArgumentParser, *, required: bool) -> None:
    """--card, --plate, --qr or --tag; read with credential()."""
    group = parser.add_mutually_exclusive_group(required=required)
    group.add_argument("--card", type=hex_bytes, metavar="HEX", help="UID of a card, such as 04DE5F1EACC040")
    group.add_argument("--plate", type=_text_bytes, metavar="TEXT", help="number plate, such as 'B-LG 2042'")
    group.add_argument("--qr", type=_text_bytes, metavar="TEXT", help="content of a QR code")
    group.add_argument(
        "--tag", type=_tag_bytes, metavar="TEXT", help="of an NTAG 424: its URL, or hex digits"
    )


def credential(args: argparse.Namespace) -> tuple[int, bytes] | None:
    """(kind, token) as given on the command line, None if none was."""
    for kind, token in ((2, args.card), (4, args.plate), (1, args.qr), (3, args.tag)):
        if token is not None:
            return kind, token
    return None


def _tag_bytes(text: str) -> bytes:
    """What a tag says is a URL, or 24 bytes; who it is, 7 bytes."""
    return hex_bytes(text) if re.fullmatch("[0-9A-Fa-f:]+", text) else _text_bytes(text)


def _text_bytes(text: str) -> bytes:
    token = text.encode()
    if not 1 <= len(token) <= 512:
        raise argparse.ArgumentTypeError("a token has 1 to 512 bytes")
    return token
