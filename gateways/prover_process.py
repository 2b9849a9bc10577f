"""The prover's process: checks signatures until the engine is gone.

What passes is public: keys that verify, what was signed, signatures. It imports next to nothing, so that it
is there at once.
"""

import os
import signal
import socket
import struct

from liftgate.codecs.credentials.keys import is_signature

HEAD = struct.Struct("<IH32s64s")
"""Of a job: its number, how many bytes were signed, public key, signature. What was signed comes after it."""

ANSWER = struct.Struct("<IB")
"""A job's number, and 1 where the signature is right."""


def serve(sock: socket.socket) -> None:
    """Check what comes, until the engine is gone. All that is there is checked before it is answered."""
    data = b""
    while piece := sock.recv(1 << 16):
        data += piece
        at, answers = 0, b""
        while len(data) - at >= HEAD.size:
            number, size, public, seal = HEAD.unpack_from(data, at)
            end = at + HEAD.size + size
            if len(data) < end:
                break
            answers += ANSWER.pack(number, is_signature(public, data[at + HEAD.size : end], seal))
            at = end
        data = data[at:]
        sock.sendall(answers)


def main() -> int:
    """Serve the socket that is the standard input. An operator's Ctrl-C is the engine's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.nice(5)
    with socket.socket(fileno=os.dup(0)) as sock:
        serve(sock)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
