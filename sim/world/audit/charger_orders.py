"""What chargers say, as an order."""

from typing import Any

from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.stays import Stay
from liftgate.sim.world.audit.theme import Theme


def grace_ms(lot: Lot) -> int | None:
    """How long a full car may stay at its charger; None where chargers have no rule."""
    grace_s = lot.rules.get("classes", {}).get("full_grace_s")
    return None if grace_s is None else 1000 * int(grace_s)


def spot_of(lot: Lot, stay: Stay | None) -> str:
    """The spot that a stay has, "" where it has none with a name."""
    return lot.layout.spot_name(None if stay is None else stay.place) or ""


def _effect(name: str, args: dict[str, Any], lot: Lot) -> dict[str, Any]:
    stay = _stay_at(args, lot)
    spot = args.get("spot") or spot_of(lot, stay)
    session = None if stay is None else stay.session
    return {"spot": spot, "session": session, "state": args["state"], "actor": args["actor"]}


def _stay_at(args: dict[str, Any], lot: Lot) -> Stay | None:
    """Whom of those that are in the report is about: who is named, else who has that spot."""
    stays = [stay for stay in lot.stays.open.values() if stay.area is not None]
    if args.get("session") is not None:
        return next((stay for stay in stays if stay.session == args["session"]), None)
    return next((stay for stay in stays if spot_of(lot, stay) == args["spot"]), None)


def _result(event: Event, lot: Lot) -> dict[str, Any]:
    return {"spot": event["spot"], "session": event["session"]}


def _refusals(name: str, args: dict[str, Any], lot: Lot) -> set[str]:
    if grace_ms(lot) is None:
        return {"no_rules"}
    if args.get("session") is not None:
        return {"no_such_session"} if _stay_at(args, lot) is None else set()
    if not args.get("spot"):
        return {"bad_args"}
    spots = (block.spot(n) for block in lot.layout.blocks.values() for n in range(1, block.size + 1))
    return set() if args["spot"] in spots else {"no_such_spot"}


CHARGERS = Theme(_effect, _result, _refusals)
