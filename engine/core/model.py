"""The state of one lot: areas, blocks of spots, gates, readers, open stays, and what was answered.

A lot is the unit of everything. Its state is a fold of `apply` over its events, so nothing here reads a
clock, draws a number or touches a file. Names for operators are `id`s; objects hold each other directly so
that a decision looks up nothing by name.
"""

from collections.abc import Iterable
from typing import Any, Protocol

from liftgate.codecs import codes
from liftgate.engine.core.marks import Marks
from liftgate.engine.core.numbering import Numbering
from liftgate.engine.core.spots import FreeSpots
from liftgate.engine.core.tally import AreaTally, LaneTally

NUMBERINGS_MAX = 4
"""Numberings of one reader that keep their answers, some 80 KB each when full. A reader without a lasting log
draws a boot at every start and never asks for the old one again. Beyond 4 the one longest unused is retired:
it is remembered by name, and everything under it is answered 205, never decided again."""

RETIRED_MAX = 4096
"""Boots remembered after that, 8 bytes of news each: ten years of a restart a day."""

LAPSED_MAX = 4096
"""Moves that are remembered after their hold lapsed, so that a PASSAGE which comes late (the reader was cut
off) still finds its stay. The oldest goes first; its passage then counts a car unnamed."""

OUTCOMES_MAX = 4096
"""COMMANDs whose outcome is kept for repetition; a service repeats within seconds, this is hours."""


PLACES_MAX = 65_536
"""Names of spots that replay has read already, some 150 bytes each; then it begins anew."""


class Tariff(Protocol):
    """What prices a stay at its exit; the seam that tariffs fill. A lot without one is free."""

    def price_minor(self, entered_at_ms: int, left_at_ms: int) -> int:
        """What is owed for the stay, in minor units of the lot's currency, >= 0."""


class Block:
    """A run of spots of one class on one level, filled from its lowest number.

    key: "P1-A", unique in the lot; count: spots; taken: how many are taken or held; free: which numbers are
    free, None in a lot that does not assign spots.
    """

    def __init__(self, key: str, area: "Area", spot_class: str, count: int, by_spot: bool) -> None:
        self.key = key
        self.area = area
        self.spot_class = spot_class
        self.count = count
        self.taken = 0
        self.free = FreeSpots(count) if by_spot else None
        self.names: list[str | None] = []

    def candidate(self) -> int:
        """The spot to give next: its number; 0 where the lot assigns none; -1 when the block is full."""
        if self.free is not None:
            number = self.free.lowest()
            return number if number else -1
        return 0 if self.taken < self.count else -1

    def take(self, number: int) -> None:
        """Take a spot that `candidate` named. A number that is gone (the block shrank) is only counted."""
        self.taken += 1
        if self.free is not None:
            self.free.take(number)

    def release(self, number: int) -> None:
        """Undo `take`."""
        self.taken -= 1
        if self.free is not None:
            self.free.release(number)

    def name(self, number: int) -> str:
        """The spot's name on signs and displays, "P1-A-017". Kept, since low numbers are given often."""
        names = self.names
        while len(names) <= number:
            names.append(None)
        name = names[number]
        if name is None:
            name = names[number] = f"{self.key}-{number:0{max(3, len(str(self.count)))}d}"
        return name


class Area:
    """A part of the lot with lanes of its own, perhaps inside another one.

    capacity: its own spots, without those of areas inside it; inside: stays that are in it and in no inner
    area; adrift: cars that no stay names, from the ledger (tailgates, corrections), may be negative;
    held: spots promised to cars that have not passed yet; tally: how it came to that count.
    """

    def __init__(self, id: str, parent: "Area | None") -> None:
        self.id = id
        self.parent = parent
        self.blocks: list[Block] = []
        self.capacity = 0
        self.inside = 0
        self.adrift = 0
        self.held = 0
        self.planned = 0
        self.tally = AreaTally()

    def available(self) -> int:
        """capacity - occupancy - held; negative when more cars are in than there are spots."""
        return self.capacity - self.inside - self.adrift - self.held

    def within(self, outer: "Area | None") -> bool:
        """Whether this is `outer` or lies inside it. Everything lies inside None, the street."""
        if outer is None:
            return True
        area: Area | None = self
        while area is not None:
            if area is outer:
                return True
            area = area.parent
        return False


class Gate:
    """Where cars come in, with the order in which it fills blocks.

    nearest: block keys in order of nearness; blocks that it does not name come after, in file order.
    """

    def __init__(self, id: str, nearest: tuple[str, ...]) -> None:
        self.id = id
        self.nearest = nearest
        self.order: dict[str, list[Block]] = {}

    def blocks(self, area: Area) -> list[Block]:
        """The area's blocks in this gate's order; made once, dropped when the lot is configured."""
        order = self.order.get(area.id)
        if order is None:
            order = self.order[area.id] = _ranked(area.blocks, self.nearest)
        return order


def _ranked(blocks: list[Block], nearest: tuple[str, ...]) -> list[Block]:
    rank = {key: place for place, key in enumerate(nearest)}
    return sorted(blocks, key=lambda block: rank.get(block.key, len(rank)))


class Lane:
    """One traffic path past a reader.

    direction: "entry", "exit" or "both", way: the same as IN, OUT or 0; area: leads into or out of it;
    policy: per kind of credential (index = kind) "open", "known" or "off"; confirm: a car counts only after
    its PASSAGE; mode: SET_LANE's; mode_set: whether one was ever set, so that the reader is told at each
    sign-on, normal too; tide: where it is tidal, how it runs: IN, OUT or 0, until when it clears, since when
    (`parts/lanes/tides.py`);
    entry, exit: those of the lot's rules that can matter here (`Lot.choose_rules`);
    tally: what happened here since its last row of the hourly reconciliation.
    """

    def __init__(
        self, reader: "Reader", number: int, direction: str, area: Area, gate: Gate | None, confirm: bool
    ) -> None:
        self.reader = reader
        self.number = number
        self.direction = direction
        self.way = {"entry": codes.IN, "exit": codes.OUT}.get(direction, 0)
        self.area = area
        self.gate = gate
        self.confirm = confirm
        self.policy: tuple[str, ...] = ("off", "off", "off", "off", "off")
        self.mode = 1
        self.mode_set = False
        self.ranked: list[Block] | None = None
        self.tide: tuple[int, int, int] | None = None
        self.entry: tuple[Any, ...] = ()
        self.exit: tuple[Any, ...] = ()
        self.barrier = 0
        self.loop = False
        self.faults: tuple[str, ...] = ()
        self.tally = LaneTally()

    def blocks(self) -> list[Block]:
        """The blocks that an entry here may fill, nearest first; looked up once while area and gate stay."""
        if self.ranked is None:
            self.ranked = self.area.blocks if self.gate is None else self.gate.blocks(self.area)
        return self.ranked

    def relink(self, area: Area, gate: Gate | None) -> None:
        """Point at area and gate as they are now."""
        self.area, self.gate, self.ranked = area, gate, None


class Reader:
    """A device that reads credentials, with its lanes and its numberings (by boot, the latest used last).

    tallies: those of its lanes by number, also of lanes that the file has no more.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.spec: tuple[Any, ...] = ()
        self.lanes: dict[int, Lane] = {}
        self.tallies: dict[int, LaneTally] = {}
        self.numberings: dict[int, Numbering] = {}
        self.retired: dict[int, None] = {}
        self.latest: Numbering | None = None

    def numbering(self, boot: int) -> Numbering:
        """The numbering of `boot`; a new one is kept only once an event of it is applied."""
        latest = self.latest
        if latest is not None and latest.boot == boot:
            return latest
        known = self.numberings.get(boot)
        return known if known is not None else Numbering(boot, boot in self.retired)

    def keep(self, numbering: Numbering) -> None:
        """Note that `numbering` was used; retire the one longest unused when there are too many."""
        if numbering is self.latest:
            return
        numberings = self.numberings
        if numberings.pop(numbering.boot, numbering) is not numbering:
            raise ValueError(f"a second numbering of boot {numbering.boot} of {self.id}")
        numberings[numbering.boot] = numbering
        self.latest = numbering
        if len(numberings) > NUMBERINGS_MAX:
            oldest = next(iter(numberings))
            numberings.pop(oldest).retire()
            self.retired[oldest] = None
            if len(self.retired) > RETIRED_MAX:
                del self.retired[next(iter(self.retired))]


class Stay:
    """A car from entry to exit.

    session: its 16 bytes on the wire; credential: kind byte + token; area: where the car is, None = on the
    street; block, number: the spot it has; moving: a barrier was opened for it and no PASSAGE came yet, then
    to, to_block, to_number say where it will be and lane which barrier; forgiven: its place is not believed
    (anti-passback was reset), the next sighting decides; notes: what parts keep with it, plain data by theme,
    None where they keep nothing. Stays share notes, so they are replaced and never changed. by: the marks
    by which it came in, where they are at hand and the notes still say so: a short cut, no part of the state.
    """

    def __init__(self, session: bytes, credential: bytes, entered_at_ms: int) -> None:
        self.session = session
        self.credential = credential
        self.entered_at_ms = entered_at_ms
        self.paid_until_ms = 0
        self.area: Area | None = None
        self.block: Block | None = None
        self.number = 0
        self.moving = False
        self.forgiven = False
        self.to: Area | None = None
        self.to_block: Block | None = None
        self.to_number = 0
        self.lane: Lane | None = None
        self.since_ms = 0
        self.notes: dict[str, Any] | None = None
        self.by: Marks | None = None

    def holds(self) -> bool:
        """Whether its move holds a place where it goes. One out of an inner area does not: it is counted in
        the outer one already, and twice would make a full lot's `available` negative.
        """
        return self.to is not None and (self.area is None or not self.area.within(self.to))

    def is_promised(self, area: Area) -> bool:
        """Whether a place in `area` is held for it: its barrier there was opened and it did not pass yet."""
        return self.moving and self.to is area and self.holds()

    def spot_name(self) -> str | None:
        """The name of the spot it has or was promised."""
        block, number = (self.to_block, self.to_number) if self.moving else (self.block, self.number)
        return block.name(number) if block is not None and number else None


class Lot:
    """Everything that is known of one lot.

    seq: number of its last event, from 1 without gaps; at_ms: time of the event that is being applied, marks:
    what rules had it say, None where it is no scan or has none, said: the same where they are usual ones
    (`core/marks.py`; both no part of the state);
    stays: open ones by credential; moving: those with an opened barrier before them, by session, oldest
    first; lapsed: those that waited too long for their PASSAGE and were not seen since, open or not, by
    session, see LAPSED_MAX; denied, known: by credential; forgiven: credentials whose next exit needs no
    entry; places: what names of spots stand for, as far as replay has met them. rules: by theme, as plain
    data; parts: the state behind them (`parts/`), watchers, listeners and lane_listeners those that are
    told of cars that moved, of events and of passages, scan_listeners those of the listeners that are told of
    scans without marks or with usual ones too; untold: lanes whose readers are still to be told
    their mode, for the gateway (no part of the state); entry, exit: the rules asked, in order
    (`rules/table.py`); a lane has its own choice of them.
    """

    def __init__(self, id: str) -> None:
        self.id = id
        self.id_utf8 = id.encode()
        self.tag = 0
        self.seq = 0
        self.spec: dict[str, Any] = {}
        self.name = id
        self.timezone = "UTC"
        self.currency = "EUR"
        self.assign = "spot"
        self.confirm_ms = 120_000
        self.areas: dict[str, Area] = {}
        self.blocks: dict[str, Block] = {}
        self.places: dict[str, tuple[Block, int]] = {}
        self.gates: dict[str, Gate] = {}
        self.readers: dict[str, Reader] = {}
        self.stays: dict[bytes, Stay] = {}
        self.moving: dict[bytes, Stay] = {}
        self.lapsed: dict[bytes, Stay] = {}
        self.denied: dict[bytes, str] = {}
        self.known: dict[bytes, tuple[str, ...]] = {}
        self.forgiven: dict[bytes, None] = {}
        self.outcomes: dict[bytes, tuple[bool, str, dict[str, Any], int]] = {}
        self.tariff: Tariff | None = None
        self.at_ms = 0
        self.marks: dict[str, Any] | None = None
        self.said: Marks | None = None
        self.rules: dict[str, Any] = {}
        self.parts: dict[str, Any] = {}
        self.entry: tuple[Any, ...] = ()
        self.exit: tuple[Any, ...] = ()
        self.watchers: tuple[Any, ...] = ()
        self.listeners: tuple[Any, ...] = ()
        self.scan_listeners: tuple[Any, ...] = ()
        self.lane_listeners: tuple[Any, ...] = ()
        self.untold: dict[tuple[str, int], None] = {}

    @property
    def outermost(self) -> Area:
        """The area that all others lie inside."""
        return next(iter(self.areas.values()))

    def ruled(self, theme: str) -> Any | None:
        """The part of a theme that the lot has rules for (parts that keep them in `rules`), else None."""
        part = self.parts.get(theme)
        return None if part is None or part.rules is None else part

    def choose_rules(self, lanes: Iterable[Lane]) -> None:
        """Have lanes ask those of the lot's rules that can matter there, as lane and lot are now."""
        same: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for lane in lanes:
            entry = tuple([rule for rule in self.entry if rule.concerns(lane)])
            exit = tuple([rule for rule in self.exit if rule.concerns(lane)])
            lane.entry, lane.exit = same.setdefault(entry, entry), same.setdefault(exit, exit)

    def all_stays(self) -> list[Stay]:
        """Open stays, then those that ended because their entry lapsed."""
        return [*self.stays.values(), *(stay for stay in self.lapsed.values() if stay.area is None)]

    def counts(self) -> dict[str, int]:
        """capacity, occupancy, held and available of the whole lot."""
        areas = self.areas.values()
        capacity = sum(area.capacity for area in areas)
        occupancy = sum(area.inside + area.adrift for area in areas)
        held = sum(area.held for area in areas)
        return {
            "capacity": capacity,
            "occupancy": occupancy,
            "held": held,
            "available": capacity - occupancy - held,
        }
