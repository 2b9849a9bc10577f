"""A simulated subscriber against the real engine."""

import msgspec

from liftgate.sim.world.devices.subscriber import FRAMES_MAX
from tests.sim.world.devices.bench import Bench, make_shape


def durable(bench: Bench) -> int:
    """The last position on the engine's disk."""
    return bench.world.node.engine.journal.durable_position


def scans(bench: Bench, count: int) -> None:
    """So many scans, each in a record of its own."""
    for card in range(count):
        bench.scan(b"%d" % card)
        bench.run(500)


def test_its_sink_gets_everything() -> None:
    """All that is durable reaches the sink, and the engine's cursor is there."""
    bench = Bench()
    scans(bench, 5)
    bench.run(5_000)
    assert bench.sink.safe == durable(bench) and bench.sink.idle()
    assert bench.world.node.engine.journal.cursors.get("sink") == durable(bench)


def test_what_the_sink_has_not_is_not_safe() -> None:
    """While the sink fails the cursor stands still; afterwards all of it arrives."""
    bench = Bench()
    bench.run(2_000)
    before = bench.sink.safe
    bench.sink.sink_fails(60_000)
    scans(bench, 5)
    bench.run(10_000)
    assert bench.sink.safe == before < durable(bench) and not bench.sink.idle()
    bench.run(60_000)
    assert bench.sink.safe == durable(bench)


def test_with_too_much_waiting_it_leaves() -> None:
    """It holds no more than its bound in memory: it goes, and comes back when the sink has caught up."""
    bench = Bench()
    bench.sink.sink_fails(60_000)
    scans(bench, FRAMES_MAX + 10)
    assert bench.sink.session is None
    bench.run(120_000)
    assert bench.sink.session is not None and bench.sink.safe == durable(bench)


def test_a_restart_goes_on_from_the_cursor() -> None:
    """What its process had in memory is sent again, and nothing is left out."""
    bench = Bench()
    bench.run(2_000)
    bench.sink.sink_fails(20_000)
    scans(bench, 5)
    bench.sink.restart(30_000)
    scans(bench, 5)
    bench.run(60_000)
    assert bench.sink.safe == durable(bench)
    assert [args[2] for args in bench.told.of("subscribed")] == [True, True]


def test_one_with_its_own_position_names_it() -> None:
    """A subscriber that remembers where it was asks for what comes after it."""
    shape = make_shape()
    own = msgspec.structs.replace(shape.subscribers[0], stored=False)
    bench = Bench(msgspec.structs.replace(shape, subscribers=(own,)))
    scans(bench, 3)
    bench.run(2_000)
    safe = bench.sink.safe
    bench.sink.restart(1_000)
    bench.run(10_000)
    assert bench.told.of("subscribed")[-1] == ("sink", safe, False)


def test_calm_ends_what_is_wrong() -> None:
    """A sink that fails and a process that is away are back at once."""
    bench = Bench()
    bench.sink.sink_fails(1_000_000)
    bench.sink.restart(1_000_000)
    bench.sink.calm()
    scans(bench, 2)
    bench.run(10_000)
    assert bench.sink.safe == durable(bench)
