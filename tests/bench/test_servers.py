from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from liftgate.bench import servers
from liftgate.bench.load import LoadFailed, Shape, run_load
from liftgate.bench.servers import ServerFailed, bench_folder, engine_config, limit_server, redis_server


def test_redis_is_installed() -> None:
    """The comparison needs a real Redis; without it this says what to install (CI installs it)."""
    with bench_folder() as folder, redis_server(folder, 10) as server:
        assert run_load(server, Shape(2, 2), scans=4).count == 16


def test_missing_redis_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Redis the message names the package."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with (
        pytest.raises(ServerFailed, match="redis-server is not installed: apt-get install"),
        redis_server(tmp_path),
    ):
        pass


def test_server_that_does_not_start_is_said() -> None:
    """A server that ends before it is ready is an error with its last words, not a wait without end."""
    with bench_folder() as folder:
        (folder / "limit.log").mkdir()
        with pytest.raises(ServerFailed, match="before it was ready.*Is a directory"), limit_server(folder):
            pass


def test_memory_is_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sync costs nothing there is nothing to compare: a file system in memory is refused."""
    monkeypatch.setattr(servers, "filesystem", lambda folder: "tmpfs")
    with pytest.raises(ServerFailed, match="in memory"), bench_folder():
        pass


def test_filesystem_is_that_of_the_nearest_mount() -> None:
    """The file system of a folder is that of the deepest mount point above it."""
    assert servers.filesystem(Path("/proc/self")) == "proc"


def test_nothing_is_left_behind() -> None:
    """After a run, failed or not, the server has ended and its folder is gone."""
    with pytest.raises(LoadFailed), bench_folder() as folder, limit_server(folder) as server:
        server.process.kill()
        server.process.wait()
        run_load(server, Shape(1, 1), scans=1)
    assert server.process.returncode is not None
    assert not folder.exists()


def test_engine_config_is_in_the_shape_of_the_example() -> None:
    """The configuration has the spots asked for, in blocks that the gate fills in order, and the readers."""
    config = tomllib.loads(engine_config(readers=3, spots=25_000))
    (area,) = config["lot"][0]["area"]
    assert [block["count"] for block in area["spots"]] == [10_000, 10_000, 5_000]
    assert config["lot"][0]["gate"][0]["nearest"] == ["P1-B00", "P1-B01", "P1-B02"]
    assert [reader["id"] for reader in config["reader"]] == ["bench-00000", "bench-00001", "bench-00002"]
    assert config["reader"][2]["lane"] == [
        {"number": 0, "direction": "both", "area": "bench", "gate": "main", "confirm": False, "cards": "open"}
    ]
