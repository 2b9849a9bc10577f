"""Which story fits which configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.configs.loader import load
from liftgate.configs.schema import Config
from liftgate.sim.city.stories import BIRMINGHAM, RECORDED, StoryUnfit, city_lots, spots_for_all, story

DEMO = Path(__file__).resolve().parents[3] / "configs" / "demo.toml"


@pytest.fixture(scope="module")
def config() -> Config:
    """The demo's."""
    return load(DEMO, {})


def test_only_spots_that_any_card_may_have_count(config: Config) -> None:
    """Spots of other classes, and those of inner areas, are nobody's without registration."""
    assert [spots_for_all(lot) for lot in config.lots] == [120, 23, 31, 27]


def test_the_recorded_stays_fit_the_demo(config: Config) -> None:
    """Its three lots have the names and the spots of the data's."""
    traffic = story(RECORDED, city_lots(config, None))
    assert [(lot.id, lot.capacity) for lot in traffic.lots] == [("P1", 23), ("P7", 31), ("P8", 27)]


@pytest.mark.parametrize(("wanted", "missing"), [(["north"], "P1"), (["P1", "P7"], "P8")])
def test_lots_that_the_recorded_stays_need(config: Config, wanted: list[str], missing: str) -> None:
    """A lot that is not there is named, and what would fit instead."""
    with pytest.raises(StoryUnfit, match=f"need lot {missing} .*--traffic birmingham"):
        story(RECORDED, city_lots(config, wanted))


def test_birmingham_fits_any_lot(config: Config) -> None:
    """Each lot gets a curve of its own, scaled to its spots and never above them; one seed, one story."""
    lots = city_lots(config, ["P8", "north"])
    traffic, again, other = (story(BIRMINGHAM, lots, seed) for seed in (1, 1, 2))
    assert [(lot.id, lot.capacity) for lot in traffic.lots] == [("P8", 27), ("north", 120)]
    assert all(0 < traffic.truth.peak(lot.id) <= lot.capacity for lot in traffic.lots)
    assert traffic.movements == again.movements != other.movements


def test_no_such_lot(config: Config) -> None:
    """A lot that is not configured is named, with those that are."""
    with pytest.raises(StoryUnfit, match="no lot P2 here: there are north, P1, P7, P8"):
        city_lots(config, ["P1", "P2"])
