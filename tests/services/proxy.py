"""A TCP proxy that does to connections what networks do: cuts, refuses, delays, holds.

It runs in a thread of its own, so tests of any kind, plain, trio or asyncio, can stand around it.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any

from deploy.services.ports import HOST, free_ports

CHUNK_BYTES = 65_536
CHUNKS_MAX = 64
"""On their way in one direction, 4 MiB: more than what socket buffers hold, less than what a test would miss.
At the bound the proxy stops reading, as a full network would."""
CALL_S_MAX = 10
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for closing with RST: what is under way is lost, as when a router forgets a connection."""


class Proxy:
    """Passes bytes between its own port and a target's on HOST. Its methods return when it is so.

    port: 0 for a free one. For Kafka that must be `service.ports["proxy"]`, and the target
    `service.ports["behind_proxy"]`, since clients go where the broker's metadata send them. host: another
    address of this machine to listen on.
    """

    def __init__(self, target: int, port: int = 0, host: str = HOST) -> None:
        self.target = target
        self.host = host
        self.port = port or free_ports(1)[0]
        self.delay_s = 0.0
        """Each chunk arrives so much later, in both directions; may be set at any time."""
        self.accepted = 0
        self.bytes_out = 0
        """Passed from clients to the target, all in all."""
        self._cut_at: int | None = None
        self._links: set[_Link] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def connections(self) -> int:
        """Now open."""
        return len(self._links)

    @property
    def held_bytes(self) -> int:
        """Taken from one side and not yet given to the other: delayed, held, or not accepted."""
        return sum(link.held_bytes for link in self._links)

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._call(self._begin)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._call(self._refuse)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CALL_S_MAX)
        self._loop.close()

    def cut(self) -> int:
        """Reset every connection; new ones are accepted. How many there were."""
        return self._call(self._cut)

    def cut_after(self, count: int) -> None:
        """Cut every connection once so many more bytes have gone from clients to the target, which still gets
        them: in the midst of a request, if the count is not the end of one. New connections are accepted."""
        self._cut_at = self.bytes_out + count

    def refuse(self) -> None:
        """Reset every connection and refuse new ones, until `accept`."""
        self._call(self._refuse)

    def accept(self) -> None:
        """Listen again, on the same port."""
        self._call(self._listen)

    def hold(self) -> None:
        """Let nothing through any more; connections stay open and new ones are accepted, until `release`."""
        self._call(self._hold)

    def release(self) -> None:
        """Let through what was held, and all that comes."""
        self._call(self._release)

    def _call(self, what: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return asyncio.run_coroutine_threadsafe(what(), self._loop).result(CALL_S_MAX)

    async def _begin(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        await self._listen()

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, self.host, self.port, reuse_address=True)

    async def _refuse(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        await self._cut()

    async def _hold(self) -> None:
        self._open.clear()

    async def _release(self) -> None:
        self._open.set()

    async def _cut(self) -> int:
        links = list(self._links)
        for link in links:
            link.reset()
            link.task.cancel()
        await asyncio.gather(*(link.task for link in links))
        return len(links)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        link = _Link(self, writer)
        self._links.add(link)
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
            link.writers.append(far_writer)
            await link.carry(reader, far_reader)
        except* (asyncio.CancelledError, OSError):
            link.reset()  # cut by the test, or one end broke: either way both ends shall see it
        finally:
            self._links.remove(link)
            for each in link.writers:
                each.close()

    def passes(self, data: bytes) -> bytes:
        """What of it may still go out before the cut that was asked for."""
        if self._cut_at is not None:
            data = data[: self._cut_at - self.bytes_out]
        self.bytes_out += len(data)
        return data

    def cut_is_due(self) -> bool:
        """Whether the cut that was asked for is due; said once."""
        due = self._cut_at == self.bytes_out
        if due:
            self._cut_at = None
        return due

    def begin_cut(self) -> None:
        self._cutting = self._loop.create_task(self._cut())

    async def wait_open(self) -> None:
        await self._open.wait()


class _Link:
    """One connection through a proxy. writers: towards the client, then towards the target."""

    def __init__(self, proxy: Proxy, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.task = task
        self.writers = [writer]
        self.held_bytes = 0
        self._proxy = proxy

    def reset(self) -> None:
        """Close both sides with RST, but for one that is closing already."""
        for writer in self.writers:
            if not writer.is_closing():
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()

    async def carry(self, reader: asyncio.StreamReader, far_reader: asyncio.StreamReader) -> None:
        """Both directions until both ended. Raises an ExceptionGroup of OSError if one broke."""
        near, far = self.writers
        async with asyncio.TaskGroup() as group:
            for source, sink in ((reader, far), (far_reader, near)):
                chunks: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_MAX)
                group.create_task(self._take(source, chunks))
                group.create_task(self._give(chunks, sink, outward=sink is far))

    async def _take(self, source: asyncio.StreamReader, chunks: asyncio.Queue[tuple[float, bytes]]) -> None:
        data = b"-"
        while data:
            data = await source.read(CHUNK_BYTES)
            self.held_bytes += len(data)
            await chunks.put((time.monotonic() + self._proxy.delay_s, data))

    async def _give(
        self, chunks: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, outward: bool
    ) -> None:
        while True:
            due, data = await chunks.get()
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            await self._proxy.wait_open()
            if not data:
                sink.write_eof()
                return
            sink.write(self._proxy.passes(data) if outward else data)
            await sink.drain()
            self.held_bytes -= len(data)
            if outward and self._proxy.cut_is_due():
                sink.close()  # after what it was given, so that the target sees the half of a request
                self._proxy.begin_cut()
