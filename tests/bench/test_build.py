from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.bench import build


def test_compiles_once_and_again_only_for_other_flags() -> None:
    """The same sources and flags give the same program, untouched; other flags give another."""
    first = build.program("limit")
    written_ns = first.stat().st_mtime_ns
    assert build.program("limit") == first
    assert first.stat().st_mtime_ns == written_ns
    assert build.program("limit", "-DOTHER") != first


def test_missing_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a C compiler the message names what to install."""
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(build.BuildFailed, match="no-such-compiler.*gcc and libssl-dev"):
        build.program("loadgen")


def test_refused_source_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the compiler says about a source is in the message, and nothing is left behind as a program."""
    (tmp_path / "wire.c").touch()
    (tmp_path / "limit.c").write_text("int main(void) { return nothing; }\n")
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(build.BuildFailed, match="nothing"):
        build.program("limit")
    assert list((tmp_path / "cache" / "liftgate" / "bench").iterdir()) == []
