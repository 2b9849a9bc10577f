"""A simulated service against the real engine."""

from tests.sim.world.devices.bench import Bench

DENY = {"kind": 2, "token": b"a", "actor": "me"}


def test_a_command_is_sent_until_it_has_an_outcome() -> None:
    """A cut before the outcome: the same id goes out again, and there is one command on record."""
    bench = Bench()
    bench.desk.order(b"1" * 16, "lot", "deny_credential", DENY)
    bench.run(bench.world.network._delay_ms("desk") + 1)
    bench.world.network.cut("desk")
    assert not bench.desk.idle()
    bench.run(30_000)
    assert bench.desk.idle()
    assert [args[2] for args in bench.told.of("outcome")] == [True]
    assert len(bench.told.of("command")) == 1


def test_a_command_sent_again_is_answered_alike() -> None:
    """Its outcome stays what it was, although it would be refused by now."""
    bench = Bench()
    bench.desk.order(b"1" * 16, "lot", "deny_credential", DENY)
    bench.run(1_000)
    bench.desk.order(b"2" * 16, "lot", "allow_credential", DENY)
    bench.run(1_000)
    bench.desk.order_again(2)
    bench.run(1_000)
    outcomes = bench.told.of("outcome")
    assert [args[1] for args in outcomes] == [b"1" * 16, b"2" * 16, b"1" * 16, b"2" * 16]
    assert outcomes[:2] == outcomes[2:] and all(args[2] for args in outcomes)


def test_commands_wait_for_a_connection() -> None:
    """What is ordered while there is no way to the engine is ordered when there is."""
    bench = Bench()
    bench.world.network.dead("desk", 5_000)
    bench.world.network.cut("desk")
    for number in range(100):
        bench.desk.order(b"%16d" % number, "lot", "deny_credential", DENY)
    bench.run(60_000)
    assert bench.desk.idle() and len(bench.told.of("outcome")) == 100


def test_a_question_is_answered() -> None:
    """A QUERY's answer is told with what was asked."""
    bench = Bench()
    bench.desk.query("lot", "occupancy", {})
    bench.run(1_000)
    ((service, lot, name, _, ok, _, body),) = bench.told.of("answer")
    assert (service, lot, name, ok, body["occupancy"]) == ("desk", "lot", "occupancy", True, 0)
