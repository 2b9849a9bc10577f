"""The engine as a process: heartbeat, orderly stop, sudden death, TLS."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.independent.engine_process import ENTRY, EXIT, KEY, SPOTS, Engine, lot_toml, write_config
from tests.independent.frames import Type
from tests.independent.reader import CARD, OPEN, Client, Closed, EventLog, now_ms

CAR = b"\x04\xde\x5f\x1e\xac\xc0\x40"


@pytest.fixture
def quick_engine(tmp_path: Path) -> Iterator[Engine]:
    """Run an engine with a heartbeat of one second."""
    with Engine(write_config(tmp_path, lot_toml("south"), engine="heartbeat_s = 1")) as running:
        yield running


def test_heartbeat(quick_engine: Engine) -> None:
    """Who answers PING stays, who is silent is closed after two heartbeats; both were asked."""
    with quick_engine.reader("south-r1") as alive, Client(quick_engine.address, "south-r2", KEY) as silent:
        silent.answers_pings = False
        assert silent.sign_on().heartbeat_s == 1
        started_s = time.monotonic()
        assert silent_for(silent, alive, started_s) > 1.5
        assert silent.pings >= 1
        while time.monotonic() < started_s + 3.5:
            serve_for(alive, 0.1)
        assert alive.pings >= 2
        assert alive.lane_status(ENTRY).type == Type.ACK


def silent_for(silent: Client, alive: Client, started_s: float) -> float:
    """Serve both until the silent one is closed; returns after how many seconds it was."""
    while time.monotonic() < started_s + 6:
        serve_for(alive, 0.1)
        try:
            serve_for(silent, 0.1)
        except Closed:
            return time.monotonic() - started_s
    raise AssertionError("the silent reader was never closed")


def serve_for(client: Client, wait_s: float) -> None:
    """Serve what arrives within wait_s; an ERROR that says why the end comes is no answer to anything."""
    try:
        frame = client.read(wait_s)
    except TimeoutError:
        return
    if frame.type != Type.ERROR:
        client.serve(frame)


def test_sigterm_says_goodbye(own_engine: Engine) -> None:
    """SIGTERM: readers and services get GOODBYE, the process ends with 0."""
    with own_engine.reader("south-r1") as reader, own_engine.service() as service:
        own_engine.terminate()
        for client in (reader, service):
            assert [frame.type for frame in client.wait_closed()][-1:] == [Type.GOODBYE]
    assert own_engine.wait_exit() == 0, own_engine.log_text()


def test_sigterm_keeps_what_was_answered(own_engine: Engine) -> None:
    """After an orderly stop and a start a resend gets the first answer, and the car is still in."""
    log = EventLog()
    with own_engine.reader("south-r1", log) as reader:
        no = log.append(Type.SCAN, now_ms(), ENTRY, CARD, CAR)
        event = log.pending[no]
        first = reader.send_event(no)
    own_engine.terminate()
    assert own_engine.wait_exit() == 0, own_engine.log_text()
    own_engine.start()
    log.pending[no] = event
    with own_engine.reader("south-r1", log) as reader:
        assert reader.send_event(no).raw == first.raw
    assert own_engine.counts("south") == (SPOTS, 1, 0, SPOTS - 1)


def test_answered_events_survive_a_kill(own_engine: Engine) -> None:
    """kill -9: whatever was answered is durable, a resend gets the first answer, the rest is decided once."""
    log = EventLog()
    with own_engine.reader("south-r1", log) as reader:
        no = log.append(Type.SCAN, now_ms(), ENTRY, CARD, CAR)
        event = log.pending[no]
        first = reader.send_event(no)
        acks = [reader.lane_status(ENTRY).body for _ in range(20)]
        unanswered = log.append(Type.SCAN, now_ms(), EXIT, CARD, CAR)
        reader.send(Type.SCAN, *log.pending[unanswered][1])
        own_engine.kill()
    own_engine.start()
    with Client(own_engine.address, "south-r1", KEY, log=log) as reader:
        assert reader.sign_on().done_to in (unanswered - 1, unanswered)
        log.pending[no] = event
        answers = reader.resend()
        assert answers[no].raw == first.raw
        assert answers[unanswered].body[1] == OPEN
        assert reader.lane_status(ENTRY).body[1] > acks[-1][1]
    assert own_engine.counts("south").occupancy == 0


def test_commands_survive_a_kill(own_engine: Engine) -> None:
    """An OUTCOME was sent when durable: the same id after kill -9 gets it again."""
    args = {"area": "south", "to": 2, "actor": "attendant-3", "reason": "counted on foot"}
    with own_engine.service() as service:
        first = service.command("south", "correct_count", args, bytes(range(16)))
    own_engine.kill()
    own_engine.start()
    with own_engine.service() as service:
        assert service.command("south", "correct_count", args, bytes(range(16))).raw == first.raw
    assert own_engine.counts("south").occupancy == 2


@pytest.fixture
def tls_engine(tmp_path: Path) -> Iterator[Engine]:
    """Run an engine with a certificate of its own for 127.0.0.1."""
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec"]
    command += ["-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"), "-days", "2"]
    command += ["-subj", "/CN=engine-a", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, check=True, capture_output=True)
    tls = f'[engine.tls]\ncert = "{tmp_path / "cert.pem"}"\nkey = "{tmp_path / "key.pem"}"'
    with Engine(write_config(tmp_path, lot_toml("south"), engine=tls)) as running:
        yield running


def trusting(engine_folder: Path) -> ssl.SSLContext:
    """Return a context that trusts the engine's certificate only."""
    return ssl.create_default_context(cafile=engine_folder / "cert.pem")


def test_tls(tls_engine: Engine, tmp_path: Path) -> None:
    """Over TLS 1.3 sign-on and scans go as they do in the clear."""
    context = trusting(tmp_path)
    with Client(tls_engine.address, "south-r1", KEY, tls=context) as reader:
        assert isinstance(reader.socket, ssl.SSLSocket)
        assert reader.socket.version() == "TLSv1.3"
        reader.sign_on()
        assert reader.scan(ENTRY, CAR).verdict == OPEN


def test_older_tls_is_refused(tls_engine: Engine, tmp_path: Path) -> None:
    """A client that speaks TLS 1.2 at most gets no handshake."""
    context = trusting(tmp_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        Client(tls_engine.address, "south-r1", KEY, tls=context)


def test_clear_text_to_a_tls_port(tls_engine: Engine) -> None:
    """With TLS configured nobody signs on without it."""
    with Client(tls_engine.address, "south-r1", KEY) as reader:
        reader.send_bytes(b"LG\x01\x2a" + bytes(12))
        assert read_raw_until_closed(reader).find(b"LG") == -1


def read_raw_until_closed(client: Client) -> bytes:
    """Return whatever the engine says until it hangs up, which may be a TLS alert."""
    seen = b""
    try:
        while data := client.socket.recv(4096):
            seen += data
    except ConnectionError:
        return seen
    return seen
