"""The simulated network: streams in order whatever happens, and two ends that need not agree."""

import random

import pytest

from liftgate.sim.world.loop import START_MS, Loop
from liftgate.sim.world.network import LATE_MS, End, Network, Wire

SECOND_MS = 1_000


class Device:
    """A peer that writes down what it sees."""

    def __init__(self) -> None:
        self.wire: Wire | None = None
        self.got = b""
        self.ended = 0
        self.breaks = 0

    def connected(self, wire: Wire) -> None:
        self.wire = wire

    def received(self, data: bytes) -> None:
        self.got += data
        self.ended += not data

    def broken(self) -> None:
        self.breaks += 1

    def say(self, data: bytes) -> None:
        """Send, on a connection that must be there."""
        assert self.wire is not None
        self.wire.send(data)


class Box:
    """The engine's side: keeps what came, by owner and in order."""

    def __init__(self) -> None:
        self.ends: list[End] = []
        self.got: list[tuple[int, bytes]] = []
        self.listens = True
        self.writables = 0

    def accept(self, end: End) -> bool:
        if self.listens:
            self.ends.append(end)
        return self.listens

    def arrived(self, end: End, data: bytes) -> None:
        self.got.append((self.ends.index(end), data))

    def writable(self, end: End) -> None:
        self.writables += 1

    def heard(self, index: int = 0) -> bytes:
        """All that came over one connection."""
        return b"".join(data for end, data in self.got if end == index)


class Scene:
    """A network with one device and one box. wait: let seconds pass."""

    def __init__(self, seed: int = 1) -> None:
        self.loop = Loop()
        self.box = Box()
        self.network = Network(self.loop, self.box, random.Random(seed))

    def wait(self, seconds: float) -> None:
        self.loop.run(self.loop.now_ms + int(seconds * SECOND_MS))

    def dial(self) -> Device:
        """A device that has dialled."""
        device = Device()
        self.network.dial("r0", device)
        self.wait(1)
        return device


@pytest.mark.parametrize("seed", range(20))
def test_both_directions_keep_their_order(seed: int) -> None:
    """However chunks are split, delayed and stalled, what comes out is what went in."""
    scene = Scene(seed)
    device = scene.dial()
    draws = random.Random(seed)
    sent = b""
    for n in range(100):
        chunk = b"%d," % n
        sent += chunk
        device.say(chunk)
        assert scene.box.ends[0].send(chunk) == len(chunk)
        if draws.random() < 0.1:
            scene.network.stall("r0", draws.randrange(2_000))
        scene.wait(draws.random() * 0.1)
    scene.wait(10)
    assert scene.box.heard() == device.got == sent


def test_nobody_is_connected_where_nobody_listens() -> None:
    """The dial fails, later."""
    scene = Scene()
    scene.box.listens = False
    device = scene.dial()
    assert (device.wire, device.breaks) == (None, 1)


def test_dials_fail_for_a_while_for_one_or_for_all() -> None:
    """And succeed afterwards."""
    for owner in ("r0", None):
        scene = Scene()
        scene.network.dead(owner, 10 * SECOND_MS)
        assert scene.dial().wire is None
        scene.wait(10)
        assert scene.dial().wire is not None


def test_a_cut_that_both_notice_ends_both() -> None:
    """The device sees it break, the engine sees the end."""
    scene = Scene()
    device = scene.dial()
    scene.network.cut("r0")
    scene.wait(1)
    assert (device.breaks, scene.box.got) == (1, [(0, b"")])


def test_after_a_half_open_cut_old_bytes_come_late() -> None:
    """What was on its way when the device gave the connection up arrives after its next one's."""
    orders = set()
    for seed in range(10):
        scene = Scene(seed)
        device = scene.dial()
        device.say(b"old")
        scene.network.cut("r0", engine=False)
        assert device.breaks == 1
        scene.dial().say(b"new")
        scene.wait(LATE_MS / SECOND_MS + 1)
        assert (scene.box.heard(0), scene.box.heard(1)) == (b"old", b"new")
        orders.add([end for end, _ in scene.box.got][0])
    assert orders == {0, 1}


def test_a_device_that_is_cut_off_learns_of_it_when_it_speaks() -> None:
    """Only the engine noticed: silence until the device sends something."""
    scene = Scene()
    device = scene.dial()
    scene.network.cut("r0", device=False)
    scene.wait(60)
    assert device.breaks == 0
    device.say(b"hello?")
    scene.wait(1)
    assert (device.breaks, scene.box.heard()) == (1, b"")


def test_a_full_socket_takes_a_part_and_says_when_there_is_room() -> None:
    """send() is short, and writable() follows when the device has read."""
    scene = Scene()
    scene.network.room_bytes["r0"] = 10
    device = scene.dial()
    end = scene.box.ends[0]
    assert end.send(b"x" * 25) == 10
    assert end.send(b"x") == 0
    scene.wait(2)
    assert (scene.box.writables >= 1, device.got) == (True, b"x" * 10)
    assert end.send(b"x" * 15) == 10


def test_nobody_tells_the_engine_that_a_device_is_gone() -> None:
    """Its sends fill the socket and go nowhere."""
    scene = Scene()
    scene.network.room_bytes["r0"] = 10
    scene.dial()
    scene.network.cut("r0", engine=False)
    end = scene.box.ends[0]
    assert (end.send(b"x" * 8), end.send(b"x" * 8), end.send(b"x")) == (8, 2, 0)


def test_an_orderly_close_comes_behind_the_data() -> None:
    """The device reads everything and then the end."""
    scene = Scene()
    device = scene.dial()
    end = scene.box.ends[0]
    end.send(b"bye")
    end.close()
    scene.wait(2)
    assert (device.got, device.ended, device.breaks) == (b"bye", 1, 0)


@pytest.mark.parametrize(("reset", "breaks"), [(True, 1), (False, 0)])
def test_an_engine_that_ends_resets_its_connections_and_a_dead_machine_does_not(
    reset: bool, breaks: int
) -> None:
    """A killed process's kernel speaks for it."""
    scene = Scene()
    device = scene.dial()
    scene.network.down(reset)
    scene.wait(1)
    assert device.breaks == breaks


def test_one_seed_is_one_network() -> None:
    """The same seed delays and splits the same."""

    def times() -> list[tuple[int, bytes]]:
        scene = Scene(7)
        device = scene.dial()
        for n in range(50):
            device.say(b"chunk %d" % n)
        seen = []
        while scene.loop.now_ms < START_MS + 5 * SECOND_MS:
            scene.wait(0.001)
            while scene.box.got:
                seen.append((scene.loop.now_ms, scene.box.got.pop(0)[1]))
        return seen

    assert times() == times()
