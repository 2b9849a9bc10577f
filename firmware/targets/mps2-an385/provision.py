"""Make the flash of a new reader: a file for QEMU, id, key and lanes in its first block, all else erased."""

import argparse
import struct
import zlib
from pathlib import Path

FLASH_BYTES = 256 * 1024
FILE_BYTES = 16 * 1024 * 1024
"""QEMU maps the whole memory of the board; what is behind the flash stays a hole in the file."""

ID_BYTES, KEY_BYTES, LANES = 64, 64, 8
DIRECTIONS = {"entry": 1, "exit": 2, "both": 3}


def settings(reader: str, key: bytes, lanes: list[tuple[int, str]]) -> bytes:
    """Return the first block's content. Raises ValueError for what does not fit."""
    name = reader.encode()
    if not 1 <= len(name) <= ID_BYTES or len(key) > KEY_BYTES or len(lanes) > LANES:
        raise ValueError(f"id of 1 to {ID_BYTES} bytes, key of at most {KEY_BYTES}, at most {LANES} lanes")
    body = b"LGR1" + bytes([len(name)]) + name.ljust(ID_BYTES, b"\0")
    body += bytes([len(key)]) + key.ljust(KEY_BYTES, b"\0")
    pairs = b"".join(bytes([number, DIRECTIONS[direction]]) for number, direction in lanes)
    body += bytes([len(lanes)]) + pairs.ljust(2 * LANES, b"\0")
    return body + struct.pack("<I", zlib.crc32(body))


def write(path: Path, reader: str, key: bytes, lanes: list[tuple[int, str]]) -> None:
    """Write the flash of a reader that was never on."""
    with path.open("wb") as file:
        file.write(settings(reader, key, lanes).ljust(FLASH_BYTES, b"\xff"))
        file.truncate(FILE_BYTES)


def lane(text: str) -> tuple[int, str]:
    """Read `0:entry`."""
    number, direction = text.split(":")
    if direction not in DIRECTIONS or not 0 <= int(number) <= 255:
        raise ValueError(text)
    return int(number), direction


def main() -> None:
    """provision.py --reader gate-1 --key 00ff… --lane 0:entry flash.bin"""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", required=True, metavar="ID")
    parser.add_argument("--key", required=True, type=bytes.fromhex, metavar="HEX")
    parser.add_argument("--lane", required=True, action="append", type=lane, metavar="NUMBER:entry|exit|both")
    parser.add_argument("flash", type=Path)
    given = parser.parse_args()
    write(given.flash, given.reader, given.key, given.lane)


if __name__ == "__main__":
    main()
