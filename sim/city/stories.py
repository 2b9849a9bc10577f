"""Which story the city tells in front of a configuration's lots."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

from liftgate.configs.schema import Config, LotConfig
from liftgate.sim.city.stays import recorded
from liftgate.sim.city.synthetic import curve, generate, load_shares
from liftgate.sim.city.traffic import CityLot, Traffic

RECORDED = "recorded"
BIRMINGHAM = "birmingham"
STORIES = (RECORDED, BIRMINGHAM)


class StoryUnfit(ValueError):
    """The configuration's lots cannot take this story; the text says why and what can be done."""


def spots_for_all(lot: LotConfig) -> int:
    """Spots that a card without registration may have: standard ones of the outermost area."""
    outermost = next(area for area in lot.areas if area.parent is None)
    return sum(block.count for block in outermost.spots if block.spot_class == "standard")


def city_lots(config: Config, wanted: Sequence[str] | None) -> list[LotConfig]:
    """The lots to drive: those wanted, all where None. StoryUnfit: one is not configured."""
    by_id = {lot.id: lot for lot in config.lots}
    missing = [id for id in wanted or () if id not in by_id]
    if missing:
        raise StoryUnfit(f"no lot {', '.join(missing)} here: there are {', '.join(by_id)}")
    return [by_id[id] for id in (wanted if wanted is not None else by_id)]


def story(name: str, lots: Sequence[LotConfig], seed: int = 1) -> Traffic:
    """The traffic of that name for these lots. Raises StoryUnfit."""
    return _recorded(lots) if name == RECORDED else _birmingham(lots, seed)


def _recorded(lots: Sequence[LotConfig]) -> Traffic:
    traffic = recorded()
    spots = {lot.id: spots_for_all(lot) for lot in lots}
    for lot in traffic.lots:
        if spots.get(lot.id, 0) < lot.capacity:
            has = f"has {spots[lot.id]} standard spots" if lot.id in spots else "is not among the lots"
            raise StoryUnfit(
                f"the recorded stays need lot {lot.id} with {lot.capacity} standard spots; it {has} "
                f"({', '.join(spots)}). Take --traffic {BIRMINGHAM}, which fits any lot"
            )
    return traffic


def _birmingham(lots: Sequence[LotConfig], seed: int) -> Traffic:
    """The published curves in turn, each scaled to a lot of ours."""
    shares = cycle(load_shares().values())
    curves = [curve(CityLot(lot.id, spots_for_all(lot)), next(shares)) for lot in lots]
    return generate(curves, seed)
