"""Tickets and tags: in a third of the lots, tags in most of these."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.wallet import MACED, SIGNED, TAGS, public


def draw(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """A key that signs and one that MACs; a third one that drivers have tickets of is not known any more."""
    tickets, tags = rng.random() < 0.35, rng.random() < 0.8
    if not tickets:
        return None
    keys = [{"kid": SIGNED, "public": public(lot.id, SIGNED)}, {"kid": MACED, "alg": "hmac"}]
    return {"keys": keys} | ({"tags": {"keys": [TAGS]}} if tags else {})
