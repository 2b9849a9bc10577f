"""The jars of a server: fetched once by Maven into a cache for all trees of a user, every one verified."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.services.errors import JarsDiffer, NotInstalled, ServiceError

RECIPES = Path(__file__).resolve().parent / "recipes"
FETCH_S_MAX = 1800
"""Some 110 MB for both; half an hour is a line on which nobody would develop."""
KEY_DIGITS = 16
"""Digits of the pom's hash that name a folder of the cache: enough that two poms never meet."""
TOLD_MAX = 3000
"""Characters of Maven's last words that are shown when it fails."""


def cache_folder() -> Path:
    """Where jars are kept: LIFTGATE_SERVICES_CACHE, else liftgate/services in the user's cache folder."""
    if chosen := os.environ.get("LIFTGATE_SERVICES_CACHE"):
        return Path(chosen).resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).resolve() / "liftgate" / "services"


def jars_folder(name: str) -> Path:
    """Folder of a server's jars, whether they are there or not; another pom is another folder."""
    pom = (RECIPES / name / "pom.xml").read_bytes()
    return cache_folder() / f"{name}-{hashlib.sha256(pom).hexdigest()[:KEY_DIGITS]}"


def are_cached(name: str) -> bool:
    """Whether the cache has every jar of the server, by name; `fetch` looks at their contents."""
    return {jar.name for jar in jars_folder(name).glob("*.jar")} == set(recorded(name))


def fetch(name: str) -> Path:
    """The folder with the server's jars, each verified; Maven runs only if something is wrong with them.

    They appear in the cache all at once, after they were verified: a fetch that was interrupted leaves
    nothing to be taken for jars. Raises NotInstalled, JarsDiffer, ServiceError.
    """
    folder = jars_folder(name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _turn(folder.parent):
        if differences(folder, recorded(name)):
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{name}-fetch-") as work:
                fresh = Path(work) / "lib"
                download(name, fresh)
                if wrong := differences(fresh, recorded(name)):
                    raise JarsDiffer(f"{name}: what Maven fetched is not what is pinned: {', '.join(wrong)}")
                shutil.rmtree(folder, ignore_errors=True)
                fresh.replace(folder)
    return folder


def download(name: str, folder: Path) -> None:
    """Have Maven copy what the pom names, and what that brings along, into the folder."""
    maven = shutil.which("mvn")
    if maven is None:
        raise NotInstalled(["maven"])
    command = [maven, "-B", "-q", "-f", str(RECIPES / name / "pom.xml"), "-Dstyle.color=never"]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=FETCH_S_MAX,
        )
    except subprocess.TimeoutExpired as error:
        raise ServiceError(f"{name}: Maven was not done after {FETCH_S_MAX} s") from error
    if done.returncode:
        raise ServiceError(f"{name}: Maven could not fetch the jars:\n{done.stdout[-TOLD_MAX:]}")


def recorded(name: str) -> dict[str, str]:
    """SHA-256 by name of jar, as `lib.sha256` beside the pom pins them (the form of sha256sum)."""
    lines = (RECIPES / name / "lib.sha256").read_text(encoding="utf-8").splitlines()
    return {jar: digest for digest, jar in (line.split() for line in lines)}


def record(name: str) -> int:
    """Fetch anew and write lib.sha256 from what came, after a change of the pom. How many jars these are."""
    with tempfile.TemporaryDirectory() as fresh:
        download(name, Path(fresh))
        found = digests(Path(fresh))
    text = "".join(f"{digest}  {jar}\n" for jar, digest in sorted(found.items()))
    (RECIPES / name / "lib.sha256").write_text(text, encoding="utf-8")
    return len(found)


def differences(folder: Path, expected: dict[str, str]) -> list[str]:
    """What is wrong with the folder's jars, in words; empty if they are exactly these."""
    found = digests(folder)
    wrong = [f"{jar} is missing" for jar in expected.keys() - found.keys()]
    wrong += [f"{jar} is unknown" for jar in found.keys() - expected.keys()]
    wrong += [f"{jar} differs" for jar in expected.keys() & found.keys() if expected[jar] != found[jar]]
    return sorted(wrong)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 by name of every jar in the folder."""
    found = {}
    for jar in folder.glob("*.jar"):
        with jar.open("rb") as stream:
            found[jar.name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


@contextmanager
def _turn(folder: Path) -> Iterator[None]:
    """One fetch at a time: two Mavens at once can spoil each other's local repository."""
    with (folder / "fetch.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
