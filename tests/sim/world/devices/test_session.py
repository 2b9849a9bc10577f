"""A device's way to the engine."""

import pytest

from tests.sim.world.devices.bench import Bench


def test_it_comes_back_after_a_cut() -> None:
    """A cut connection is dialled again until there is one."""
    bench = Bench()
    first = bench.desk.session
    bench.world.network.dead("desk", 20_000)
    bench.world.network.cut("desk")
    assert bench.desk.session is None
    bench.run(60_000)
    assert bench.desk.session is not None and bench.desk.session is not first


@pytest.mark.parametrize("away", ["device", "engine"])
def test_a_half_open_connection_is_found_out(away: str) -> None:
    """Where only one end knows that it is over, silence tells the other, and there is a new one."""
    bench = Bench()
    first = bench.desk.session
    bench.world.network.cut("desk", device=away == "device", engine=away == "engine")
    bench.run(400_000)
    assert bench.desk.session is not first and bench.desk.session is not None
    assert len(bench.world.node.gateway.links) == 3


def test_an_idle_connection_lives() -> None:
    """Heartbeats keep it, whoever asks."""
    bench = Bench()
    first = bench.reader.session
    bench.run(2_000_000)
    assert bench.reader.session is first and first is not None and not first.over


def test_a_goodbye_is_followed_by_a_new_connection() -> None:
    """A device that leaves in order is back soon."""
    bench = Bench()
    first = bench.sink.session
    bench.sink.hang_up()
    assert bench.sink.session is None
    bench.run(5_000)
    assert bench.sink.session is not None and bench.sink.session is not first


def test_a_wrong_key_keeps_out() -> None:
    """With another key nothing is obeyed and nothing asked, but it goes on trying."""
    bench = Bench()
    right = bench.desk.key
    bench.desk.key = b"x" * 32
    bench.desk.hang_up()
    bench.run(60_000)
    assert bench.desk.session is None
    bench.desk.key = right
    bench.run(60_000)
    assert bench.desk.session is not None


def test_without_power_nothing_is_tried() -> None:
    """A device that is off stays away until it is on."""
    bench = Bench()
    bench.desk.switch_off()
    bench.run(300_000)
    assert bench.desk.session is None and "desk" not in bench.world.node.gateway.services
    bench.desk.switch_on()
    bench.run(10_000)
    assert bench.desk.session is not None
