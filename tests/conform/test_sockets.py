"""The kit's port on real sockets, and its command line against them."""

import socket
import sys
import threading

import pytest

from liftgate.cli import main
from liftgate.conform.port import Ended
from liftgate.conform.sockets import SocketDoor, SocketLine

LOCAL = "127.0.0.1"
WAIT_S = 10.0
KEY = bytes(range(32)).hex()
WHO = ("--reader", "r0", "--key", KEY)


def test_a_connection_both_ways() -> None:
    """What is sent comes; nothing within the time is b""; the end is told."""
    door = SocketDoor(LOCAL, 0)
    ours = SocketLine(*door.address).dial()
    theirs = door.accept(WAIT_S)
    assert theirs is not None
    assert theirs.receive(0.0) == b""
    ours.send(b"there")
    assert theirs.receive(WAIT_S) == b"there"
    theirs.close()
    with pytest.raises(Ended):
        ours.receive(WAIT_S)
    ours.close()
    door.shut()


def test_a_shut_door_refuses_and_opens_at_the_same_port() -> None:
    """Who waited is cut off, who comes is refused, and later all is as before."""
    door = SocketDoor(LOCAL, 0)
    address = door.address
    waiting = SocketLine(*address).dial()
    door.shut()
    with pytest.raises(Ended):
        waiting.receive(WAIT_S)
    with pytest.raises(Ended, match="refused"):
        SocketLine(*address).dial()
    door.open()
    assert door.address == address and door.accept(0.0) is None
    again = SocketLine(*address).dial()
    came = door.accept(WAIT_S)
    assert came is not None
    for link in (again, came, waiting):
        link.close()
    door.shut()


def test_no_engine(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing listens that is said, and is a failure."""
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        address = f"{LOCAL}:{taken.getsockname()[1]}"
        assert main(["conform", "--connect", address, *WHO]) == 1
    assert "no engine listens" in capsys.readouterr().err


def test_what_is_no_engine_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """Something that speaks otherwise fails by the frame it sent, whatever was asked for, but for --skip."""
    with socket.create_server((LOCAL, 0)) as server:
        threading.Thread(target=_greet_everybody, args=(server,), daemon=True).start()
        address = f"{LOCAL}:{server.getsockname()[1]}"
        code = main(["conform", "--connect", address, *WHO, "--only", "E-SIGN-1", "--json"])
        told = capsys.readouterr().out
        main(["conform", "--connect", address, *WHO, "--only", "E-SIGN-1", "--skip", "E-FRAME-1", "--json"])
    assert code == 1
    assert '"fail": 1' in told and '"not_seen": 1' in told and "magic 4854" in told
    assert '"fail": 0' in capsys.readouterr().out


def _greet_everybody(server: socket.socket) -> None:
    """Say HTTP to whoever comes, until the server is closed."""
    while True:
        try:
            came, _ = server.accept()
        except OSError:
            return  # closed: the test is over
        with came:
            try:
                came.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                came.recv(4096)
            except ConnectionError:
                continue  # gone already


def test_nobody_comes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a reader nothing is seen, which is a failure: nobody may take it for a pass."""
    code = main(["conform", "--listen", f"{LOCAL}:0", *WHO, "--patience", "0.1", "--json"])
    assert code == 1
    assert '"pass": 0' in capsys.readouterr().out


def test_a_reader_that_does_not_start(capsys: pytest.CaptureFixture[str]) -> None:
    """A program that ends at once is not awaited: what it ended with is told."""
    stimulus = f"{sys.executable} -c 'raise SystemExit(7)'"
    words = ["--listen", f"{LOCAL}:0", *WHO, "--only", "R-SIGN-1", "--stimulus-stdin", stimulus, "--json"]
    assert main(["conform", *words]) == 1
    assert "has ended with 7" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--connect", "127.0.0.1:1", "--key", KEY], "--reader says"),
        (["--connect", "127.0.0.1:1", "--reader", "r0"], "--key or --key-file"),
        (["--connect", "127.0.0.1:1", "--reader", "r0", "--key-file", "/nowhere"], "/nowhere"),
        (["--list", "--only", "E-NOTHING"], "E-NOTHING"),
        (
            ["--listen", "127.0.0.1:0", *WHO, "--stimulus-stdin", "/nowhere"],
            "/nowhere",
        ),
        (["--listen", "127.0.0.1:0", *WHO, "--stimulus-stdin", "a {b}"], "'b'"),
    ],
)
def test_wrong_usage(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told what is wrong; exit 2."""
    assert main(["conform", *words]) == 2
    assert told in capsys.readouterr().err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    """--list shows what --only would judge, with its section."""
    assert main(["conform", "--list", "--only", "R-BEAT", "--skip", "R-BEAT-3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["R-BEAT-1", "R-BEAT-2"]
    assert "Either way" in lines[0]
