"""Books: what an area's count is made of, which counts cannot be, and what was said of them.

From docs/rules/ledger.md. The sum is made here from the records alone: which stay went where, by the model
of the stays before and after each event, and which cars no stay names.
"""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.clocks import days_around, instant_ms
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell
from liftgate.sim.world.audit.stays import Stay

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

TOTALS = (
    "base entered left closed followed_in followed_out unnamed_in unnamed_out corrected configured named "
    "late_in late_out lapsed turned_round"
).split()
SIGNS = {"left": -1, "closed": -1, "followed_out": -1, "unnamed_out": -1}
BESIDE = ("late_in", "late_out", "lapsed", "turned_round")
FOLLOWED = 3
CAME_IN = 0
TURNED = "turned_round"

FOUND_MS = 5_000
"""How long a count may be impossible, or a recount due, in an engine that runs: it looks once a second."""

KINDS = ("count_normal", "below_zero", "above_capacity")
NEVER = 1 << 62


class Book:
    """One area. totals: by name; told: which of KINDS was said last; since_ms: when it was first seen to be
    otherwise, 0 = it is not; counted_at_ms, counter: the last recount; reported, drift: what was said last.
    """

    def __init__(self, base: int) -> None:
        self.begin(base)
        self.told = 0
        self.since_ms = 0
        self.counted_at_ms = 0
        self.counter = ""
        self.reported: list[Any] = []
        self.drift = 0

    def begin(self, base: int) -> None:
        """Count from `base` cars on."""
        self.totals = dict.fromkeys(TOTALS, 0) | {"base": base}

    def sum(self) -> int:
        """The count that they make."""
        return sum(SIGNS.get(name, 1) * self.totals[name] for name in TOTALS if name not in BESIDE)


class Before:
    """What an event was about, before it: where those stays were."""

    def __init__(self, event: Event, lot: Lot) -> None:
        self.credential = _credential(event, lot)
        stays = [lot.moving(event.get("session"))]
        if self.credential is not None:
            stays.append(lot.stay(self.credential))
        self.stays: list[tuple[Stay, str | None]] = [(s, s.area) for s in stays if s is not None]
        self.known = self.credential is not None and lot.stay(self.credential) is not None

    def is_named(self, event: Event) -> bool:
        """Whether the car counted without a name until this exit, and has a stay for it."""
        leaves = event["type"] == r.SCAN and event["verdict"] == r.OPEN and event["way"] == r.OUT
        return leaves and not self.known and event["session"] is not None


def _credential(event: Event, lot: Lot) -> bytes | None:
    kind = event["what"] if event["type"] == r.HISTORY else event["type"]
    if kind == r.SCAN:
        return lot.look(event).credential
    stay = lot.moving(event.get("session"))
    return None if stay is None else stay.credential


class Books(Chapter):
    """Per area the sum is the count, and what a query says of it is that. A count that cannot be is found
    once, until it can be again. A recount begins at the sum. A drift is said once, right after its number.
    turned: sessions that are let out within the grace.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.lots: dict[str, dict[str, Book]] = {}
        self.due_told: dict[str, int] = {}
        self.due_seen: dict[str, int] = {}
        self.turned: set[bytes] = set()
        self.grace = False
        self.drifts: dict[str, dict[str, int]] = {}
        self.before: Before | None = None
        self.ends: tuple[Stay, str | None] | None = None
        self.counts: dict[str, int] = {}
        self.looked_ms = 0

    # -- before an event

    def judge(self, event: Event, lot: Lot) -> None:
        self.before, self.ends, self.counts = None, None, {}
        kind, books = event["type"], self.lots.get(lot.id)
        drifts = self.drifts.pop(lot.id, None)
        if drifts and (kind != r.FINDING or event["kind"] != "drift"):
            self.find("no drift", tell(event), f"a finding first, drift {drifts}")
        if kind in (r.SCAN, r.PASSAGE, r.HISTORY):
            self.before = Before(event, lot)
        elif kind in (r.CLOSED, r.LOST):
            stay = lot.stay(event["credential"])
            self.ends = None if stay is None else (stay, stay.area)
        elif kind == r.LOT_CONFIGURED:
            self.counts = {area: lot.stays.occupancy(area) for area in lot.layout.parents}
        elif kind == r.LAPSED and books:
            self._lapsed(event, lot, books)
        elif kind == r.FINDING:
            self._judge_finding(event, lot, books or {}, drifts)
        elif kind in (r.RECOUNTED, r.REPORTED):
            self._judge_counted(event, lot, books)

    def _lapsed(self, event: Event, lot: Lot, books: dict[str, Book]) -> None:
        stay = lot.stays.waiting.get(event["session"])
        lane = None if stay is None or stay.lane is None else lot.layout.lanes.get(stay.lane)
        if lane is not None:
            books[lane.area].totals["lapsed"] += 1

    def _judge_counted(self, event: Event, lot: Lot, books: dict[str, Book] | None) -> None:
        if books is None:
            self.find("no ledger", tell(event), "nothing counted where no ledger is kept")
            return
        rows = event["areas"] if event["type"] == r.RECOUNTED else [_reported(event)]
        for area, before, after in rows:
            counted = lot.stays.occupancy(area)
            if before != counted or after < 0:
                self.find("wrong recount", tell(event), f"area {area} before {counted}, after 0 or more")
        drifts = {area: _said(lot, area, before - after) for area, before, after in rows}
        self.drifts[lot.id] = {area: said for area, said in drifts.items() if said != books[area].drift}

    def _judge_finding(
        self, event: Event, lot: Lot, books: dict[str, Book], drifts: dict[str, int] | None
    ) -> None:
        kind, about = event["kind"], event["about"]
        if kind in KINDS:
            self._judge_state(event, lot, books.get(about["area"]))
        elif kind == "recount_due":
            due_ms = _due_ms(lot, books, self.due_told.get(lot.id, 0))
            if not books or event["at_ms"] < due_ms:
                self.find("recount early", tell(event), f"not before {due_ms}")
        elif kind == "drift" and about != {"areas": drifts or {}}:
            self.find("wrong drift", tell(event), f"{drifts}, after a number that differs")

    def _judge_state(self, event: Event, lot: Lot, book: Book | None) -> None:
        area, state = event["about"]["area"], KINDS.index(event["kind"])
        if book is None or state != _state(lot, area) or state == book.told:
            told = None if book is None else KINDS[book.told]
            self.find("wrong state", tell(event), f"{KINDS[_state(lot, area)]}, once after {told}")
            return
        about = {"area": area, "occupancy": lot.stays.occupancy(area), "capacity": lot.layout.capacity(area)}
        if event["about"] != about:
            self.find("wrong state", tell(event), f"about {about}")
        book.told, book.since_ms = state, 0

    # -- after it

    def folded(self, event: Event, lot: Lot) -> None:
        kind, books = event["type"], self.lots.get(lot.id)
        if kind in (r.RULES_SET, r.LOT_CONFIGURED):
            self._switched(lot, books)
        elif self.before is not None:
            self._moved(event, lot, books or {}, self.before)
        elif self.ends is not None:
            self._went(books or {}, *self.ends, own=False, late=False)
        elif books and kind == r.NAMED:
            self._got_name(books, event["area"])
        elif books and kind == r.CORRECTED:
            books[event["area"]].totals["corrected"] += event["after"] - event["before"]
        elif books and kind == r.RECOUNTED:
            self._recounted(event, lot, books)
        elif books and kind == r.REPORTED:
            book = books[event["area"]]
            book.reported = [event["at_ms"], event["source"], event["expected"], event["counted"]]
            book.drift = _said(lot, event["area"], event["expected"] - event["counted"])
        elif kind == r.FINDING and event["kind"] == "recount_due":
            self.due_told[lot.id], self.due_seen[lot.id] = event["at_ms"], 0
        if lot.id in self.lots:
            self._add_up(event, lot, self.lots[lot.id])

    def _add_up(self, event: Event, lot: Lot, books: dict[str, Book]) -> None:
        for area, book in books.items():
            if book.sum() != lot.stays.occupancy(area):
                counted = lot.stays.occupancy(area)
                self.find("sum", f"{tell(event)}; {book.totals}", f"{counted} cars in {area}")

    def _switched(self, lot: Lot, books: dict[str, Book] | None) -> None:
        """A ledger begins with the cars that are in; what a change of the file did to it is a line in it."""
        areas = lot.layout.parents
        if "ledger" not in lot.rules:
            self.lots.pop(lot.id, None)
            self.due_told[lot.id] = 0
            lot.themes.pop("ledger", None)
            return
        if books is None:
            books = self.lots[lot.id] = {area: Book(lot.stays.occupancy(area)) for area in areas}
        else:
            for area, book in books.items():
                book.totals["configured"] += lot.stays.occupancy(area) - self.counts.get(area, book.sum())
        lot.themes["ledger"] = lambda: _view(lot, books, self.due_told.get(lot.id, 0))

    def _recounted(self, event: Event, lot: Lot, books: dict[str, Book]) -> None:
        for area, before, after in event["areas"]:
            book = books[area]
            book.begin(after)
            book.counted_at_ms, book.counter = event["at_ms"], event["actor"]
            book.drift = _said(lot, area, before - after)

    def _moved(self, event: Event, lot: Lot, books: dict[str, Book], was: Before) -> None:
        self._mark(event)
        self.grace = bool(lot.rules.get("limits", {}).get("turn_round_s"))
        stay = None if was.credential is None else lot.stay(was.credential)
        stays = dict(was.stays)
        if stay is not None:
            stays.setdefault(stay, None)
        if was.is_named(event):
            self._got_name(books, area := lot.lane(event).area)
            stays = {stay or Stay(event["session"], was.credential or b"", event["at_ms"]): area}
        late = event["type"] == r.HISTORY
        for each, before in stays.items():
            self._went(books, each, before, own=each.session == event["session"], late=late)
        self._nameless(event, lot, books, was)
        if event["type"] == r.SCAN and event["verdict"] == r.OPEN and books:
            self._seen_again(event, lot, books)

    def _seen_again(self, event: Event, lot: Lot, books: dict[str, Book]) -> None:
        """A car that went without a name turns out to be one whose stay counts, or counted, elsewhere."""
        marks = r.marks(event)
        if "unnamed" in marks and "unknown_entry" not in marks:
            area, way = marks["unnamed"]
            change = -1 if way == CAME_IN else 1
            books[area].totals["named"] += change
            outer = lot.layout.parents[area]
            if outer is not None:
                books[outer].totals["named"] -= change

    def _got_name(self, books: dict[str, Book], area: str) -> None:
        """A car that counted without a name has a stay: its entry stands beside."""
        if books:
            books[area].totals["named"] -= 1
            books[area].totals["entered"] += 1

    def _went(self, books: dict[str, Book], stay: Stay, before: str | None, *, own: bool, late: bool) -> None:
        """Where a stay is now; one that went and is not the event's own ended by rule."""
        if stay.area == before:
            return
        turned = stay.area is None and stay.session in self.turned and self.grace
        if stay.area is None:
            self.turned.discard(stay.session)
        if not books:
            return
        if before is not None:
            totals = books[before].totals
            totals["left" if own else "closed"] += 1
            totals["late_out"] += own and late
            totals[TURNED] += own and turned
        if stay.area is not None:
            books[stay.area].totals["entered"] += 1
            books[stay.area].totals["late_in"] += own and late

    def _mark(self, event: Event) -> None:
        """Who is let out within the grace; whoever is let by otherwise, or backs out, is not any more."""
        if event["type"] == r.SCAN and event["verdict"] == r.OPEN and r.marks(event).get(TURNED):
            self.turned.add(event["session"])
        elif event["type"] != r.PASSAGE and event.get("effect") in (r.MOVED, r.PROMISED, "moved", "promised"):
            if not (event["type"] == r.HISTORY and event["what"] == r.PASSAGE):
                self.turned.discard(event["session"])
        elif event.get("effect") == "withdrawn":
            self.turned.discard(event["session"])

    def _nameless(self, event: Event, lot: Lot, books: dict[str, Book], was: Before) -> None:
        way, followed = event["way"], False
        if event["effect"] == "adrift":
            what = event["detail"][0] if event["type"] == r.HISTORY else event.get("what")
            scan = event["type"] == r.HISTORY and event["what"] == r.SCAN
            followed = what == FOLLOWED and not scan
        elif event["type"] != r.SCAN or event["effect"] != r.MOVED or was.known or event["session"]:
            return
        elif way != r.OUT:
            return
        area = lot.lane(event).area
        outer = lot.layout.parents[area]
        name = "followed" if followed else "unnamed"
        for where, inward in ((area, way == r.IN), (outer, way != r.IN)):
            if where is not None and books:
                books[where].totals[f"{name}_{'in' if inward else 'out'}"] += 1

    # -- as time goes by

    def record(self, record: r.Record) -> None:
        if record.now_ms >= self.looked_ms + 1_000:
            self.looked_ms = record.now_ms
            for id, books in self.lots.items():
                self._look(record.now_ms, self.audit.lots[id], books)

    def _look(self, now_ms: int, lot: Lot, books: dict[str, Book]) -> None:
        for area, book in books.items():
            if _state(lot, area) == book.told:
                book.since_ms = 0
            else:
                book.since_ms = book.since_ms or now_ms
                if now_ms - max(book.since_ms, self.audit.up_ms) > FOUND_MS:
                    text = (
                        f"area {area} of {lot.id} has {lot.stays.occupancy(area)} cars since {book.since_ms}"
                    )
                    self.find("impossible count", text, f"{KINDS[_state(lot, area)]} within seconds")
        self._look_due(now_ms, lot, books)

    def _look_due(self, now_ms: int, lot: Lot, books: dict[str, Book]) -> None:
        due_ms = _due_ms(lot, books, self.due_told.get(lot.id, 0))
        seen = self.due_seen.get(lot.id, 0)
        seen = self.due_seen[lot.id] = 0 if due_ms > now_ms else seen or now_ms
        if seen and now_ms - max(seen, self.audit.up_ms) > FOUND_MS:
            self.find("no reminder", f"lot {lot.id} at {now_ms}", f"recount_due at {due_ms}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for id, books in self.lots.items():
            self._look(self.audit.now(), self.audit.lots[id], books)


def _reported(event: Event) -> tuple[str, int, int]:
    return event["area"], event["expected"], event["counted"]


def _state(lot: Lot, area: str) -> int:
    """Which of KINDS the count is."""
    count = lot.stays.occupancy(area)
    return 1 if count < 0 else 2 if count > lot.layout.capacity(area) else 0


def _said(lot: Lot, area: str, drift: int) -> int:
    """The drift, where it is beyond what the rules let pass, else 0."""
    rules = lot.rules["ledger"]
    cars, percent = rules.get("drift_cars", 0), rules.get("drift_percent", 0)
    beyond = (cars and abs(drift) > cars) or (
        percent and abs(drift) > percent / 100 * lot.layout.capacity(area)
    )
    return drift if beyond else 0


def _due_ms(lot: Lot, books: dict[str, Book], told_ms: int) -> int:
    """When a recount falls due: after the last one, or after it was last said to be."""
    rules = lot.rules.get("ledger", {})
    last = max(told_ms, min((book.counted_at_ms for book in books.values()), default=0))
    times = [NEVER]
    if rules.get("recount_every_s"):
        times.append(last + 1000 * rules["recount_every_s"])
    for clock in rules.get("recount_at", ()):
        days = days_around(last, lot.layout.timezone, 0, 2)
        times += [at for day in days if (at := instant_ms(day, clock, lot.layout.timezone)) > last]
    return min(times)


def _view(lot: Lot, books: dict[str, Book], told_ms: int) -> dict[str, Any]:
    """What QUERY ledger says of all areas."""
    due_ms = _due_ms(lot, books, told_ms)
    rows = {area: _row(lot, area, book) for area, book in books.items()}
    return {"areas": rows, "left_out": 0, "recount_due_ms": None if due_ms == NEVER else due_ms}


def _row(lot: Lot, area: str, book: Book) -> dict[str, Any]:
    return book.totals | {
        "occupancy": lot.stays.occupancy(area),
        "capacity": lot.layout.capacity(area),
        "recounted_at_ms": book.counted_at_ms or None,
        "recounted_by": book.counter or None,
        "reported": book.reported or None,
        "drift": book.drift,
    }
