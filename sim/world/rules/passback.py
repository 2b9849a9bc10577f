"""Anti-passback and identity: modes, doubt, plates as witnesses, exits without an entry, old stays."""

import random
from typing import Any

from liftgate.configs.schema import LotConfig
from liftgate.sim.world.shape import Shape

CAUSES = ("held_open", "forced", "followed")


def draw_passback(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """Half of the lots have none; the times are short, so that a world sees both of their ends."""
    mode, within_s = rng.choice(("hard", "hard", "soft", "timed", "timed")), rng.choice((60, 300, 900))
    areas = {lot.areas[-1].id: rng.choice(("hard", "soft", "timed"))} if rng.random() < 0.4 else {}
    doubt = [cause for cause in CAUSES if rng.random() < 0.6]
    doubt_s = rng.choice((60, 300, 1800))
    if rng.random() < 0.5:
        return None
    return {"mode": mode, "within_s": within_s, "areas": areas, "doubt": doubt, "doubt_s": doubt_s}


def draw_identity(rng: random.Random, shape: Shape, lot: LotConfig) -> dict[str, Any] | None:
    """Witnesses at all lanes, at some or at none."""
    lanes = [f"{r.id}/{lane.number}" for r in shape.readers if r.lot == lot.id for lane in r.lanes]
    drawn: dict[str, Any] = {
        "plates": rng.choice(("credential", "witness", "witness")),
        "lanes": {lane: rng.choice(("credential", "witness")) for lane in lanes if rng.random() < 0.2},
        "witness_s": rng.choice((5, 30)),
        "edits_max": rng.choice((0.0, 0.5, 1.0, 2.0)),
        "mismatch": rng.choice(("finding", "refuse")),
        "close_after_s": rng.choice((0, 3600)),
    }
    wanted = rng.choice((None, "refuse", "open", "stay"))
    if rng.random() < 0.5:
        return None
    return drawn if wanted is None else {**drawn, "exit_without_entry": wanted}
