"""What a lot cannot know since cars went unseen: doubt, followers, plates that wait, lost credentials.

Written from docs/rules/passback.md and docs/rules/identity.md.
"""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import plates
from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.layout import HELD_OPEN, Lane
from liftgate.sim.world.audit.records import Event
from liftgate.sim.world.audit.stays import Stay

if TYPE_CHECKING:
    from liftgate.sim.world.audit.facts import Lot

FOLLOWED, FORCED = 3, 4
LOST_MAX = 4096
DOUBT_S = 86_400

Cast = tuple[str, int, str, str, bool]
"""Doubt about a lane: its reader and number, its area, the cause, and whether cars may have come in."""


class Unseen:
    """casts: doubt that no event has told yet, with how many stays it made unknown; until: by area, how long
    exits without an entry are taken; nameless: by area, cars that came in and went out without a name, and
    until when that matters; plates: by lane, what waits for a credential; lost: credentials and
    when, the newest last.
    """

    def __init__(self, lot: "Lot") -> None:
        self.lot = lot
        self.casts: dict[Cast, int] = {}
        self.until: dict[str, int] = {}
        self.nameless: dict[str, list[int]] = {}
        self.plates: dict[tuple[str, int], plates.Seen] = {}
        self.lost: dict[bytes, int] = {}

    def rules(self) -> dict[str, Any]:
        found: dict[str, Any] = self.lot.rules.get("passback", {})
        return found

    def doubt_ms(self) -> int:
        return int(self.rules().get("doubt_s", DOUBT_S)) * 1000

    def doubts(self, cause: str) -> bool:
        return cause in self.rules().get("doubt", ())

    # -- what can be asked

    def may_be_in(self, area: str | None, at_ms: int) -> bool:
        """Whether a car may have come unseen into the area or one around it."""
        while area is not None:
            told = self.until.get(area, 0) >= at_ms
            if told or any(cast[2] == area and cast[4] for cast in self.casts):
                return True
            area = self.lot.layout.parents[area]
        return False

    def owes(self, area: str | None, way: int, at_ms: int) -> bool:
        """Whether a car went that way without a name and was not seen since."""
        found = self.nameless.get(area or "")
        return found is not None and found[way - 1] > 0 and at_ms <= found[2]

    # -- lanes

    def held(self) -> set[tuple[str, int]]:
        """The lanes that are held open now."""
        lanes = self.lot.layout.lanes
        return {key for key, lane in lanes.items() if self.lot.mode(lane) == HELD_OPEN}

    def no_more_held(self, before: set[tuple[str, int]]) -> None:
        """Lanes that were held open and are no more, but those that are gone."""
        lanes, specs = self.lot.layout.lanes, self.lot.layout.reader_specs
        gone = before - self.held()
        # In the order in which their readers came to the lot: the first makes the stays unknown.
        for key in [(reader, lane[0]) for reader in specs for lane in specs[reader]]:
            if key in gone and key in lanes and self.doubts("held_open"):
                self._doubt(lanes[key], "held open")

    def _doubt(self, lane: Lane, cause: str) -> None:
        unknown = [s for s in self.lot.stays.open.values() if not s.forgiven and self._could_use(s, lane)]
        for stay in unknown:
            stay.forgiven = True
        cast = (lane.reader, lane.number, lane.area, cause, lane.direction != "exit")
        self.casts[cast] = self.casts.get(cast, 0) + len(unknown)

    def _could_use(self, stay: Stay, lane: Lane) -> bool:
        """At an exit those inside, at an inner entry those just outside."""
        if stay.area is None:
            return False
        out = lane.direction != "entry" and self.lot.layout.within(stay.area, lane.area)
        return out or (lane.direction != "exit" and stay.area == self.lot.outside(lane))

    def passage(self, event: Event, what: int) -> None:
        """A passage is on record: forced barriers cast doubt, cars without a name are remembered."""
        lane = self.lot.lane(event)
        if what == FORCED and self.doubts("forced"):
            self._doubt(lane, "forced")
        if event["effect"] != "adrift":
            return
        if self.doubts("followed") if what == FOLLOWED else self._held_open(lane):
            found = self.nameless.get(lane.area, [0, 0, 0])
            if found[2] < event["at_ms"]:
                found = [0, 0, 0]
            found[event["way"] - 1] += 1
            found[2] = max(found[2], event["at_ms"] + self.doubt_ms())
            self.nameless[lane.area] = found

    def _held_open(self, lane: Lane) -> bool:
        return self.lot.mode(lane) == HELD_OPEN and self.doubts("held_open")

    # -- scans

    def opened(self, event: Event) -> None:
        """A live scan was opened: what it says of a car without a name puts that car's count right."""
        marks, lot = r.marks(event), self.lot
        if "unnamed" in marks:
            area, way = marks["unnamed"][0], marks["unnamed"][1] + 1
            self.seen(area, way)
            if "unknown_entry" not in marks:
                lot.stays.unnamed(area, way == r.OUT)
        if "plate" in marks:
            self.plates.pop(lot.lane(event).key, None)

    def seen(self, area: str, way: int) -> None:
        """One of the cars that went that way without a name was seen again."""
        found = self.nameless.get(area)
        if found is not None:
            found[way - 1] = max(0, found[way - 1] - 1)
            if not any(found[:2]):
                del self.nameless[area]

    # -- what operators and rules do

    def told(self, event: Event) -> None:
        """DoubtCast: from here on time bounds it."""
        key = event["reader"], event["lane"], event["area"], event["cause"]
        self.casts = {cast: stays for cast, stays in self.casts.items() if cast[:4] != key}
        self.believe_none(event["area"], event["until_ms"], event["at_ms"])

    def believe_none(self, area: str, until_ms: int, now_ms: int) -> None:
        """Until then exits without an entry are taken; what is over goes."""
        if until_ms:
            self.until[area] = max(until_ms, self.until.get(area, 0))
            self.until = {id: ms for id, ms in self.until.items() if ms >= now_ms}
            self.nameless = {id: found for id, found in self.nameless.items() if found[2] >= now_ms}

    def lose(self, credential: bytes, at_ms: int) -> None:
        self.lost[credential] = at_ms
        if len(self.lost) > LOST_MAX:
            del self.lost[next(iter(self.lost))]
