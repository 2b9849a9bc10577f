"""What is said about the build and the interpreter, and that a missing compiler costs speed only."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from liftgate import build_info

ROOT = Path(__file__).resolve().parents[1]
DEBIAN_ARGS = "'--enable-shared' '--with-wheel-pkg-dir=/usr/share/python-wheels/'"


def pretend(monkeypatch: pytest.MonkeyPatch, program: str, **variables: str) -> None:
    """Let the interpreter have been configured with these variables, and be this program on x86_64."""
    monkeypatch.setattr(sysconfig, "get_config_var", variables.get)
    monkeypatch.setattr(sys, "_base_executable", program)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")


@pytest.mark.parametrize(
    ("program", "variables", "expected"),
    [
        ("/opt/bin/python3", {"CONFIG_ARGS": "'--enable-optimizations'"}, True),
        ("/opt/bin/python3", {"CONFIG_ARGS": "'--with-lto=thin'"}, True),
        ("/opt/bin/python3", {"CONFIG_ARGS": "'CC=gcc'", "PY_CORE_CFLAGS": "-O3 -fprofile-use"}, True),
        ("/opt/bin/python3", {"CONFIG_ARGS": "'--prefix=/opt'", "PY_CFLAGS": "-O3"}, False),
        ("/usr/bin/python3", {"CONFIG_ARGS": "'--prefix=/usr'"}, False),
        ("/usr/bin/python3", {"CONFIG_ARGS": DEBIAN_ARGS}, True),
        ("/opt/bin/python3", {"CONFIG_ARGS": DEBIAN_ARGS}, False),
        ("/opt/bin/python3", {}, None),
    ],
)
def test_what_is_known_of_the_interpreter(
    monkeypatch: pytest.MonkeyPatch, program: str, variables: dict[str, str], expected: bool | None
) -> None:
    """An optimised build is one whose record says so, or Debian's own program."""
    pretend(monkeypatch, program, **variables)
    assert build_info.interpreter_optimised() is expected


def test_debian_on_other_machines_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Debian's changelog does not promise an optimised build, nothing is claimed."""
    pretend(monkeypatch, "/usr/bin/python3", CONFIG_ARGS=DEBIAN_ARGS)
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert build_info.interpreter_optimised() is None


@pytest.mark.long
def test_without_a_working_compiler_the_plain_build_runs(tmp_path: Path) -> None:
    """A compiler that always fails leaves no extension behind, and the same sources run."""
    tree = tmp_path / "tree"
    shutil.copytree(
        ROOT,
        tree,
        symlinks=True,
        ignore=shutil.ignore_patterns(
            ".git", ".venv*", "build", "var", "*.so", "tests", "__pycache__", "*.egg-info"
        ),
    )
    build = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(
        build, cwd=tree, env=os.environ | {"CC": "/bin/false"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "this is the plain build" in done.stderr + done.stdout
    assert list(tree.rglob("*.so")) == []
    ask = "import sys; sys.path.insert(0, '.'); import liftgate.codecs.connection as c; print(c.__file__)"
    ran = subprocess.run(
        [sys.executable, "-c", ask], cwd=tree, capture_output=True, text=True, check=True
    ).stdout
    assert Path(ran.strip()).suffix == ".py"
