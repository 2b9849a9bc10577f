"""Servers that answer as a test tells them to, written from docs/protocol.md alone: no codec of ours."""

from __future__ import annotations

import hashlib
import hmac
import socket
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO

import msgpack

HELLO, CHALLENGE, AUTH, WELCOME, SCAN, DECISION = 1, 2, 3, 4, 0x10, 0x11
KEY = bytes(range(32))
Handler = Callable[[BinaryIO, socket.socket], None]


def frame(kind: int, ref: int, fields: list[object]) -> bytes:
    """One frame of the wire protocol."""
    body = msgpack.packb(fields)
    header = struct.pack("<2sBBII", b"LG", 1, kind, len(body), ref)
    return header + struct.pack("<I", zlib.crc32(header + body)) + body


def take_frame(stream: BinaryIO) -> tuple[int, int, bytes] | None:
    """Type, ref and body of the next frame, its CRC checked; None at the end of the stream."""
    header = stream.read(16)
    if len(header) < 16:
        return None
    _, _, kind, size, ref, crc = struct.unpack("<2sBBIII", header)
    body = stream.read(size)
    assert zlib.crc32(header[:12] + body) == crc
    return kind, ref, body


def open_decision(ref: int, no: int, verdict: int = 1, reason: int = 0) -> bytes:
    """A DECISION as the engine would send it."""
    return frame(DECISION, ref, [no, verdict, reason, bytes(16), "P1-A-001", "Welcome", None, 1, no])


@contextmanager
def serving(handler: Handler) -> Iterator[int]:
    """Serve each connection on a thread of its own by `handler`; yields the port."""
    threads: list[threading.Thread] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        acceptor = threading.Thread(target=_accept, args=(listener, handler, threads))
        acceptor.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for thread in [acceptor, *threads]:
                thread.join(10)


def _accept(listener: socket.socket, handler: Handler, threads: list[threading.Thread]) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:  # shut down: the test is over
            return
        threads.append(threading.Thread(target=_serve, args=(connection, handler)))
        threads[-1].start()


def _serve(connection: socket.socket, handler: Handler) -> None:
    with connection, closing(connection.makefile("rb")) as stream:
        try:
            handler(stream, connection)
        except (BrokenPipeError, ConnectionResetError):  # the load generator has given up, as it should
            return


def answering(answer: Callable[[int, int], bytes]) -> Handler:
    """A handler that replies to each SCAN with answer(ref, no); an empty one closes the connection."""

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        while (taken := take_frame(stream)) is not None:
            kind, ref, body = taken
            assert kind == SCAN
            reply = answer(ref, msgpack.unpackb(body)[0])
            if not reply:
                return
            connection.sendall(reply)

    return handle


def signing_on(key: bytes, then: Handler, fields_after_mac: list[object]) -> Handler:
    """A handler that signs the reader on with `key`, checks the reader's MAC against KEY, then goes on."""

    def handle(stream: BinaryIO, connection: socket.socket) -> None:
        _, ref, hello = _taken(stream)
        challenge = frame(CHALLENGE, ref, [bytes(16), "engine-a", 1_795_348_800_000])
        connection.sendall(challenge)
        dialogue = hello + challenge[16:]
        _, ref, auth = _taken(stream)
        assert msgpack.unpackb(auth) == [_mac(KEY, b"liftgate-1 client" + dialogue)]
        mac = _mac(key, b"liftgate-1 engine" + dialogue)
        connection.sendall(frame(WELCOME, ref, [mac, *fields_after_mac]))
        then(stream, connection)

    return handle


def _taken(stream: BinaryIO) -> tuple[int, int, bytes]:
    taken = take_frame(stream)
    assert taken is not None
    return taken


def _mac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()
