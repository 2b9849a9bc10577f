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
    "codecs/connection",
    "engine/core/spots",
    "engine/core/model",
    "engine/core/events",
    "engine/core/decide",
    "engine/core/apply",
    "engine/engine",
    "gateways/link",
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
            extra_compile_args=["-O3"],
        )
        for name in compilable()
    ]
    found = cythonize(modules, build_dir="build/cython", compiler_directives=DIRECTIVES, quiet=True)
    for extension in found:
        # Set here because cythonize makes new objects and drops it.
        extension.optional = True
    return found


class BuildOptional(build_ext):
    """Builds the extensions and never leaves an older one standing in for newer source."""

    def run(self) -> None:
        if self.inplace:
            self._remove_inplace(keep={ext.name for ext in self.extensions or ()})
        super().run()

    def build_extension(self, ext: Extension) -> None:
        try:
            super().build_extension(ext)
        except Exception:
            # Being optional, the failure is only reported: yesterday's build would be copied in its place.
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)
            self._remove_inplace(only=ext.name)
            raise

    def _remove_inplace(self, keep: set[str] = frozenset(), only: str = "") -> None:
        for name in COMPILED:
            module = f"liftgate.{name.replace('/', '.')}"
            if module in keep or only not in ("", module):
                continue
            for built in Path(name).parent.glob(f"{Path(name).name}.*.so"):
                built.unlink()


setup(ext_modules=extensions(), cmdclass={"build_ext": BuildOptional})
