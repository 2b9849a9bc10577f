"""Jars come from where they are pinned, once, and a wrong one is never run."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from deploy.services import NotInstalled, ServiceError, jars
from deploy.services.errors import JarsDiffer

GOOD = b"the jar that is pinned"

MAVEN = """\
#!/bin/sh
# Stands in for Maven: puts one jar where it is told to, and counts its calls.
echo "$@" >> "$(dirname "$0")/calls"
for argument; do
    case "$argument" in -DoutputDirectory=*) folder="${argument#*=}" ;; esac
done
mkdir -p "$folder" && printf '%s' "$MAVEN_JAR" > "$folder/a-1.jar"
exit "${MAVEN_EXIT:-0}"
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe "toy" with one pinned jar, an empty cache, and a Maven that needs no network; its calls."""
    recipe, programs = tmp_path / "recipes" / "toy", tmp_path / "bin"
    recipe.mkdir(parents=True)
    (recipe / "pom.xml").write_text("<project/>")
    (recipe / "lib.sha256").write_text(f"{hashlib.sha256(GOOD).hexdigest()}  a-1.jar\n")
    programs.mkdir()
    (programs / "mvn").write_text(MAVEN)
    (programs / "mvn").chmod(0o755)
    monkeypatch.setattr(jars, "RECIPES", tmp_path / "recipes")
    monkeypatch.setenv("LIFTGATE_SERVICES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("MAVEN_JAR", GOOD.decode())
    return programs / "calls"


def times(calls: Path) -> int:
    return len(calls.read_text().splitlines()) if calls.exists() else 0


def test_jars_are_fetched_once(calls: Path) -> None:
    """The second time they come from the cache, and Maven is not started."""
    assert not jars.are_cached("toy")
    folder = jars.fetch("toy")
    assert (folder / "a-1.jar").read_bytes() == GOOD
    assert jars.are_cached("toy")
    assert jars.fetch("toy") == folder
    assert times(calls) == 1
    assert [entry.name for entry in folder.parent.iterdir() if entry.name.startswith("toy")] == [folder.name]


def test_another_pom_is_another_folder(calls: Path, tmp_path: Path) -> None:
    """Two trees with different versions share a cache without sharing jars."""
    before = jars.fetch("toy")
    (tmp_path / "recipes" / "toy" / "pom.xml").write_text("<project>2</project>")
    assert jars.fetch("toy") != before
    assert times(calls) == 2


@pytest.mark.parametrize("spoil", ["changed", "removed", "added"])
def test_a_spoilt_cache_is_fetched_anew(calls: Path, spoil: str) -> None:
    """A jar that changed, went or came in the cache is found before a server runs on it."""
    folder = jars.fetch("toy")
    jar = folder / "a-1.jar"
    if spoil == "changed":
        jar.write_bytes(b"something else")
    elif spoil == "removed":
        jar.unlink()
    else:
        shutil.copy(jar, folder / "b-1.jar")
    jars.fetch("toy")
    assert {entry.name: entry.read_bytes() for entry in folder.iterdir()} == {"a-1.jar": GOOD}
    assert times(calls) == 2


def test_a_jar_that_is_not_the_pinned_one_is_refused(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What Maven brought is compared before anything sees it; the cache stays empty."""
    monkeypatch.setenv("MAVEN_JAR", "from somewhere else")
    with pytest.raises(JarsDiffer, match=r"a-1\.jar differs"):
        jars.fetch("toy")
    assert not jars.jars_folder("toy").exists()


def test_a_failing_maven_is_an_error_of_ours(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exit code is looked at even if a jar came, and nothing of it is kept."""
    monkeypatch.setenv("MAVEN_EXIT", "1")
    with pytest.raises(ServiceError, match="Maven could not fetch"):
        jars.fetch("toy")
    assert not jars.are_cached("toy")


def test_without_maven_its_package_is_named(calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(NotInstalled) as found:
        jars.fetch("toy")
    assert found.value.packages == ["maven"]


def test_recording_pins_what_came(calls: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a change of the pom, what Maven brings becomes what is pinned, and a fetch then accepts it."""
    monkeypatch.setenv("MAVEN_JAR", "the next version")
    assert jars.record("toy") == 1
    assert (jars.fetch("toy") / "a-1.jar").read_text() == "the next version"


@pytest.mark.parametrize("name", ["cassandra", "kafka"])
def test_every_pinned_jar_has_a_digest(name: str) -> None:
    """lib.sha256 has the form that `sha256sum --check` reads, sorted, so a new version is a small diff."""
    lines = (jars.RECIPES / name / "lib.sha256").read_text().splitlines()
    assert len(jars.recorded(name)) == len(lines) > 40
    assert [line.split()[1] for line in lines] == sorted(jars.recorded(name))
    assert all(len(digest) == 64 for digest in jars.recorded(name).values())
