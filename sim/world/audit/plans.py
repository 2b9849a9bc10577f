"""Event days, held places and tides, as they are on record: models of docs/rules/lanes.md."""

from typing import Any, NamedTuple

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.clocks import DAYS, days_around, instant_ms, weekday
from liftgate.sim.world.audit.layout import Layout
from liftgate.sim.world.audit.records import Event

END, BEGIN, OVER = 0, 1, 2


class Action(NamedTuple):
    """What a plan does at a time: `rank` END, BEGIN or OVER of the step in that `place`."""

    at_ms: int
    rank: int
    place: int


class Plan:
    """An event day. todo: what is still to be done, in order; begun: places of steps and holds in force."""

    def __init__(self, event: Event) -> None:
        self.planned = event
        self.parts = [*event["steps"], *event["holds"]]
        actions = [Action(part[0], BEGIN, place) for place, part in enumerate(self.parts)]
        actions += [Action(part[1], END, place) for place, part in enumerate(self.parts)]
        self.todo = sorted([*actions, Action(event["to_ms"], OVER, 0)])
        self.begun: set[int] = set()
        self.touched = False

    def did(self, rank: int, place: int) -> None:
        """Take in what was done."""
        self.touched = True
        self.todo = [action for action in self.todo if action[1:] != (rank, place)]
        if rank == BEGIN:
            self.begun.add(place)
        else:
            self.begun.discard(place)

    def part_of(self, event: Event) -> tuple[int, int]:
        """What a record is of this plan: (rank, place)."""
        if event["type"] == r.PLACES_HELD:
            return (BEGIN if event["places"] else END), event["step"]
        return (BEGIN if event["type"] == r.MODE_SET_AT else END), event["step"]

    def told(self) -> dict[str, Any]:
        """As the query `plans` says it."""
        names = ("from_ms", "to_ms", "steps", "holds", "actor", "reason")
        state = "under way" if self.touched else "to come"
        return {"state": state} | {name: r.plain(self.planned[name]) for name in names}


class Running(NamedTuple):
    """How a tidal lane runs. until_ms: when an order is over, 0 never; actor: "" by schedule."""

    run: str
    clear_until_ms: int
    since_ms: int
    until_ms: int
    actor: str
    reason: str


class LaneFacts:
    """What is on record of a lot's lanes beside their modes.

    plans: by name, those not over; holds: (plan, place) → (area, places); tides: by lane; down: readers that
    are silent, since when.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.plans: dict[str, Plan] = {}
        self.holds: dict[tuple[str, int], tuple[str, int]] = {}
        self.tides: dict[tuple[str, int], Running] = {}
        self.down: dict[str, int] = {}

    def held(self) -> dict[str, int]:
        """Places that plans keep, by area."""
        sums: dict[str, int] = {}
        for area, places in self.holds.values():
            sums[area] = sums.get(area, 0) + places
        return sums

    def stepped(self, event: Event) -> None:
        """A step of a plan began or ended."""
        plan = self.plans.get(event["plan"])
        if plan is not None:
            plan.did(*plan.part_of(event))

    def places_held(self, event: Event) -> None:
        self.holds.pop((event["plan"], event["step"]), None)
        if event["places"]:
            self.holds[event["plan"], event["step"]] = (event["area"], event["places"])
        self.stepped(event)

    def turned(self, event: Event, rules: dict[str, Any]) -> None:
        key = (event["reader"], event["lane"])
        self.tides.pop(key, None)
        if event["run"] != "off" or (event["actor"] and tide_rules(rules, key) is not None):
            names = ("run", "clear_until_ms", "at_ms", "until_ms", "actor", "reason")
            self.tides[key] = Running(*(event[name] for name in names))

    def relink(self) -> None:
        """The configuration changed: forget tides of lanes that do not lead both ways, and readers gone."""
        lanes = self.layout.lanes
        self.tides = {k: t for k, t in self.tides.items() if k in lanes and lanes[k].direction == "both"}
        self.down = {id: since for id, since in self.down.items() if any(id == lane[0] for lane in lanes)}


def tide_rules(rules: dict[str, Any], key: tuple[str, int]) -> dict[str, Any] | None:
    """What the file says of a tidal lane."""
    tides = rules.get("lanes", {}).get("tides", ())
    return next((tide for tide in tides if (tide["reader"], tide["lane"]) == key), None)


def scheduled(tide: dict[str, Any] | None, timezone: str, now_ms: int) -> tuple[str, int]:
    """What a lane's schedule says now, "off" for none, and when it says something again, 0 never. Of what it
    says for the same moment the last holds.
    """
    said = [] if tide is None else tide.get("schedule", ())
    turns = sorted(
        (instant_ms(day, turn["at"], timezone), place)
        for day in days_around(now_ms, timezone, 8, 8)
        for place, turn in enumerate(said)
        if weekday(day) in turn.get("days", DAYS)
    )
    begun = [place for at_ms, place in turns if at_ms <= now_ms]
    coming = [at_ms for at_ms, _ in turns if at_ms > now_ms]
    return said[begun[-1]]["run"] if begun else "off", min(coming, default=0)
