"""Virtual time."""

from liftgate.sim.world.loop import START_MS, Loop


def test_what_is_due_is_done_in_order_of_time_and_then_of_asking() -> None:
    """Three timers out of order, two of them for one ms."""
    loop, done = Loop(), []
    loop.after(20, lambda: done.append("late"))
    loop.after(10, lambda: done.append("first"))
    loop.after(10, lambda: done.append("second"))
    loop.run(START_MS + 20)
    assert done == ["first", "second", "late"]


def test_time_is_that_of_the_timer_and_then_of_the_end() -> None:
    """now_ms is when a timer was due while it runs, and the end of the run after it."""
    loop, seen = Loop(), []
    loop.after(5, lambda: seen.append(loop.now_ms))
    loop.run(START_MS + 100)
    assert (seen, loop.now_ms) == ([START_MS + 5], START_MS + 100)


def test_what_is_cancelled_is_not_done() -> None:
    """A timer that was cancelled by an earlier one."""
    loop, done = Loop(), []
    timer = loop.after(10, lambda: done.append("cancelled"))
    loop.after(5, timer.cancel)
    loop.run(START_MS + 20)
    assert not done


def test_what_is_past_is_done_now() -> None:
    """Asking for a moment that is over."""
    loop, seen = Loop(), []

    def ask() -> None:
        loop.at(START_MS, lambda: seen.append(loop.now_ms))

    loop.after(10, ask)
    loop.run(START_MS + 20)
    assert seen == [START_MS + 10]


def test_the_first_finding_ends_the_run_where_it_is() -> None:
    """What would be due after it is not done."""
    loop, findings = Loop(), []
    loop.after(10, lambda: findings.append("bad"))
    loop.after(11, lambda: findings.append("later"))
    loop.run(START_MS + 20, findings)
    assert (findings, loop.now_ms) == (["bad"], START_MS + 10)
