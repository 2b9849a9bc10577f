from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable
from typing import Any, BinaryIO

import msgpack
import pytest

from liftgate.bench.build import program
from liftgate.bench.load import Shape, run_load
from liftgate.bench.servers import bench_folder, limit_server
from tests.bench.wrong import (
    KEY,
    SCAN,
    Handler,
    answering,
    frame,
    open_decision,
    serving,
    signing_on,
    take_frame,
)

WELCOME_REST: list[object] = [0, [], 64, 4096, 15, 1_795_348_800_050]


def run(port: int, *arguments: object, scans: int = 4) -> tuple[int, dict[str, Any], str]:
    """Exit code, result and words on stderr of a short run without sign-on."""
    options = ["--port", port, "--scans", scans, "--patience", 0.3, *arguments]
    command = [str(program("loadgen")), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    return done.returncode, json.loads(done.stdout.splitlines()[-1]), done.stderr


def ring(change: Callable[[bytearray], None]) -> Callable[[int, int], bytes]:
    """An answer that is right but for a change of its bytes, made after the CRC."""

    def answer(ref: int, no: int) -> bytes:
        data = bytearray(open_decision(ref, no))
        change(data)
        return bytes(data)

    return answer


def flip_last(data: bytearray) -> None:
    data[-1] ^= 1


def spoil_magic(data: bytearray) -> None:
    data[0] = 0x4D


WRONG = {
    "refused": (lambda ref, no: open_decision(ref, no, 2, 300), "verdict 2, reason 300"),
    "open but with a reason": (lambda ref, no: open_decision(ref, no, 1, 500), "verdict 1, reason 500"),
    "another's ref": (lambda ref, no: open_decision(ref + 1, no), "answers nothing under way"),
    "another's number": (lambda ref, no: open_decision(ref, no + 1), "answers nothing under way"),
    "answered twice": (lambda ref, no: open_decision(ref, no) * 2, "answers nothing under way"),
    "an ACK": (lambda ref, no: frame(0x14, ref, [no, 7]), "unexpected frame of type 0x14"),
    "an ERROR": (lambda ref, no: frame(0x2F, 0, [12, "stopping", True]), "ERROR 12"),
    "a body cut short": (lambda ref, no: frame(0x11, ref, [no, 1]), "malformed body"),
    "a body that is no array": (lambda ref, no: frame(0x11, ref, no), "malformed body"),
    "a flipped bit": (ring(flip_last), "CRC mismatch"),
    "another magic": (ring(spoil_magic), "not a frame"),
    "a closed connection": (lambda ref, no: b"", "closed by the server"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answer_is_caught(name: str) -> None:
    """An answer that is not what the protocol promises makes the run fail, and the reason is told."""
    answer, reason = WRONG[name]
    with serving(answering(answer)) as port:
        code, result, told = run(port, "--no-sign-on")
    assert code == 1
    assert result["errors"] > 0
    assert reason in told


FORGED = "LG1:" + "0" * 176


def test_every_forged_ticket_is_another_one() -> None:
    """Same ticket, same length, ends that differ; 203 is the right answer to it."""
    tokens: list[bytes] = []

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        while (taken := take_frame(stream)) is not None:
            no, _, _, kind, token = msgpack.unpackb(taken[2])
            assert kind == 1
            tokens.append(token)
            connection.sendall(open_decision(taken[1], no, 2, 203))

    with serving(handle) as port:
        code, result, told = run(port, "--no-sign-on", "--forged", FORGED, "--in-flight", 3)
    assert (code, result["errors"]) == (0, 0), told
    assert len(set(tokens)) == len(tokens) == 12
    assert {len(token) for token in tokens} == {len(FORGED)}
    assert {token[:118] for token in tokens} == {FORGED[:118].encode()}


def test_a_forged_ticket_that_is_let_in_is_caught() -> None:
    """As anything else than 203."""
    with serving(answering(open_decision)) as port:
        code, result, told = run(port, "--no-sign-on", "--forged", FORGED)
    assert code == 1 and result["errors"] == 4 and "verdict 1, reason 0" in told


def test_silence_is_caught() -> None:
    """A server that takes scans and says nothing ends the run once patience is over."""
    with serving(lambda stream, connection: stream.read() and None) as port:
        code, _, told = run(port, "--no-sign-on", "--in-flight", 3)
    assert code == 1
    assert "no answer for 0.3 s, 3 requests under way" in told


def test_every_refusal_is_counted() -> None:
    """Errors are counted to the last even though only the first ten are told."""
    with serving(answering(WRONG["refused"][0])) as port:
        _, result, told = run(port, "--no-sign-on", scans=30)
    assert result["errors"] == 30
    assert len(told.splitlines()) == 10


def test_scans_are_numbered_and_each_card_alternates() -> None:
    """A connection numbers its scans from 1 without a gap, and its cards take turns, each by itself."""
    bodies: list[list[Any]] = []

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        while (taken := take_frame(stream)) is not None:
            kind, ref, body = taken
            assert kind == SCAN
            bodies.append(msgpack.unpackb(body))
            connection.sendall(open_decision(ref, bodies[-1][0]))

    with serving(handle) as port:
        code, result, told = run(port, "--no-sign-on", "--in-flight", 2, scans=150)
    assert (code, result["count"], told) == (0, 300, "")
    assert [body[0] for body in bodies] == list(range(1, 301))
    assert {(body[2], body[3]) for body in bodies} == {(0, 2)}
    assert sorted(body[4] for body in bodies) == [bytes(8)] * 150 + [bytes(7) + b"\x01"] * 150


def test_answers_may_come_in_any_order() -> None:
    """A reply is matched by its ref: an engine that answers the newest scan first is not wrong."""

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        while True:
            taken = [take_frame(stream) for _ in range(3)]
            if None in taken:
                return
            for _, ref, body in reversed([one for one in taken if one is not None]):
                connection.sendall(open_decision(ref, msgpack.unpackb(body)[0]))

    with serving(handle) as port:
        assert run(port, "--no-sign-on", "--in-flight", 3)[0] == 0


def test_answers_may_be_split_anywhere() -> None:
    """An answer that arrives byte by byte counts as one answer."""

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (taken := take_frame(stream)) is not None:
            for byte in open_decision(taken[1], msgpack.unpackb(taken[2])[0]):
                connection.sendall(bytes([byte]))

    with serving(handle) as port:
        code, result, _ = run(port, "--no-sign-on", "--in-flight", 2)
    assert (code, result["answers"]) == (0, 8)


def test_signs_on_and_then_scans() -> None:
    """With a key the client proves itself (checked with hmac), checks the engine, and only then scans."""
    handler = signing_on(KEY, answering(open_decision), WELCOME_REST)
    with serving(handler) as port:
        code, result, told = run(port, "--key", KEY.hex(), "--connections", 3, "--idle", 2)
    assert (code, result["count"], told) == (0, 12, "")


@pytest.mark.parametrize(
    ("key", "rest", "reason"),
    [
        (bytes(32), WELCOME_REST, "wrong MAC"),
        (KEY, [0, [[3, 4]], 64, 4096, 15, 0], "no gaps were left"),
        (KEY, [0, [], 1, 4096, 15, 0], "takes 1 in flight, 2 wanted"),
    ],
)
def test_wrong_welcome_is_caught(key: bytes, rest: list[object], reason: str) -> None:
    """An engine that does not know the key, or promises too little, is not measured."""
    with serving(signing_on(key, answering(open_decision), rest)) as port:
        code, _, told = run(port, "--key", KEY.hex(), "--in-flight", 2)
    assert code == 1
    assert reason in told


def redis_answering(*replies: bytes) -> Handler:
    """A handler that reads EVALSHA commands and gives the replies in turn, again and again."""

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        number = 0
        while stream.readline() == b"*10\r\n":
            for _ in range(10):
                stream.read(int(stream.readline()[1:]) + 2)
            connection.sendall(replies[number % len(replies)])
            number += 1

    return handle


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        ((b"-ERR full of errors\r\n",), "-ERR full of errors"),
        ((b":0\r\n",), ":0"),
        ((b":7\r\n", b":8\r\n"), ":8"),
        ((b":7\r\n:7\r\n",), "nothing is under way"),
        ((b"+OK\r\n",), "+OK"),
    ],
)
def test_wrong_redis_answer_is_caught(replies: tuple[bytes, ...], reason: str) -> None:
    """From Redis an error, a full lot, or another spot at the exit than at the entry makes the run fail."""
    with serving(redis_answering(*replies)) as port:
        code, result, told = run(port, "--protocol", "redis", "--sha", "0" * 40)
    assert code == 1
    assert result["errors"] > 0
    assert reason in told


def test_redis_answers_with_the_same_spot_are_right() -> None:
    """The spot of an entry, given again at the exit, is an answer without error."""
    with serving(redis_answering(b":7\r\n")) as port:
        code, result, told = run(port, "--protocol", "redis", "--sha", "0" * 40)
    assert (code, result["count"], told) == (0, 4, "")


def test_open_loop_charges_a_stall_to_every_scan_behind_it() -> None:
    """One stall of 200 ms delays all the scans that were due meanwhile, not just the one that met it."""
    stalled = threading.Event()

    def answer(ref: int, no: int) -> bytes:
        if no == 20:
            stalled.wait(0.2)
        return open_decision(ref, no)

    with serving(answering(answer)) as port:
        code, result, _ = run(
            port, "--no-sign-on", "--in-flight", 4, "--rate", 200, "--seconds", 0.5, scans=0
        )
    assert (code, result["count"]) == (0, 100)
    assert result["max_ms"] >= 190
    assert result["p999_ms"] >= 190
    assert result["rate"] == 200


def test_a_timed_run_leaves_no_car_inside() -> None:
    """When the time is up each card that is inside leaves, so the next run finds the lot as it was."""
    inside: set[bytes] = set()

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        while (taken := take_frame(stream)) is not None:
            no, *_, token = msgpack.unpackb(taken[2])
            inside.symmetric_difference_update({token})
            connection.sendall(open_decision(taken[1], no))

    with serving(handle) as port:
        code, result, _ = run(port, "--no-sign-on", "--in-flight", 5, "--seconds", 0.05, scans=0)
    assert code == 0
    assert result["answers"] >= result["count"] > 0
    assert inside == set()


@pytest.mark.parametrize("arguments", [[], ["--port", "1"], ["--port", "1", "--key", "00"], ["--what"]])
def test_wrong_arguments_are_refused(arguments: list[str]) -> None:
    """Arguments that make no run give the usage and exit code 2."""
    done = subprocess.run([str(program("loadgen")), *arguments], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage: loadgen" in done.stderr


@pytest.mark.long
def test_runs_clean_under_the_sanitizers() -> None:
    """Neither the load generator nor the limit does anything that C leaves undefined."""
    flags = ("-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    with bench_folder() as folder, limit_server(folder, *flags) as server:
        command = [str(program("loadgen", *flags)), "--port", str(server.port), "--no-sign-on"]
        for options in (["--scans", "50"], ["--rate", "2000", "--seconds", "0.5", "--idle", "20"]):
            done = subprocess.run(
                [*command, "--connections", "20", "--in-flight", "32", *options],
                capture_output=True,
                text=True,
            )
            assert (done.returncode, done.stderr) == (0, "")


def test_limit_answers_every_scan() -> None:
    """The limit server gives each scan of many connections one right answer, in closed and open loop."""
    with bench_folder() as folder, limit_server(folder) as server:
        assert run_load(server, Shape(30, 64), scans=10).count == 30 * 64 * 10
        assert run_load(server, Shape(30, 2), rate=500, seconds=0.2).count == 100
