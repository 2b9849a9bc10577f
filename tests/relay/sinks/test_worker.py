"""A loop and thread of its own: what runs there, and that nothing goes on running."""

from __future__ import annotations

import asyncio
import threading

import pytest
from structlog.testing import capture_logs

from liftgate.relay.sinks.worker import Worker


async def where() -> str:
    return threading.current_thread().name


async def fail() -> None:
    raise ValueError("no")


def test_work_is_done_on_its_thread() -> None:
    """Results and exceptions come back."""

    async def run() -> None:
        worker = Worker("elsewhere")
        assert await worker.run(where()) == "elsewhere"
        with pytest.raises(ValueError, match="no"):
            await worker.run(fail())
        await worker.aclose()
        await worker.aclose()

    asyncio.run(run())


def test_cancelling_the_wait_cancels_the_work() -> None:
    """So a relay that stops leaves no batch behind."""
    ended = threading.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def run() -> None:
        worker = Worker("elsewhere")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await worker.run(work())
        assert await asyncio.to_thread(ended.wait, 10)
        await worker.aclose()

    asyncio.run(run())


def test_tasks_that_nobody_handed_out_end_with_it() -> None:
    """Those are what the thread is for; one that fails unseen is logged."""
    ended = threading.Event()

    async def forever() -> None:
        try:
            while True:
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    kept: list[asyncio.Task[None]] = []

    async def begin() -> None:
        kept.append(asyncio.create_task(forever()))

    async def begin_failing() -> None:
        asyncio.get_running_loop().call_soon(lambda: 1 // 0)

    async def run() -> None:
        worker = Worker("elsewhere")
        await worker.run(begin())
        await worker.run(begin_failing())
        await worker.run(where())
        assert not ended.is_set()
        await worker.aclose()
        assert ended.is_set() and kept[0].cancelled()

    with capture_logs() as logs:
        asyncio.run(run())
    assert ["ZeroDivisionError" in line["why"] for line in logs] == [True]
