"""Line numbers for keys of a TOML file, which tomllib does not keep.

A light scan, for messages only: it knows headers, keys and multi-line strings, not the whole grammar. A key
inside an inline table gets the line of the nearest key around it.
"""

from __future__ import annotations

import re

_PART = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
_NAME = rf"{_PART}(?:\s*\.\s*{_PART})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_NAME})\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(rf"\s*({_NAME})\s*=")
_STRING_EDGE = re.compile(r'"""|\'\'\'')


def key_lines(text: str) -> dict[str, int]:
    """The first line, from 1, of each table and key, by names such as `lot[0].area[1].parent`."""
    lines: dict[str, int] = {}
    arrays: dict[str, int] = {}
    table, in_string = "", False
    for number, line in enumerate(text.split("\n"), 1):
        if not in_string:
            if header := _HEADER.match(line):
                table = _enter(_parts(header[2]), header[1] == "[[", arrays)
                lines.setdefault(table, number)
            elif key := _KEY.match(line):
                lines.setdefault(_join(table, *_parts(key[1])), number)
        in_string ^= len(_STRING_EDGE.findall(line)) % 2 == 1
    return lines


def line_of(key: str, lines: dict[str, int]) -> int | None:
    """The line of key or, where it has none, of the nearest table around it."""
    while key and key not in lines:
        key = key.rpartition(".")[0] if not key.endswith("]") else key.rpartition("[")[0]
    return lines.get(key)


def _enter(parts: list[str], is_array: bool, arrays: dict[str, int]) -> str:
    """The path of the table that a header opens. arrays: how many tables each array of tables has by now."""
    path = ""
    for part in parts[:-1]:
        path = _join(path, part)
        if path in arrays:
            path += f"[{arrays[path] - 1}]"
    path = _join(path, parts[-1])
    if not is_array:
        return path
    arrays[path] = arrays.get(path, 0) + 1
    return f"{path}[{arrays[path] - 1}]"


def _parts(name: str) -> list[str]:
    return [part.strip("\"'") for part in re.findall(_PART, name)]


def _join(*parts: str) -> str:
    return ".".join(part for part in parts if part)
