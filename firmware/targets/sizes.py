"""What the library takes on a microcontroller: sizes.py build/size/CPU …; exit 1 where it is over its bounds.

Each folder has the library's objects, compiled with -fcallgraph-info=su, and memory.o. The stack is that of
the deepest chain of calls in the library. What the board's own functions take (ports, crypto) comes on top.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

CODE_BYTES_MAX = 16 * 1024
ALONE_CODE_BYTES_MAX = 8 * 1024
RAM_BYTES_MAX = 8 * 1024

ALONE = {"base45", "cbor", "cose", "ticket", "policy", "store", "offline"}
"""Decisions without an engine: linked only where lg_alone_init is called."""

OPTIONAL = {"ntag424"}

BOARD = "__indirect_call"
BY_POINTER: dict[str, str] = {
    "take_frame": r"src/reader_in\.c:on_\w+",
    "handle": r"src/reader_in\.c:on_\w+",
    "on_policy": r"src/offline\.c:take_policy",
    "decide_alone": r"src/offline\.c:decide",
    "decide_given_up": r"src/offline\.c:decide",
    "tell_connected": r"src/offline\.c:connected",
}
"""Calls by pointer that stay in the library, by who calls; all others go to the board."""


class Sizes(NamedTuple):
    """Bytes of one module."""

    code: int
    rodata: int
    data: int
    bss: int


def run(*command: str) -> str:
    """Return what a program printed."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def module_sizes(file: Path) -> Sizes:
    """Add up the sections of an object file."""
    total = dict.fromkeys((".text", ".rodata", ".data", ".bss"), 0)
    for line in run("arm-none-eabi-size", "-A", str(file)).splitlines():
        found = re.match(r"(\.\w+)\S*\s+(\d+)\s", line)
        if found and found[1] in total:
            total[found[1]] += int(found[2])
    return Sizes(*total.values())


def struct_sizes(file: Path) -> dict[str, int]:
    """Return the sizes of the arrays in memory.o, by what they stand for."""
    rows = (line.split() for line in run("arm-none-eabi-nm", "-S", str(file)).splitlines())
    return {row[3].removeprefix("memory_"): int(row[1], 16) for row in rows}


def call_graph(folder: Path) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Return each function's own stack, and whom it calls."""
    own: dict[str, int] = {}
    calls: dict[str, set[str]] = {}
    for file in folder.glob("*.ci"):
        text = file.read_text()
        for title, stack in re.findall(r'node: \{ title: "([^"]+)" label: "[^"]*?(\d+) bytes \(', text):
            own[title] = int(stack)
        for caller, callee in re.findall(r'edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"', text):
            calls.setdefault(caller, set()).add(callee)
    by_pointer = [each for each in calls if BOARD in calls[each]]
    inlined = {"take_frame", "handle"}  # one into the other, as the compiler likes
    missing = BY_POINTER.keys() - inlined - {each.split(":")[-1] for each in by_pointer}
    if missing or not inlined & {each.split(":")[-1] for each in by_pointer}:
        sys.exit(f"these no longer call by pointer, so the stack would be wrong: {missing or inlined}")
    for caller in by_pointer:
        inside = re.compile(BY_POINTER.get(caller.split(":")[-1], "nobody"))
        calls[caller] = calls[caller] - {BOARD} | set(filter(inside.fullmatch, own))
    return own, calls


def deepest(folder: Path) -> tuple[int, list[str]]:
    """Return the most stack that a chain of calls takes, and the chain. Raises RecursionError for a cycle."""
    own, calls = call_graph(folder)

    @cache
    def depth(name: str) -> tuple[int, tuple[str, ...]]:
        below = max((depth(each) for each in calls.get(name, ())), default=(0, ()))
        return own.get(name, 0) + below[0], (name.split(":")[-1], *below[1])

    bytes_, chain = max(depth(name) for name in own)
    return bytes_, list(chain)


def report(folder: Path) -> bool:
    """Print one target's table; False where it is over."""
    modules = {file.stem: module_sizes(file) for file in sorted(folder.glob("*.o")) if file.stem != "memory"}
    memory = struct_sizes(folder / "memory.o")
    print(f"{folder.name:14} {'code':>7} {'rodata':>7} {'data':>6} {'bss':>6}")
    sums = {}
    for group, members in (
        ("reader", set(modules) - ALONE - OPTIONAL),
        ("alone", ALONE),
        ("optional", OPTIONAL),
    ):
        for name in sorted(members):
            print(f"  {name:12} {modules[name].code:7} {modules[name].rodata:7}", end=" ")
            print(f"{modules[name].data:6} {modules[name].bss:6}")
        sums[group] = sum(modules[name].code + modules[name].rodata for name in members)
    stack, chain = deepest(folder)
    ram = memory["reader"] + memory["buffers"] + memory["alone"] + stack
    static = sum(sizes.data + sizes.bss for sizes in modules.values())
    within = sums["reader"] <= CODE_BYTES_MAX and sums["alone"] <= ALONE_CODE_BYTES_MAX
    print(f"  code and rodata: reader {sums['reader']} of {CODE_BYTES_MAX}, ", end="")
    print(f"decisions alone {sums['alone']} of {ALONE_CODE_BYTES_MAX}, optional {sums['optional']}")
    print(
        f"  RAM: reader {memory['reader']} + buffers {memory['buffers']} + alone {memory['alone']} ", end=""
    )
    print(f"+ stack {stack} = {ram} of {RAM_BYTES_MAX}; the log {memory['log']} on top")
    print(f"  deepest: {' > '.join(chain)}\n")
    return within and ram + static <= RAM_BYTES_MAX


if __name__ == "__main__":
    fits = [report(Path(name)) for name in sys.argv[1:]]
    sys.exit(0 if fits and all(fits) else "over its bounds")
