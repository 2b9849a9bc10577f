"""What this build of Liftgate and its interpreter are: compiled or plain, optimised or not.

Standard library only: the Makefile runs this file with each interpreter it finds, before there is a venv.
"""

from __future__ import annotations

import importlib.util
import platform
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

_PYTHON_MIN = (3, 11)
_OPTIMISED_ARGS = ("--enable-optimizations", "--with-lto")
_OPTIMISED_FLAGS = ("-fprofile-use", "-fprofile-instr-use", "-flto")
_FLAG_VARIABLES = ("PY_CFLAGS", "PY_CFLAGS_NODIST", "PY_CORE_CFLAGS", "PY_LDFLAGS_NODIST", "PY_CORE_LDFLAGS")
# Debian's changelog has had profile-guided and link-time optimisation on these since Python 3.7.
_DEBIAN_OPTIMISED = ("x86_64", "aarch64")


def compiled() -> bool:
    """Whether the hot path runs as extension modules, judged by `liftgate.codecs.pack`."""
    spec = importlib.util.find_spec("liftgate.codecs.pack")
    return spec is not None and str(spec.origin).endswith(tuple(EXTENSION_SUFFIXES))


def interpreter_optimised() -> bool | None:
    """Whether CPython itself was built with profile-guided or link-time optimisation; None: unknown.

    Read from what the interpreter's own build recorded. Debian (and what derives from it) builds twice, a
    shared library without and /usr/bin/python3 with both optimisations, and ships only the record of the
    first; its program is recognised by place and by a configure argument that is Debian's own.
    """
    args = sysconfig.get_config_var("CONFIG_ARGS")
    if not args:
        return None
    flags = " ".join(str(sysconfig.get_config_var(name) or "") for name in _FLAG_VARIABLES)
    if any(word in args for word in _OPTIMISED_ARGS) or any(word in flags for word in _OPTIMISED_FLAGS):
        return True
    if is_debian_program():
        return True if platform.machine() in _DEBIAN_OPTIMISED else None
    return False


def is_debian_program() -> bool:
    """Whether this runs on the /usr/bin/python3 of Debian or a relative, be it from inside a venv."""
    args = str(sysconfig.get_config_var("CONFIG_ARGS"))
    program = Path(getattr(sys, "_base_executable", "") or sys.executable).resolve()
    return "--with-wheel-pkg-dir=/usr/share/python-wheels" in args and program.parent == Path("/usr/bin")


def describe() -> str:
    """One line for people: interpreter, whether it is optimised, and which build of Liftgate it would run."""
    optimised = {True: "optimised", False: "not optimised", None: "optimised or not is unknown"}
    build = "compiled" if compiled() else "plain"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{python} ({optimised[interpreter_optimised()]}), {build} build"


def suitability() -> int:
    """How well this interpreter serves for the venv: 0 not at all, more is better.

    Being able to compile weighs most (6 times on the hot path), then an optimised build (1.3 times).
    """
    can_venv = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
    if sys.version_info < _PYTHON_MIN or not can_venv:
        return 0
    has_headers = Path(sysconfig.get_path("include"), "Python.h").is_file()
    return 1 + 4 * has_headers + 2 * (interpreter_optimised() is True) + (interpreter_optimised() is None)


if __name__ == "__main__":
    print(suitability() if sys.argv[1:] == ["--suitability"] else describe())
