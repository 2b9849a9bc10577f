"""Print wire_v1.json as a C header: frames as bytes, bodies as the items that they consist of.

Usage: python3 vectors.py wire_v1.json > vectors.h
"""

import json
import sys
from typing import Any


def c_bytes(data: bytes) -> str:
    """Return a C expression for a pointer to these bytes."""
    text = "".join(f"\\x{byte:02x}" for byte in data)
    return f'(const uint8_t *)"{text}"'


def item(kind: str, number: int = 0, data: bytes = b"") -> str:
    """Return one vector_item."""
    return f"{{LG_ITEM_{kind}, {number}u, {c_bytes(data)}, {len(data)}}}"


def items(value: Any) -> list[str]:
    """Return a written value as its items: the head of an array or map, then what is in it."""
    if value is None:
        return [item("NIL")]
    if isinstance(value, bool):
        return [item("BOOL", int(value))]
    if isinstance(value, int):
        return [item("UINT" if value >= 0 else "NEGATIVE", value % 2**64)]
    if isinstance(value, str):
        return [item("STR", 0, value.encode())]
    if isinstance(value, list):
        return [item("ARRAY", len(value)), *(line for each in value for line in items(each))]
    if "bin" in value:
        return [item("BIN", 0, bytes.fromhex(value["bin"]))]
    pairs = [each for pair in value["map"] for each in pair]
    return [item("MAP", len(value["map"])), *(line for each in pairs for line in items(each))]


def good(vectors: list[dict[str, Any]]) -> None:
    """Print the frames that are made and accepted."""
    for index, vector in enumerate(vectors):
        print(f"static const vector_item good_{index}[] = {{")
        for line in items(vector["body"]):
            print(f"    {line},")
        print("};")
    print("static const good_vector good_vectors[] = {")
    for index, vector in enumerate(vectors):
        frame = bytes.fromhex(vector["frame"])
        name = json.dumps(vector["name"])
        count = f"sizeof good_{index} / sizeof *good_{index}"
        print(
            f"    {{{name}, {vector['type']}, {vector['ref']}u, good_{index}, {count}, "
            f"{c_bytes(frame)}, {len(frame)}}},"
        )
    print("};")


def bad(vectors: list[dict[str, Any]]) -> None:
    """Print the frames that get an error."""
    print("static const bad_vector bad_vectors[] = {")
    for vector in vectors:
        frame = bytes.fromhex(vector["frame"])
        print(f"    {{{json.dumps(vector['name'])}, {vector['error']}, {c_bytes(frame)}, {len(frame)}}},")
    print("};")


def sign_on(vector: dict[str, str]) -> None:
    """Print key, bodies and MACs of the sign-on."""
    for name, written in vector.items():
        data = bytes.fromhex(written)
        print(f"static const lg_bytes sign_on_{name} = {{{c_bytes(data)}, {len(data)}}};")


def main() -> None:
    """Read the file that is named, print the header."""
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)
    print("/* Made from wire_v1.json by tools/vectors.py. */")
    good(vectors["good"])
    bad(vectors["bad"])
    sign_on(vectors["sign_on"])


if __name__ == "__main__":
    main()
