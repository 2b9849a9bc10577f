"""Crowds that mean no good, or know no better, against a real engine: memory is bounded, others unharmed."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.connection import NEED_MORE, Role, WireConnection
from liftgate.codecs.signon import client_mac
from tests.faults.engines import LOT, make_engine
from tests.independent.engine_process import ENTRY, KEY, Engine
from tests.independent.frames import Type, encode
from tests.independent.reader import Client, Closed, EngineError

READERS = 10
WAIT_S = 30
READER_BYTES_MAX = 16 * 1024
"""Memory of one idle signed-on reader."""


def resident_bytes(engine: Engine) -> int:
    """The process's memory, from /proc."""
    assert engine.process is not None
    status = Path(f"/proc/{engine.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with make_engine(tmp_path, READERS, 1000, readers_max=6000) as running:
        yield running


def connect(engine: Engine, receive_bytes: int = 0) -> socket.socket:
    sock = socket.socket()
    if receive_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    sock.settimeout(WAIT_S)
    sock.connect(engine.address)
    return sock


def silent(engine: Engine, stack: ExitStack, count: int, say: bytes = b"") -> list[socket.socket]:
    """So many connections that say no more than `say`."""
    crowd = [stack.enter_context(connect(engine)) for _ in range(count)]
    for sock in crowd:
        sock.sendall(say) if say else None
    return crowd


def honest_work(engine: Engine, reader: Client) -> None:
    """A reader that is signed on is answered, and another can sign on."""
    assert reader.lane_status(ENTRY).type == Type.ACK
    with engine.reader(f"{LOT}-r1") as newcomer:
        assert newcomer.lane_status(ENTRY).type == Type.ACK


def status(engine: Engine) -> dict[str, object]:
    with engine.service() as service:
        return service.query("", "status").body  # type: ignore[no-any-return]


def wait_connections(engine: Engine, count: int) -> None:
    """Return when no more than `count` are connected, the asking service apart."""
    deadline = time.monotonic() + WAIT_S
    while int(str(status(engine)["connections"])) > count + 1:
        assert time.monotonic() < deadline, "connections are never let go"
        time.sleep(0.1)


HELLO = encode(Type.HELLO, 1, 1, f"{LOT}-r2", 7, [1], bytes(16), "half", 4096)


@pytest.mark.long
@pytest.mark.parametrize("say", [b"", HELLO], ids=["silent", "half signed on"])
def test_five_thousand_strangers(engine: Engine, say: bytes) -> None:
    """5,000 connections that say nothing, or only HELLO: the engine grows by little, an honest reader is
    unharmed, new ones sign on, and after sign-on's 5 s the strangers are gone."""
    before = resident_bytes(engine)
    with engine.reader(f"{LOT}-r0") as reader, ExitStack() as stack:
        silent(engine, stack, 5000, say)
        honest_work(engine, reader)
        assert resident_bytes(engine) - before < 5000 * READER_BYTES_MAX
        wait_connections(engine, 1)
        honest_work(engine, reader)


def test_more_strangers_than_room(tmp_path: Path) -> None:
    """More silent connections than readers_max: the oldest of them make room, for readers too."""
    with make_engine(tmp_path, READERS, 1000, readers_max=300) as engine:
        with engine.reader(f"{LOT}-r0") as reader, ExitStack() as stack:
            silent(engine, stack, 1000)
            honest_work(engine, reader)
            assert int(str(status(engine)["connections"])) <= 300


def test_no_room_for_one_more(tmp_path: Path) -> None:
    """With readers_max signed on the next one is told ERROR 12, and comes in when one leaves."""
    with make_engine(tmp_path, READERS, 1000, readers_max=2) as engine:
        with engine.reader(f"{LOT}-r0") as first, engine.reader(f"{LOT}-r1"):
            sock = connect(engine)
            refused = sock.recv(4096)
            sock.close()
            assert refused[3] == Type.ERROR and refused[16:18] == b"\x93\x0c"
            first.close()
            deadline = time.monotonic() + WAIT_S
            while True:
                try:
                    with engine.reader(f"{LOT}-r2") as third:
                        assert third.lane_status(ENTRY).type == Type.ACK
                    return
                except (Closed, EngineError, ConnectionError):
                    assert time.monotonic() < deadline


def test_wrong_keys(engine: Engine) -> None:
    """A flood of wrong keys is refused one by one; the reader whose name it uses stays signed on."""
    with engine.reader(f"{LOT}-r0") as reader:
        before = resident_bytes(engine)
        for _ in range(500):
            with Client(engine.address, f"{LOT}-r0", bytes(32)) as liar:
                with pytest.raises(EngineError, match="8"):
                    liar.sign_on()
        honest_work(engine, reader)
        assert resident_bytes(engine) - before < 8 << 20
        assert status(engine)["connections"] == 2


@pytest.mark.long
def test_readers_that_never_read(engine: Engine) -> None:
    """Readers that ask and ask and never read are ended; what they cost is bounded, others go on."""
    before = resident_bytes(engine)
    with engine.reader(f"{LOT}-r0") as reader, ExitStack() as stack:
        deaf = [stack.enter_context(engine.reader(f"{LOT}-r{n}")) for n in range(2, READERS)]
        for client in deaf:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.socket.settimeout(0)
        asking = encode(Type.TIME_ASK, 1, 2**40) * 2000
        deadline = time.monotonic() + WAIT_S
        while deaf:
            assert time.monotonic() < deadline, "never ended"
            deaf = [client for client in deaf if shout(client, asking)]
            assert reader.lane_status(ENTRY).type == Type.ACK
        assert resident_bytes(engine) - before < 32 << 20
        wait_connections(engine, 1)


def shout(client: Client, data: bytes) -> bool:
    """Send what the socket takes; False once the engine has ended the connection."""
    try:
        client.socket.send(data)
    except BlockingIOError:
        return True
    except ConnectionError:
        return False
    return True


IDLE_LOT = """[engine]
name = "idle"
listen = "127.0.0.1:0"
journal = "journal"
heartbeat_s = 600
[[lot]]
id = "north"
name = "north"
timezone = "UTC"
currency = "EUR"
assign = "spot"
[[lot.area]]
id = "north"
[[lot.area.spots]]
level = "P1"
prefix = "A"
class = "standard"
count = 100
"""


def idle_config(folder: Path, readers: int) -> Path:
    reader = '[[reader]]\nid = "r{0}"\nkey = "{1}"\nlot = "north"\n[[reader.lane]]\n'
    reader += 'number = 0\ndirection = "entry"\narea = "north"\n'
    path = folder / "engine.toml"
    path.write_text(IDLE_LOT + "".join(reader.format(n, KEY.hex()) for n in range(readers)))
    return path


def sign_on(sock: socket.socket, id: str) -> WireConnection:
    """HELLO to WELCOME on a blocking socket."""
    conn = WireConnection(Role.CLIENT)
    sock.sendall(conn.encode(m.Hello(1, id, 7, (1,), bytes(16), "idle", 4096), 1))
    assert isinstance(wait_message(sock, conn), m.Challenge)
    sock.sendall(conn.encode(m.Auth(client_mac(KEY, conn.hello, conn.challenge)), 2))
    assert isinstance(wait_message(sock, conn), m.Welcome)
    return conn


def wait_message(sock: socket.socket, conn: WireConnection) -> object:
    while (message := conn.next_event()) is NEED_MORE:
        conn.feed(sock.recv(4096))
    return message


def test_idle_readers_are_small(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """2,000 idle signed-on readers cost under 16 KiB each, with all that the engine keeps of them (measured
    against an engine that knows a single one); and a scan among them is answered."""
    readers = 2000
    folder = tmp_path / "alone"
    folder.mkdir()
    with Engine(idle_config(folder, 1)) as engine:
        before = resident_bytes(engine)
    with Engine(idle_config(tmp_path, readers)) as engine, ExitStack() as stack:
        for n in range(readers):
            sock = stack.enter_context(connect(engine))
            conn = sign_on(sock, f"r{n}")
        sock.sendall(conn.encode(m.Scan(1, 1, 0, 2, b"car"), 3))
        assert isinstance(wait_message(sock, conn), m.Decision)
        each = (resident_bytes(engine) - before) / readers
    with capsys.disabled():
        print(f"\nidle signed-on reader: {each / 1024:.1f} KiB")
    assert each < READER_BYTES_MAX
