"""A lot as it is configured, from the configuration's own records."""

from typing import Any, NamedTuple

NORMAL, HELD_OPEN, CLOSED, CLOSED_TO_ALL, KNOWN_ONLY = 1, 2, 3, 4, 5


class Block(NamedTuple):
    """A run of spots of one class. size: how many."""

    key: str
    area: str
    spot_class: str
    size: int

    def spot(self, number: int) -> str:
        """The name of a spot on signs."""
        return f"{self.key}-{str(number).zfill(max(3, len(str(self.size))))}"


class Lane(NamedTuple):
    """A lane of a reader. taken: per kind of credential "open", "known" or "off"; of tags, where the lot has
    keys for them.
    """

    reader: str
    number: int
    direction: str
    area: str
    gate: str | None
    confirm: bool
    taken: dict[int, str]

    @property
    def key(self) -> tuple[str, int]:
        return self.reader, self.number


class Layout:
    """Areas, blocks, gates and lanes. parents: area → the one it lies in, None for the outermost."""

    def __init__(self) -> None:
        self.spec: dict[str, Any] = {}
        self.reader_specs: dict[str, list[Any]] = {}
        self.assign = "spot"
        self.confirm_ms = 0
        self.parents: dict[str, str | None] = {}
        self.blocks: dict[str, Block] = {}
        self.gates: dict[str, list[str]] = {}
        self.lanes: dict[tuple[str, int], Lane] = {}

    @property
    def by_spot(self) -> bool:
        """Whether cars are sent to numbered spots."""
        return self.assign == "spot"

    @property
    def timezone(self) -> str:
        """Whose times of day its rules mean."""
        zone: str = self.spec["timezone"]
        return zone

    @property
    def outermost(self) -> str:
        return next(area for area, parent in self.parents.items() if parent is None)

    def set_lot(self, spec: dict[str, Any]) -> None:
        """The lot's own configuration, from here on."""
        self.spec, self.assign, self.confirm_ms = spec, spec["assign"], spec["confirm_ms"]
        self.parents = {area["id"]: area["parent"] for area in spec["areas"]}
        self.blocks = {}
        for area in spec["areas"]:
            for spots in area["spots"]:
                key = f"{spots['level']}-{spots['prefix']}"
                self.blocks[key] = Block(key, area["id"], spots["class"], spots["count"])
        self.gates = {gate["id"]: list(gate["nearest"]) for gate in spec["gates"]}
        for reader, lanes in self.reader_specs.items():
            self.set_reader(reader, lanes)

    def set_reader(self, reader: str, lanes: list[Any]) -> None:
        """A reader's lanes, from here on; an area that is not there any more stands for the outermost."""
        self.reader_specs[reader] = lanes
        self.lanes = {key: lane for key, lane in self.lanes.items() if key[0] != reader}
        for number, direction, area, gate, confirm, codes, cards, plates, *tags in lanes:
            inside = self.known_area(area)
            taken = {1: codes, 2: cards, 3: _of_tags(cards, tags), 4: plates}
            self.lanes[reader, number] = Lane(reader, number, direction, inside, gate, confirm, taken)

    def known_area(self, area: str) -> str:
        """The area of that name, or what stands for it since it is gone."""
        return area if area in self.parents else self.outermost

    def within(self, area: str | None, outer: str | None) -> bool:
        """Whether `area` is `outer` or lies inside it; the street (None) lies in nothing but itself."""
        while area is not None and area != outer:
            area = self.parents[area]
        return area == outer

    def spot_name(self, place: tuple[str, int] | None) -> str | None:
        """The name of a spot; None of none, and of a place in a block whose spots are only counted."""
        return None if place is None or not place[1] else self.blocks[place[0]].spot(place[1])

    def area_blocks(self, area: str) -> list[Block]:
        """An area's own blocks, in the file's order."""
        return [block for block in self.blocks.values() if block.area == area]

    def capacity(self, area: str) -> int:
        """Spots of the area itself, inner areas apart."""
        return sum(block.size for block in self.area_blocks(area))

    def lane_blocks(self, lane: Lane) -> list[Block]:
        """The area's blocks as an entry at this lane fills them: the gate's nearest first."""
        blocks = self.area_blocks(lane.area)
        near = self.gates.get(lane.gate or "", [])
        return sorted(blocks, key=lambda block: near.index(block.key) if block.key in near else len(near))


def _of_tags(cards: str, tags: list[str]) -> str:
    """As cards are taken, where a lane does not say that it takes none."""
    return "off" if tags else "open" if cards == "open" else "known"
