"""The arrows of docs/design.md (Layout) hold in the sources, and modules stay small enough to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Who may import whom, besides itself; the longest matching place counts. What stands in liftgate/ itself
# (cli.py, commands/) may import everything and only its like may import it, except for ANYONE.
GROUND = {"codecs", "tariffs", "configs"}
MAY_IMPORT = {
    "codecs": set(),
    "tariffs": set(),
    "configs": set(),
    "engine": GROUND,
    "engine.core": GROUND,
    "engine.journal": GROUND | {"engine"},
    "conform": {"codecs"},
    "history": GROUND,
    "relay": GROUND | {"history"},
    "payments": GROUND,
    "scheduler": GROUND | {"history"},
    "gateways": GROUND | {"engine"},
    "gateways.http": GROUND,
    "gateways.mqtt.broker": GROUND,
    "sim": GROUND | {"engine", "gateways"},
    "bench": GROUND | {"engine", "gateways", "history", "relay", "payments", "scheduler", "sim"},
}
NEVER = {"engine.journal": {"engine.core"}}
ROOMS = {place.split(".")[0] for place in MAY_IMPORT}
ANYONE = {"__init__", "__version__", "build_info"}

# The core and the ground's codecs and tariffs have no clock, randomness or I/O: one seed, one story.
PURE = ("codecs", "tariffs", "engine.core")
IMPURE_MODULES = set(
    "asyncio concurrent fcntl http io logging mmap multiprocessing os pathlib queue random secrets select "
    "selectors shutil signal socket socketserver sqlite3 ssl structlog subprocess tempfile threading time "
    "trio urllib uuid".split()
)
IMPURE_CALLS = {"open", "input", "print"}

LINES_MAX = 400
LONGER_WITH_A_REASON: dict[str, str] = {}


def violations(root: Path) -> list[str]:
    """Every broken rule in the tree under root (rooms reached through root/liftgate), 'file:line: what'."""
    package = root / "liftgate"
    found = []
    for path in sorted(_sources(package)):
        name = path.relative_to(package).as_posix()
        module = name.rsplit(".", 1)[0].replace("/", ".").removesuffix(".__init__")
        text = path.read_text(encoding="utf-8")
        rules = _pxd_violations if path.suffix == ".pxd" else _py_violations
        found += [f"{name}:{line}: {what}" for line, what in rules(module, text)]
        if len(text.splitlines()) > LINES_MAX and name not in LONGER_WITH_A_REASON:
            found.append(f"{name}:{LINES_MAX}: longer than {LINES_MAX} lines")
    return found


def _sources(folder: Path) -> Iterator[Path]:
    """Python sources and Cython types under folder; unlike rglob this follows the links to the rooms."""
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _sources(entry)
        elif entry.suffix in (".py", ".pxd"):
            yield entry


def _py_violations(module: str, text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield node.lineno, "relative import"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for target in _targets(node):
                yield from ((node.lineno, what) for what in _judge(module, target))
        elif isinstance(node, ast.Call) and _is_impure_call(module, node):
            yield node.lineno, f"{module} does I/O with {ast.unparse(node)}"


def _pxd_violations(module: str, text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*(?:from|cimport)\s+([\w.]+)", line):
            yield from ((number, what) for what in _judge(module, match[1]))


def _targets(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [f"{node.module}.{alias.name}" for alias in node.names]


def _judge(module: str, target: str) -> Iterator[str]:
    """What is wrong with module importing target (both dotted; module without its leading 'liftgate.')."""
    head, _, rest = target.partition(".")
    if head in ROOMS - {"codecs"}:
        yield f"import {head} as liftgate.{head}"
    elif head != "liftgate" and _is_in(module, PURE) and head in IMPURE_MODULES:
        yield f"{module} is pure and imports {head}"
    elif head == "liftgate" and not _allowed(module, rest):
        yield f"{module} may not import {target}"


def _allowed(module: str, target: str) -> bool:
    importer, imported = module.split(".")[0], target.split(".")[0]
    if imported in ANYONE or importer not in ROOMS | ANYONE:
        return True
    place = max((p for p in MAY_IMPORT if _is_in(module, (p,))), key=len, default="")
    forbidden = NEVER.get(place, set())
    return not _is_in(target, forbidden) and _is_in(target, MAY_IMPORT.get(place, set()) | {place})


def _is_in(module: str, places: set[str] | tuple[str, ...]) -> bool:
    return any(module == place or module.startswith(f"{place}.") for place in places)


def _is_impure_call(module: str, node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS and _is_in(module, PURE)


def test_the_arrows_point_down() -> None:
    """No module of this tree imports against the arrows, does I/O in a pure room, or is over 400 lines."""
    assert violations(ROOT) == []


def test_every_room_is_seen() -> None:
    """The walk reaches the rooms through their links, so an empty result means something."""
    seen = {path.relative_to(ROOT / "liftgate").parts[0] for path in _sources(ROOT / "liftgate")}
    assert {"codecs", "engine", "gateways", "sim", "configs", "bench"} <= seen


@pytest.mark.parametrize(
    ("place", "source", "expected"),
    [
        (
            "codecs/a.py",
            "from liftgate.engine.core import model",
            "codecs.a may not import liftgate.engine.core.model",
        ),
        ("codecs/a.py", "import liftgate.tariffs.price", "codecs.a may not import liftgate.tariffs.price"),
        (
            "configs/a.py",
            "from liftgate.codecs import frame",
            "configs.a may not import liftgate.codecs.frame",
        ),
        ("engine/a.py", "from liftgate import gateways", "engine.a may not import liftgate.gateways"),
        ("engine/core/a.py", "from liftgate.engine import engine", "may not import liftgate.engine.engine"),
        (
            "engine/core/a.py",
            "from liftgate.engine.journal import log",
            "may not import liftgate.engine.journal.log",
        ),
        ("engine/core/a.py", "import os.path", "engine.core.a is pure and imports os"),
        ("engine/core/a.py", "from time import monotonic", "engine.core.a is pure and imports time"),
        ("engine/core/a.py", "def f():\n    import trio", "engine.core.a is pure and imports trio"),
        ("engine/core/a.py", "open('x')", "engine.core.a does I/O with open('x')"),
        ("codecs/a.py", "import random", "codecs.a is pure and imports random"),
        (
            "engine/journal/a.py",
            "from liftgate.engine.core import apply",
            "may not import liftgate.engine.core.apply",
        ),
        ("engine/journal/a.py", "import liftgate.engine.core", "may not import liftgate.engine.core"),
        ("gateways/a.py", "from liftgate.sim import city", "gateways.a may not import liftgate.sim.city"),
        ("gateways/http/a.py", "from liftgate.engine import engine", "may not import liftgate.engine.engine"),
        (
            "relay/a.py",
            "from liftgate.engine.journal import feed",
            "relay.a may not import liftgate.engine.journal.feed",
        ),
        (
            "conform/a.py",
            "from liftgate.gateways import link",
            "conform.a may not import liftgate.gateways.link",
        ),
        ("bench/a.py", "from liftgate.cli import main", "bench.a may not import liftgate.cli.main"),
        ("sim/a.py", "from liftgate import cli", "sim.a may not import liftgate.cli"),
        ("sim/a.py", "from liftgate.commands import up", "sim.a may not import liftgate.commands.up"),
        ("commands/a.py", "import sim.city", "import sim as liftgate.sim"),
        (
            "build_info.py",
            "from liftgate.codecs import pack",
            "build_info may not import liftgate.codecs.pack",
        ),
        ("engine/a.py", "from . import core", "relative import"),
        ("engine/a.py", "import gateways.reactor", "import gateways as liftgate.gateways"),
        (
            "codecs/a.pxd",
            "from liftgate.engine.core.model cimport Lot",
            "codecs.a may not import liftgate.engine.core",
        ),
        ("sim/a.py", "\n" * 401, "longer than 400 lines"),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, place: str, source: str, expected: str) -> None:
    """Each rule, broken in a made-up tree, is reported once with file and line."""
    _write(tmp_path, place, source)
    (found,) = violations(tmp_path)
    assert expected in found
    assert found.startswith(f"{place}:")


@pytest.mark.parametrize(
    ("place", "source"),
    [
        ("codecs/a.py", "import codecs, struct\nfrom liftgate.codecs.frame import Frame"),
        (
            "engine/core/a.py",
            "from liftgate.codecs import events\nfrom liftgate.engine.core.model import Lot",
        ),
        ("engine/journal/a.py", "import os\nfrom liftgate.engine.storage import Storage"),
        (
            "engine/a.py",
            "from liftgate.engine.core import decide\nfrom liftgate.engine.journal import log\nimport time",
        ),
        (
            "gateways/a.py",
            "import trio\nfrom liftgate.engine.engine import Engine\nfrom liftgate import build_info",
        ),
        ("sim/a.py", "from liftgate.gateways.reactor import Reactor\nfrom liftgate.configs import loader"),
        ("bench/a.py", "from liftgate.sim.city import readers\nfrom liftgate import __version__"),
        (
            "cli.py",
            "from liftgate.sim import city\nfrom liftgate.bench import run\nimport liftgate.engine.core",
        ),
        (
            "commands/a.py",
            "from liftgate.sim.city import run\nfrom liftgate.commands import b\nimport liftgate.engine.core",
        ),
        ("codecs/a.pxd", "from libc.stdint cimport uint8_t\nfrom liftgate.codecs.raw cimport Raw"),
    ],
)
def test_an_arrow_that_points_down_is_fine(tmp_path: Path, place: str, source: str) -> None:
    """What design.md allows is not reported."""
    _write(tmp_path, place, source)
    assert violations(tmp_path) == []


def _write(root: Path, place: str, source: str) -> None:
    path = root / "liftgate" / place
    path.parent.mkdir(parents=True)
    path.write_text(source, encoding="utf-8")
