"""Builds Liftgate's optional compiled modules; everything else is in pyproject.toml.

Each module of COMPILED that has both its .py and its .pxd is compiled with Cython, the others
stay plain. LIFTGATE_PLAIN=1, no Cython or no working C compiler give the plain build of the same sources.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

COMPILED = [
    "codecs/pack",
    "codecs/unpack",
    "codecs/frame",
    "codecs/scans",
    "codecs/connection",
    "engine/core/spots",
    "engine/core/numbering",
    "engine/core/tally",
    "engine/core/model",
    "engine/core/marks",
    "engine/core/commands",
    "engine/core/events",
    "engine/core/rules/base",
    "engine/core/rules/access",
    "engine/core/rules/lanes",
    "engine/core/rules/place",
    "engine/core/parts/base",
    "engine/core/parts/passes",
    "engine/core/parts/entitlements",
    "engine/core/parts/classes",
    "engine/core/parts/limits",
    "engine/core/parts/passback",
    "engine/core/parts/identity",
    "engine/core/parts/reservations/part",
    "engine/core/rules/classes",
    "engine/core/rules/entitlements",
    "engine/core/rules/passback",
    "engine/core/rules/identity",
    "engine/core/rules/payment",
    "engine/core/rules/reservations",
    "engine/core/rules/limits",
    "engine/core/reads",
    "engine/core/moves",
    "engine/core/names",
    "engine/core/apply",
    "engine/core/fold",
    "engine/engine",
    "gateways/answers",
    "gateways/link",
    "codecs/mqtt/packets",
    "gateways/mqtt/session",
    "gateways/mqtt/link",
    "gateways/gateway",
    "gateways/reactor",
]

DIRECTIVES = {
    "language_level": 3,
    "boundscheck": False,
    "wraparound": False,
    "cdivision": True,
    "annotation_typing": False,
}


def compilable() -> list[str]:
    """The entries of COMPILED whose source and types are both there."""
    return [name for name in COMPILED if all(Path(f"{name}.{end}").is_file() for end in ("py", "pxd"))]


def extensions() -> list[Extension]:
    """One optional extension for each compilable module; none in a plain build.

    Generated C goes under build/, so that a room holds only what people wrote.
    """
    if os.environ.get("LIFTGATE_PLAIN", "") not in ("", "0"):
        return []
    try:
        from Cython.Build import cythonize
    except ImportError:
        sys.stderr.write("liftgate: Cython is not installed, so this is the plain build\n")
        return []
    modules = [
        Extension(
            f"liftgate.{name.replace('/', '.')}",
            [f"liftgate/{name}.py"],
            extra_compile_args=["-O3", "-g0"],
        )
        for name in compilable()
    ]
    found = cythonize(
        modules, build_dir="build/cython", compiler_directives=DIRECTIVES, quiet=True, force=types_changed()
    )
    for extension in found:
        # Set here because cythonize makes new objects and drops it.
        extension.optional = True
    return found


def types_changed() -> bool:
    """Whether any .pxd is newer than any generated C.

    Cython itself does not see that `from liftgate.codecs cimport codes` depends on codes.pxd, and would leave
    yesterday's constants in today's build.
    """
    types = [path.stat().st_mtime for path in Path("liftgate").glob("*/**/*.pxd")]
    made = [path.stat().st_mtime for path in Path("build/cython").glob("**/*.c")]
    return bool(types and made) and max(types) > min(made)


class BuildOptional(build_ext):
    """Builds all extensions or, when one of them does not compile, none.

    Compiled modules use each other's C types, so one that is compiled cannot run beside one that should be
    and is not. Nor may yesterday's build of a module stand in for today's source.
    """

    def run(self) -> None:
        self.failed: list[str] = []
        super().run()
        keep = set() if self.failed else {ext.name for ext in self.extensions or ()}
        for module in {f"liftgate.{name.replace('/', '.')}" for name in COMPILED} - keep:
            self._remove(module)
        if self.failed:
            self.warn(f"{', '.join(self.failed)} did not compile: this is the plain build")

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception:
            self.failed.append(ext.name)
            raise

    def _remove(self, module: str) -> None:
        """Remove what was built of module, aside and (where it goes there) beside the source."""
        built = Path(self.build_lib, self.get_ext_filename(module))
        built.unlink(missing_ok=True)
        if self.inplace:
            Path(self.get_ext_filename(module)).unlink(missing_ok=True)


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildOptional})
