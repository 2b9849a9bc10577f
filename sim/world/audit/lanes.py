"""Lanes: modes in layers, event days with held places, tides, and what is watched; docs/rules/lanes.md."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Look, Name
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.layout import NORMAL
from liftgate.sim.world.audit.plans import BEGIN, OVER, Plan, scheduled, tide_rules
from liftgate.sim.world.audit.records import Event, Record, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

AGAINST_THE_TIDE, KEPT_FOR_OTHERS = 100, 310
LATE_MS = 2_000
"""How much later than its time something may come in an engine at rest, which looks four times a second."""

ON_ITS_WAY_MS = 60_000
"""How long SET_LANE and a decision on an older connection may be under way."""

SKEW_MS_MAX = 10_000
HOUR_MS = 3_600_000
WAYS = {"in": r.IN, "out": r.OUT, "closed": 0}
Key = tuple[str, int]


class LaneModes(Chapter):
    """A mode with an end ends once, not before; readers are told in which mode each lane works.

    past: per lane since when it worked in which mode, in the engine's time; told: what its reader heard last;
    welcomed_ms: when each reader last signed on.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.past: dict[Key, list[tuple[int, int]]] = {}
        self.told: dict[Key, int] = {}
        self.welcomed_ms: dict[str, int] = {}

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.MODE_SET_AT and not event["plan"] and event["until_ms"]:
            if event["until_ms"] <= event["at_ms"]:
                self.find("wrong mode", tell(event), "an end that is still to come")
        elif event["type"] == r.MODE_ENDED and not event["plan"]:
            self._judge_end(event, lot)

    def _judge_end(self, event: Event, lot: Lot) -> None:
        """By hand or by time; those of plans are their plan's."""
        ends = [setting.until_ms for setting in lot.modes.by_hand(event["at"])]
        over = bool(event["actor"]) or 0 < event["until_ms"] <= event["at_ms"]
        if event["until_ms"] not in ends or not over:
            self.find("wrong end of a mode", tell(event), f"what was set there ends at {ends}, once and then")

    def folded(self, event: Event, lot: Lot) -> None:
        for lane in () if event["type"] in r.READER_EVENTS else lot.layout.lanes.values():
            past = self.past.setdefault(lane.key, [(0, NORMAL)])
            mode = lot.mode(lane)
            if past[-1][1] != mode:
                past.append((event["now_ms"], mode))

    def lane_set(self, reader: str, lane: int, mode: int) -> None:
        self.told[reader, lane] = mode

    def welcomed(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None:
        self.welcomed_ms[reader] = self.audit.now()

    def decision(self, name: Name, fields: list[Any]) -> None:
        """Whoever gets a decision was told how the lane worked when it was made."""
        event = self.audit.recorded.get(name)
        if event is None:
            return
        key = (event["reader"], event["lane"])
        since_ms = event["now_ms"] - ON_ITS_WAY_MS
        past = self.past.get(key, [])
        later = [mode for at_ms, mode in past if at_ms >= since_ms]
        then = [mode for at_ms, mode in past if at_ms < since_ms][-1:]
        if past and self.told.get(key, NORMAL) not in (*then, *later):
            text = f"lane {key} works in mode {self.told.get(key, NORMAL)}, by its reader"
            self.find("mode not told", text, f"{[*then, *later]} since {since_ms}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        now_ms = self.audit.now()
        for lot in self.audit.lots.values():
            for at in lot.modes.stacks:
                ends = [s.until_ms for s in lot.modes.by_hand(at) if 0 < s.until_ms < now_ms - LATE_MS]
                if ends:
                    self.find("mode never ended", f"what was set at {at}", f"it ended at {ends}")
            for lane in lot.layout.lanes.values():
                self._judge_told(lane.key, now_ms)

    def _judge_told(self, key: Key, now_ms: int) -> None:
        since_ms, mode = self.past.get(key, [(0, NORMAL)])[-1]
        if self.welcomed_ms.get(key[0], 0) < since_ms:
            return  # its connection may be dead without its knowing: the next decision or sign-on shows
        if since_ms < now_ms - ON_ITS_WAY_MS and self.told.get(key, NORMAL) != mode:
            text = f"lane {key} works in mode {self.told.get(key, NORMAL)}, by its reader"
            self.find("mode not told", text, f"{mode} since {since_ms}")


class Plans(Chapter):
    """Each step of a plan begins and ends once and in order, and not before its time; places that it keeps
    are kept from whoever comes by himself.

    cut: of a lot, what ended before its time: its plan is cancelled in the same record.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.cut: list[Event] = []

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        area = look.lane.area
        kept = lot.lanes.held().get(area, 0) if "lanes" in lot.rules else 0
        promised = look.stay is not None and lot.stays.holds(look.stay, area)
        if look.way == r.IN and not promised and 0 < lot.stays.available(area) <= kept:
            yield KEPT_FOR_OTHERS

    def record(self, record: Record) -> None:
        if self.cut:
            self.find("ended early", tell(self.cut[0]), "its plan is cancelled in the same record")

    def judge(self, event: Event, lot: Lot) -> None:
        kind = event["type"]
        if kind == r.PLANNED and event["name"] in lot.lanes.plans:
            self.find("wrong plan", tell(event), "one plan of that name")
        elif kind in (r.MODE_SET_AT, r.MODE_ENDED) and event["plan"]:
            self._judge_step(event, lot)
        elif kind == r.PLACES_HELD:
            self._judge_step(event, lot)
        elif kind == r.PLAN_ENDED:
            self._judge_over(event, lot)
        elif kind == r.PLAN_CANCELLED:
            self._judge_cancelled(event, lot)

    def _judge_step(self, event: Event, lot: Lot) -> None:
        plan = lot.lanes.plans.get(event["plan"])
        if plan is None or not self._fits(event, plan):
            self.find("wrong step", tell(event), f"a step of {plan and tell(plan.planned)}")
            return
        rank, place = plan.part_of(event)
        following = plan.todo[0]
        if (
            following[1:] == (rank, place)
            and following.at_ms <= event["at_ms"]
            and not event.get("actor", "")
        ):
            return
        if rank == BEGIN:
            if following[1:] != (rank, place) or following.at_ms > event["at_ms"]:
                self.find("wrong step", tell(event), f"{following} next, in its time")
        elif place in plan.begun:
            self.cut.append(event)
        else:
            self.find("wrong step", tell(event), "the end of what has begun")

    def _fits(self, event: Event, plan: Plan) -> bool:
        """Whether the step says what was planned."""
        if event["step"] >= len(plan.parts):
            return False
        _, to_ms, where, what = plan.parts[event["step"]]
        if event["type"] == r.PLACES_HELD:
            return event["area"] == where and event["places"] in (0, what)
        return [event["at"], event["mode"], event["until_ms"]] == [where, what, to_ms]

    def _judge_over(self, event: Event, lot: Lot) -> None:
        plan = lot.lanes.plans.get(event["name"])
        left = plan and [action for action in plan.todo if action.rank != OVER]
        if plan is None or left or event["at_ms"] < plan.planned["to_ms"]:
            self.find("wrong end of a plan", tell(event), f"not before {left} and its time")

    def _judge_cancelled(self, event: Event, lot: Lot) -> None:
        plan = lot.lanes.plans.get(event["name"])
        if plan is None or plan.begun or any(one["plan"] != event["name"] for one in self.cut):
            self.find("wrong end of a plan", tell(event), "all that it had in force ended before")
        self.cut = []

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for lot in self.audit.lots.values():
            for name, plan in lot.lanes.plans.items():
                if plan.todo[0].at_ms < self.audit.now() - LATE_MS:
                    self.find("plan not carried out", f"plan {name} of lot {lot.id}", f"{plan.todo[0]}")


class Tides(Chapter):
    """A tidal lane turns when its schedule or an order says so, clears, and lets nobody go against it."""

    def objections(self, look: Look, lot: Lot) -> Iterable[int]:
        tide = lot.lanes.tides.get(look.lane.key)
        if tide is None or tide.run == "off" or "lanes" not in lot.rules:
            return
        moment = look.now_ms if look.now_ms - look.at_ms <= SKEW_MS_MAX else look.at_ms
        against = WAYS[tide.run] != look.way or moment < tide.clear_until_ms
        if moment >= tide.since_ms and against:
            yield AGAINST_THE_TIDE

    def judge(self, event: Event, lot: Lot) -> None:
        if event["type"] != r.TIDE_TURNED:
            return
        key, now_ms = (event["reader"], event["lane"]), event["at_ms"]
        lane = lot.layout.lanes.get(key)
        if lane is None or lane.direction != "both":
            self.find("wrong tide", tell(event), "a lane that leads both ways")
        elif event["clear_until_ms"] != self._clear_until(event, lot):
            self.find("wrong tide", tell(event), f"cleared until {self._clear_until(event, lot)}")
        elif not event["actor"]:
            run = scheduled(tide_rules(lot.rules, key), lot.layout.timezone, now_ms)[0]
            if event["run"] != run or self._by_hand(lot, key, now_ms) or not self._news(lot, key, run):
                self.find("wrong tide", tell(event), f"{run} by the schedule, and no order in force")

    def _clear_until(self, event: Event, lot: Lot) -> int:
        """Since it last ran the other way, or both."""
        key = (event["reader"], event["lane"])
        rules, before = tide_rules(lot.rules, key) or {}, lot.lanes.tides.get(key)
        clearing_s = rules.get("clearing_s")
        if clearing_s is None:
            clearing_s = lot.rules.get("lanes", {}).get("clearing_s", 60)
        if event["run"] == "off":
            return 0
        if before is not None and before.run in (event["run"], "closed"):
            return before.clear_until_ms
        return int(event["at_ms"] + 1000 * clearing_s)

    def _by_hand(self, lot: Lot, key: Key, now_ms: int) -> bool:
        """Whether an order is in force there."""
        tide = lot.lanes.tides.get(key)
        return tide is not None and bool(tide.actor) and not 0 < tide.until_ms <= now_ms

    def _news(self, lot: Lot, key: Key, run: str) -> bool:
        """Whether it ran otherwise, or by an order that is over."""
        tide = lot.lanes.tides.get(key)
        return (tide.run if tide else "off") != run or (tide is not None and tide.until_ms > 0)

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        then_ms = self.audit.now() - LATE_MS
        for lot in self.audit.lots.values():
            said = [(tide["reader"], tide["lane"]) for tide in lot.rules.get("lanes", {}).get("tides", ())]
            for key in [*said, *lot.lanes.tides]:
                lane, tide = lot.layout.lanes.get(key), lot.lanes.tides.get(key)
                run, next_ms = scheduled(tide_rules(lot.rules, key), lot.layout.timezone, then_ms)
                if lane is None or lane.direction != "both" or self._by_hand(lot, key, then_ms):
                    continue
                if (tide.run if tide else "off") != run and not 0 < next_ms <= self.audit.now():
                    self.find("tide never turned", f"lane {key} runs {tide}", f"{run} by its schedule")


_WHAT = {2: "backouts", 3: "tailgates", 4: "forced_barriers"}
_MOST = {"backouts": "backouts_max", "tailgates": "tailgates_max", "vends": "vends_max"} | {
    "forced_barriers": "forced_max"
}


class LaneWatch(Chapter):
    """What happens too often at a lane is one finding, then counting begins anew; a reader is down once after
    so much silence, until it is heard; barriers are raised for causes that the lot takes.

    times: by lane and what; over: those with too many, since when that is known; before: the last event of a
    lot, which a finding follows; heard: when a reader's event came that was decided; said: when anything did.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.times: dict[tuple[str, int, str], list[int]] = defaultdict(list)
        self.over: dict[tuple[str, int, str], int] = {}
        self.before: dict[str, Event] = {}
        self.heard: dict[str, int] = {}
        self.said: dict[str, int] = {}

    def spoke(self, device: str) -> None:
        self.said[device] = self.audit.now()

    def record(self, record: Record) -> None:
        """A finding stands in the record of what it is about."""
        for before in self.before.values():
            self._judge_pair(before, None)
        self.before.clear()

    def judge(self, event: Event, lot: Lot) -> None:
        before = self.before.pop(lot.id, None)
        if before is not None or (event["type"] == r.FINDING and event["kind"] in _KINDS):
            self._judge_pair(before, event)
        kind = event["type"]
        if kind in (r.RATE_EXCEEDED, r.LANE_DOWN):
            self.before[lot.id] = event
        if kind == r.RATE_EXCEEDED:
            self._judge_rate(event, lot)
        elif kind == r.LANE_DOWN:
            self._judge_down(event, lot)
        elif kind == r.LANE_UP:
            self._judge_up(event, lot)
        elif kind == r.VENDED:
            self._judge_cause(event, lot)

    def _judge_pair(self, before: Event | None, event: Event | None) -> None:
        """One finding, right after what it is about."""
        wanted = None if before is None else before.get("what", "lane_down")
        about = {} if event is None else event.get("about", {})
        named = before is not None and about.get("reader") == before["reader"]
        if event is None or event["type"] != r.FINDING or event["kind"] != wanted or not named:
            text = " and ".join(tell(one) for one in (before, event) if one is not None)
            self.find("wrong finding of lanes", text, f"one finding {wanted} after its event")

    # -- rates

    def folded(self, event: Event, lot: Lot) -> None:
        if event["type"] == r.READER_CONFIGURED:
            gone = [k for k in self.times if k[0] == event["reader"] and k[:2] not in lot.layout.lanes]
            for key in gone:
                self.times.pop(key)
                self.over.pop(key, None)
        elif event["type"] in (r.RULES_SET, r.LOT_CONFIGURED):
            self._recount(lot)
        if event["type"] in r.READER_EVENTS:
            late = "tickets" in lot.rules or event["type"] == r.HISTORY  # decided a little after it came
            self.heard[event["reader"]] = self.said.get(event["reader"], 0) if late else event["now_ms"]
        what = self._counted(event)
        if what is not None and (most := self._most(lot, what)) is not None:
            key = (event["reader"], event["lane"], what)
            if key not in self.over:
                times = self.times[key]
                times[:] = sorted([*times, event["at_ms"]])[-(most + 1) :]
                if _within_an_hour(times) > most:
                    self.over[key] = event["now_ms"]
        elif event["type"] == r.RATE_EXCEEDED:
            key = (event["reader"], event["lane"], event["what"])
            self.times.pop(key, None)
            self.over.pop(key, None)

    def _recount(self, lot: Lot) -> None:
        """By rules that may be others now."""
        here = [key for key in self.times if key[:2] in lot.layout.lanes]
        for key in here:
            most, times = self._most(lot, key[2]), self.times[key]
            if most is None or _within_an_hour(times) <= most:
                self.over.pop(key, None)
            else:
                self.over.setdefault(key, self.audit.now())
            if most is None:
                del self.times[key]

    def _counted(self, event: Event) -> str | None:
        if event["type"] == r.VENDED:
            return "vends"
        if event["type"] == r.PASSAGE:
            return _WHAT.get(event["what"])
        if event["type"] == r.HISTORY and event["what"] == r.PASSAGE:
            return _WHAT.get(event["detail"][0])
        return None

    def _most(self, lot: Lot, what: str) -> int | None:
        found: int | None = lot.rules.get("lanes", {}).get(_MOST[what])
        return found

    def _judge_rate(self, event: Event, lot: Lot) -> None:
        key, most = (event["reader"], event["lane"], event["what"]), self._most(lot, event["what"])
        if most is None or key not in self.over or event["count"] <= most:
            self.find("wrong rate", tell(event), f"more than {most} within an hour: {self.times[key]}")

    # -- readers

    def _silence_ms(self, lot: Lot) -> int:
        rules = lot.rules.get("lanes")
        return 0 if rules is None else int(1000 * rules.get("down_after_s", 180))

    def _judge_down(self, event: Event, lot: Lot) -> None:
        silence_ms, reader = self._silence_ms(lot), event["reader"]
        if not silence_ms or reader in lot.lanes.down:
            self.find("wrongly down", tell(event), "watched, and not down already")
        elif event["at_ms"] - event["since_ms"] < silence_ms:
            self.find("wrongly down", tell(event), f"silent for {silence_ms} ms")
        elif event["since_ms"] < self.heard.get(reader, 0):
            self.find("wrongly down", tell(event), f"heard at {self.heard[reader]}")

    def _judge_up(self, event: Event, lot: Lot) -> None:
        """It was down since then, and said something after that."""
        since_ms = lot.lanes.down.get(event["reader"])
        if since_ms is None or since_ms != event["since_ms"]:
            self.find("wrongly up", tell(event), f"down since {since_ms}")
        elif max(self.said.get(event["reader"], 0), self.heard.get(event["reader"], 0)) < since_ms:
            self.find("wrongly up", tell(event), "something heard of it")

    def _judge_cause(self, event: Event, lot: Lot) -> None:
        causes = lot.rules.get("lanes", {}).get("vend_causes")
        if causes is not None and event["cause"] not in causes:
            self.find("wrong cause", tell(event), f"one of {causes}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for key, since_ms in self.over.items():
            if since_ms < self.audit.now() - LATE_MS:
                self.find("rate not found", f"{key}: {self.times[key]}", f"a finding since {since_ms}")


def _within_an_hour(times: list[int]) -> int:
    """How many are within an hour of the latest."""
    return sum(time > max(times) - HOUR_MS for time in times)


_KINDS = ("tailgates", "backouts", "forced_barriers", "vends", "lane_down")
