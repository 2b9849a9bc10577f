"""What is drawn of cars, devices and services."""

import random

import pytest

from liftgate.sim.world.happenings import cars, devices, services
from liftgate.sim.world.plan import HOUR_MS, Happening
from liftgate.sim.world.shape import draw_shape
from tests.sim.world.devices.bench import Bench, make_shape

THEMES = [cars, devices, services]


def drawn(theme, seed: int = 1) -> list[Happening]:  # type: ignore[no-untyped-def]
    """What a theme draws for the shape of a seed."""
    return theme.draw(random.Random(seed), draw_shape(random.Random(seed)), HOUR_MS)


@pytest.mark.parametrize("theme", THEMES)
def test_one_seed_draws_one_list(theme) -> None:  # type: ignore[no-untyped-def]
    """The same chance draws the same happenings, other chance others."""
    assert drawn(theme) == drawn(theme)
    assert drawn(theme) != drawn(theme, 2)


@pytest.mark.parametrize("theme", THEMES)
def test_happenings_lie_in_the_span(theme) -> None:  # type: ignore[no-untyped-def]
    """Each has its time within the span and one line to tell it by."""
    for seed in range(10):
        happenings = drawn(theme, seed)
        assert happenings
        assert all(0 <= happening.at_ms <= HOUR_MS for happening in happenings)
        assert all(happening.line() and "\n" not in happening.line() for happening in happenings)


@pytest.mark.parametrize("theme", THEMES)
def test_every_happening_can_happen(theme) -> None:  # type: ignore[no-untyped-def]
    """Whatever is drawn for a small world happens there, and afterwards the world comes to rest."""
    shape = make_shape()
    bench = Bench(shape)
    kinds = set()
    for seed in range(12):
        for happening in theme.draw(random.Random(seed), shape, HOUR_MS):
            if type(happening) not in kinds or not random.Random(happening.at_ms).randrange(10):
                kinds.add(type(happening))
                happening.do(bench.world)
                bench.run(20_000)
    bench.world.calm()
    bench.run(HOUR_MS)
    assert all(device.idle() for device in bench.world.devices)
    defined = [one for one in vars(theme).values() if isinstance(one, type) and issubclass(one, Happening)]
    assert kinds == {one for one in defined if one is not Happening}


def test_a_lane_is_set_right_again() -> None:
    """Whoever closes a lane opens it before the end."""
    for seed in range(20):
        modes: dict[tuple[str, int], int] = {}
        orders = [one for one in drawn(services, seed) if isinstance(one, services.Ordered)]
        for order in sorted(orders, key=lambda one: one.at_ms):
            if order.name == "set_lane" and "mode" in order.args:
                modes[order.args["reader"], order.args["lane"]] = order.args["mode"]
        closed = [mode for mode in modes.values() if mode != services.NORMAL]
        assert len(closed) <= 1


def test_every_order_is_drawn() -> None:
    """Among some seeds there is each command that the engine knows, and one that it does not."""
    names = {
        one.name for seed in range(30) for one in drawn(services, seed) if isinstance(one, services.Ordered)
    }
    assert names == {
        "correct_count",
        "set_lane",
        "open_lane",
        "display",
        "deny_credential",
        "allow_credential",
        "register_credential",
        "forget_credential",
        "reset_passback",
        "paint_spots",
    }
