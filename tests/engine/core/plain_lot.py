"""A lot in plain dicts, written from protocol.md and design.md: what the core is held against.

It shares no code with the core and is as slow as it likes: it counts by looking at every car.

cars: by session, each a dict: who (credential), area (None: street), spot ((block, number) or None), doubted,
and going/late: None or {to, spot, lane, since, turn}, a barrier that was opened and no PASSAGE yet (late: its
hold lapsed since). A car is open while `inside` names it.
"""

from __future__ import annotations

from typing import Any

Car = dict[str, Any]
IN, OUT = 1, 2


class PlainLot:
    def __init__(self) -> None:
        self.areas: dict[str, dict[str, Any]] = {}
        self.blocks: dict[str, dict[str, Any]] = {}
        self.gates: dict[str, list[str]] = {}
        self.lanes: dict[tuple[str, int], dict[str, Any]] = {}
        self.cars: dict[bytes, Car] = {}
        self.inside: dict[bytes, bytes] = {}
        self.denied: set[bytes] = set()
        self.known: dict[bytes, tuple[str, ...]] = {}
        self.pardoned: set[bytes] = set()
        self.by_spot = True
        self.confirm_ms = 0
        self.turn = 0

    # -- counting

    def occupancy(self, area: str) -> int:
        there = sum(car["area"] == area for car in self._open())
        return int(there + self.areas[area]["adrift"])

    def held(self, area: str) -> int:
        """Moves into the area by cars that are not counted in it, or in what lies inside it, already."""
        return sum(self.is_held(car, area) for car in self._open())

    def is_held(self, car: Car, area: str) -> bool:
        """Whether its opened barrier keeps a place there: none where the car counts already."""
        coming = car["going"] is not None and car["going"]["to"] == area
        return coming and not self.is_within(car["area"], area)

    def available(self, area: str) -> int:
        return int(self.areas[area]["capacity"] - self.occupancy(area) - self.held(area))

    def counts(self) -> dict[str, int]:
        total = {
            "capacity": sum(area["capacity"] for area in self.areas.values()),
            "occupancy": sum(map(self.occupancy, self.areas)),
            "held": sum(map(self.held, self.areas)),
        }
        return total | {"available": total["capacity"] - total["occupancy"] - total["held"]}

    def _open(self) -> list[Car]:
        return [self.cars[session] for session in self.inside.values()]

    def taken(self) -> list[tuple[str, int]]:
        spots = [car["spot"] for car in self._open() if car["area"]]
        spots += [car["going"]["spot"] for car in self._open() if car["going"]]
        return [spot for spot in spots if spot]

    def is_within(self, area: str | None, outer: str) -> bool:
        while area is not None and area != outer:
            area = self.areas[area]["parent"]
        return area == outer

    # -- rules

    def way(self, who: bytes, at: dict[str, Any]) -> int:
        if at["direction"] != "both":
            return IN if at["direction"] == "entry" else OUT
        car = self.car_of(who)
        return OUT if car and self.is_within(car["area"], at["area"]) else IN

    def car_of(self, who: bytes) -> Car | None:
        return self.cars[self.inside[who]] if who in self.inside else None

    def objection(self, who: bytes, at: dict[str, Any], way: int) -> int:
        """The reason that refuses, or 0."""
        policy = at["policy"][who[0]]
        if at["mode"] == 4 or (at["mode"] == 3 and way == IN):
            return 100
        if policy == "off":
            return 101
        return self._objection_out(who, at) if way == OUT else self._objection_in(who, at, policy)

    def _objection_in(self, who: bytes, at: dict[str, Any], policy: str) -> int:
        if who in self.denied:
            return 201
        if (policy == "known" or at["mode"] == 5) and who not in self.known:
            return 200
        car, outside = self.car_of(who), self.areas[at["area"]]["parent"]
        if car is None and outside is not None:
            return 211
        if car is not None and car["area"] != outside and not car["doubted"]:
            return 210
        return self.space(who, at)[0]

    def _objection_out(self, who: bytes, at: dict[str, Any]) -> int:
        car = self.car_of(who)
        if car is None:
            return 0 if who in self.pardoned else 211
        return 0 if car["doubted"] or self.is_within(car["area"], at["area"]) else 211

    def space(self, who: bytes, at: dict[str, Any]) -> tuple[int, tuple[str, int] | None]:
        """The reason why there is none, and the spot to give."""
        car = self.car_of(who)
        if car and self.is_held(car, at["area"]):
            return 0, car["going"]["spot"]
        if self.available(at["area"]) <= 0:
            return 300, None
        near = self.gates.get(at["gate"], [])
        keys = [key for key, block in self.blocks.items() if block["area"] == at["area"]]
        keys.sort(key=lambda key: near.index(key) if key in near else len(near))
        free = {key: spot for key in keys if (spot := self._lowest(key)) is not None}
        for wanted in self.known.get(who, ("standard",)):
            for key in free:
                if self.blocks[key]["class"] == wanted:
                    return 0, free[key]
        return (301 if free else 300), None

    def _lowest(self, key: str) -> tuple[str, int] | None:
        size, taken = self.blocks[key]["count"], self.taken()
        if not self.by_spot:
            return (key, 0) if sum(spot[0] == key for spot in taken) < size else None
        return next(((key, n) for n in range(1, size + 1) if (key, n) not in taken), None)

    # -- what happens

    def goes_on(self, who: bytes, at: dict[str, Any]) -> bool:
        """Whether an entry goes on with the car's stay; else it begins one, and the old gives way."""
        car = self.car_of(who)
        return car is not None and car["area"] == self.areas[at["area"]]["parent"]

    def enter(self, who: bytes, session: bytes, at: dict[str, Any], spot: Any, at_ms: int) -> None:
        if self.inside.get(who) != session:
            self.pardoned.discard(who)
            if who in self.inside:
                self._end(self.inside[who])
        if session not in self.cars:
            self.cars[session] = {"who": who, "area": None, "spot": None, "doubted": False}
            self.cars[session] |= {"going": None, "late": None}
        self.inside[who] = session
        self._go(self.cars[session], at, at["area"], spot, at_ms)

    def leave(self, who: bytes, at: dict[str, Any], at_ms: int) -> None:
        car = self.car_of(who)
        assert car is not None
        self._go(car, at, self.areas[at["area"]]["parent"], None, at_ms)

    def _go(self, car: Car, at: dict[str, Any], to: str | None, spot: Any, at_ms: int) -> None:
        car["going"] = car["late"] = None
        if at["confirm"]:
            self.turn += 1
            lane = at["name"]
            car["going"] = {"to": to, "spot": spot, "lane": lane, "since": at_ms, "turn": self.turn}
        else:
            self.arrive(car, to, spot)

    def arrive(self, car: Car, to: str | None, spot: Any) -> None:
        car |= {"area": to, "spot": spot, "doubted": False, "going": None, "late": None}
        if to is None:
            del self.inside[car["who"]]

    def _end(self, session: bytes) -> None:
        self.arrive(self.cars[session], None, None)

    def unnamed(self, area: str, change: int) -> None:
        self.areas[area]["adrift"] += change
        outer = self.areas[area]["parent"]
        if outer is not None:
            self.areas[outer]["adrift"] -= change

    def passed(self, session: bytes) -> None:
        """The car went through, perhaps long ago: then its spot may be another's by now."""
        car = self.cars[session]
        if car["going"]:
            self.arrive(car, car["going"]["to"], car["going"]["spot"])
            return
        to = car["late"]["to"]
        if self.inside.get(car["who"], session) != session:
            self._end(self.inside[car["who"]])
        self.inside[car["who"]] = session
        self.arrive(car, to, None)

    def backed_out(self, session: bytes) -> None:
        car = self.cars[session]
        if car["area"] is None and car["going"]:
            del self.inside[car["who"]]
        car["going"] = car["late"] = None

    def lapse(self, now_ms: int) -> set[bytes]:
        due = {s for s, car in self.cars.items() if car["going"] and self._is_due(car, now_ms)}
        for session in due:
            car = self.cars[session]
            car["late"], car["going"] = car["going"], None
            if car["area"] is None:
                del self.inside[car["who"]]
        return due

    def _is_due(self, car: Car, now_ms: int) -> bool:
        return bool(car["going"]["since"] + self.confirm_ms <= now_ms)

    def waiting_at(self, lane: tuple[str, int]) -> bytes | None:
        """Live, without a session: whose barrier was opened first."""
        here = [(car["going"]["turn"], s) for s, car in self.cars.items() if self._is_at(car["going"], lane)]
        return min(here)[1] if here else None

    def was_at(self, lane: tuple[str, int], at_ms: int) -> set[bytes]:
        """History, without a session: whose hold covered that time, the earliest (more than one: any)."""
        moves = {s: car["going"] or car["late"] for s, car in self.cars.items()}
        here = {s: move["since"] for s, move in moves.items() if self._is_at(move, lane)}
        here = {s: since for s, since in here.items() if since <= at_ms <= since + self.confirm_ms}
        return {s for s, since in here.items() if since == min(here.values())}

    @staticmethod
    def _is_at(move: dict[str, Any] | None, lane: tuple[str, int]) -> bool:
        return move is not None and move["lane"] == lane

    # -- configuration

    def configure(self, spec: dict[str, Any]) -> None:
        adrift = {id: area["adrift"] for id, area in self.areas.items()}
        self.areas = {a["id"]: {"parent": a["parent"], "capacity": 0, "adrift": 0} for a in spec["areas"]}
        outermost = next(id for id, area in self.areas.items() if area["parent"] is None)
        self.blocks = {}
        for area in spec["areas"]:
            for spots in area["spots"]:
                key = f"{spots['level']}-{spots['prefix']}"
                self.blocks[key] = {"area": area["id"], "class": spots["class"], "count": spots["count"]}
                self.areas[area["id"]]["capacity"] += spots["count"]
        self.gates = {gate["id"]: gate["nearest"] for gate in spec["gates"]}
        self.by_spot, self.confirm_ms = spec["assign"] == "spot", spec["confirm_ms"]
        for id, cars in adrift.items():
            self.areas[id if id in self.areas else outermost]["adrift"] += cars
        for car in self.cars.values():
            self._put_back(car, outermost)
        for at in self.lanes.values():
            at["area"] = at["wanted"] if at["wanted"] in self.areas else outermost

    def _put_back(self, car: Car, outermost: str) -> None:
        if car["area"] is not None and car["area"] not in self.areas:
            car["area"] = outermost
        car["spot"] = self._still(car["spot"])
        for move in (car["going"], car["late"]):
            if move:
                move["spot"] = self._still(move["spot"])
                if move["to"] is not None and move["to"] not in self.areas:
                    move["to"] = outermost

    def _still(self, spot: tuple[str, int] | None) -> tuple[str, int] | None:
        """The spot, if it is there in the way that spots are given now."""
        if spot is None or spot[0] not in self.blocks or spot[1] > self.blocks[spot[0]]["count"]:
            return None
        return spot if self.by_spot == (spot[1] > 0) else None

    def configure_reader(self, reader: str, lanes: tuple[tuple[Any, ...], ...]) -> None:
        modes = {name: at["mode"] for name, at in self.lanes.items()}
        outermost = next(id for id, area in self.areas.items() if area["parent"] is None)
        self.lanes = {name: at for name, at in self.lanes.items() if name[0] != reader}
        for number, direction, area, gate, confirm, codes, cards, plates in lanes:
            self.lanes[reader, number] = {
                "name": (reader, number),
                "direction": direction,
                "wanted": area,
                "area": area if area in self.areas else outermost,
                "gate": gate,
                "confirm": confirm,
                "policy": ("off", codes, cards, "off", plates),
                "mode": modes.get((reader, number), 1),
            }
        for car in self.cars.values():
            for move in (car["going"], car["late"]):
                if move and move["lane"] is not None and move["lane"][0] == reader:
                    move["lane"] = move["lane"] if move["lane"] in self.lanes else None
