"""Rows: what stands in the journal of a lane between two rows of it (docs/rules/reconciliation.md)."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

COUNTS = (
    "numbers opened refused again passed backed_out followed forced lapsed moved unnamed "
    "late late_opened late_passed late_followed"
).split()
PASSAGES = {1: "passed", 2: "backed_out", 3: "followed", 4: "forced"}
HOUR_MS = 3_600_000
FOUND_MS = 5_000

Key = tuple[str, int]


class Hour:
    """A lane since its last row. counts: by name; since_ms: of the first live event, 0 = none; waiting,
    missing, hour: as the last row has them; seen_ms: when a row was first seen to be due.
    """

    def __init__(self, hour: int = 0, waiting: int = 0, missing: int = 0) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.since_ms = 0
        self.hour, self.waiting, self.missing = hour, waiting, missing
        self.seen_ms = 0

    def live(self, at_ms: int) -> None:
        self.since_ms = self.since_ms or at_ms

    def due_hour(self) -> int:
        """The hour that its live events belong to."""
        return max(self.since_ms // HOUR_MS, self.hour + 1)


class Rows(Chapter):
    """A row is what was journalled of its lane since the row before, under an hour that has none yet; where
    it does not agree its finding stands right before it, and nowhere else. numbers: those known of a reader's
    boot; boots: the one that a reader used last.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.lots: dict[str, dict[Key, Hour]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.numbers: dict[tuple[str, str, int], tuple[int, int]] = {}
        self.boots: dict[tuple[str, str], int] = {}
        self.found: dict[str, Event] = {}
        self.was: tuple[Any, str | None, Key | None] | None = None
        self.looked_ms = 0

    # -- before an event

    def judge(self, event: Event, lot: Lot) -> None:
        self.was, kind = None, event["type"]
        if lot.id in self.found and kind != r.RECONCILED:
            self.find("stray difference", tell(self.found.pop(lot.id)), "its row next")
        if kind == r.RECONCILED:
            self._judge_row(event, lot)
        elif kind == r.FINDING and event["kind"] == "reconciliation":
            self.found[lot.id] = event
        elif kind in r.READER_EVENTS:
            self._note_before(event, lot)
        elif kind == r.LAPSED and lot.id in self.lots:
            stay = lot.stays.waiting.get(event["session"])
            if stay is not None and stay.lane is not None:
                hour = self._hour(lot, stay.lane)
                hour.live(event["at_ms"])
                hour.counts["lapsed"] += 1

    def _note_before(self, event: Event, lot: Lot) -> None:
        kind = event["what"] if event["type"] == r.HISTORY else event["type"]
        if kind == r.LANE:
            return
        stay = lot.look(event).stay if kind == r.SCAN else lot.moving(event["session"])
        if stay is not None and stay.session != event["session"]:
            stay = None
        area = None if stay is None else stay.area
        self.was = (stay, area, stay.lane if stay is not None and stay.waits else None)

    def _hour(self, lot: Lot, key: Key) -> Hour:
        return self.lots[lot.id].setdefault(key, Hour())

    def _judge_row(self, event: Event, lot: Lot) -> None:
        finding = self.found.pop(lot.id, None)
        if lot.id not in self.lots:
            self.find("no rows", tell(event), "no row where the theme is off")
            return
        key = (event["reader"], event["lane"])
        hour = self._hour(lot, key)
        waiting = sum(stay.lane == key for stay in lot.stays.waiting.values())
        missing = self._missing(lot, event["reader"])
        expected = [list(hour.counts.values()), waiting, missing]
        if [list(event["counts"]), event["waiting"], event["missing"]] != expected:
            self.find("wrong row", tell(event), f"{hour.counts}, waiting {waiting}, missing {missing}")
        self._judge_hour(event, hour)
        lane = lot.layout.lanes.get(key)
        differs = _differs(hour, lane is not None and lane.confirm, waiting, missing)
        self._judge_difference(event, lot, differs, finding)
        self.lots[lot.id][key] = Hour(event["hour"], waiting, missing)
        self.rows[lot.id].insert(0, _row(event))

    def _judge_hour(self, event: Event, hour: Hour) -> None:
        now = event["at_ms"] // HOUR_MS
        expected = hour.due_hour() if hour.since_ms else now - 1
        if event["hour"] != expected or not hour.hour < expected < now:
            text = f"hour {expected}, after {hour.hour} and over by {now}"
            self.find("wrong hour", tell(event), text)

    def _judge_difference(self, event: Event, lot: Lot, differs: bool, finding: Event | None) -> None:
        if bool(event["difference"]) != differs:
            self.find("wrong difference", tell(event), f"a difference: {differs}")
        told = finding is not None and lot.rules["reconciliation"].get("findings", True)
        wanted = differs and lot.rules["reconciliation"].get("findings", True)
        about = {name: event[name] for name in ("reader", "lane", "hour")}
        if (finding is not None) != wanted or (told and finding is not None and finding["about"] != about):
            self.find("wrong finding of a row", tell(event), f"right before it one about {about}: {wanted}")

    def _missing(self, lot: Lot, reader: str) -> int:
        """Numbers that the reader owes below its highest."""
        boot = self.boots.get((lot.id, reader))
        highest, count = self.numbers.get((lot.id, reader, boot or 0), (0, 0))
        return highest - count

    # -- after it

    def folded(self, event: Event, lot: Lot) -> None:
        kind = event["type"]
        if kind in (r.RULES_SET, r.LOT_CONFIGURED):
            self._switched(lot)
        elif kind in r.READER_EVENTS:
            name = (lot.id, event["reader"], event["boot"])
            highest, count = self.numbers.get(name, (0, 0))
            self.numbers[name] = (max(highest, event["no"]), count + 1)
            self.boots[lot.id, event["reader"]] = event["boot"]
            if lot.id in self.lots:
                self._count(event, self._hour(lot, (event["reader"], event["lane"])))

    def _switched(self, lot: Lot) -> None:
        if "reconciliation" not in lot.rules:
            self.lots.pop(lot.id, None)
            lot.themes.pop("reconciliation", None)
        elif lot.id not in self.lots:
            self.lots[lot.id] = {}
            rows = self.rows[lot.id] = []
            lot.themes["reconciliation"] = lambda: rows

    def _count(self, event: Event, hour: Hour) -> None:
        counts, kind = hour.counts, event["type"]
        counts["numbers"] += 1
        if kind == r.HISTORY:
            self._count_late(event, counts)
        else:
            hour.live(event["at_ms"])
        if kind == r.SCAN:
            counts["opened" if event["verdict"] == r.OPEN else "refused"] += 1
        elif kind == r.PASSAGE:
            counts[PASSAGES[event["what"]]] += 1
        if self.was is not None:
            self._count_moves(event, counts)

    def _count_late(self, event: Event, counts: dict[str, int]) -> None:
        counts["late"] += 1
        if event["what"] == r.SCAN:
            counts["late_opened"] += event["verdict_given"] == r.OPEN
        elif event["what"] == r.PASSAGE and PASSAGES[event["detail"][0]] in ("passed", "followed"):
            counts["late_" + PASSAGES[event["detail"][0]]] += 1

    def _count_moves(self, event: Event, counts: dict[str, int]) -> None:
        assert self.was is not None
        stay, area, waited = self.was
        effect, scan = event["effect"], event["type"] == r.SCAN
        history_scan = event["type"] == r.HISTORY and event["what"] == r.SCAN
        nameless = scan and effect == r.MOVED and event["way"] == r.OUT and event["session"] is None
        if effect == "adrift" or nameless:
            counts["unnamed"] += 1
        elif effect in (r.MOVED, "moved"):  # a stay that is new goes somewhere
            counts["moved"] += stay is None or stay.area != area
        elif effect in (r.PROMISED, "promised") and (scan or history_scan):
            counts["again"] += waited == (event["reader"], event["lane"])

    # -- as time goes by

    def record(self, record: r.Record) -> None:
        if record.now_ms >= self.looked_ms + 1_000:
            self._look(record.now_ms)

    def _look(self, now_ms: int) -> None:
        self.looked_ms = now_ms
        for id, lanes in self.lots.items():
            for key, hour in lanes.items():
                if not hour.since_ms or hour.due_hour() >= now_ms // HOUR_MS:
                    continue
                hour.seen_ms = hour.seen_ms or now_ms
                if now_ms - max(hour.seen_ms, self.audit.up_ms) > FOUND_MS:
                    self.find("no row", f"lane {key} of {id} at {now_ms}", f"a row of hour {hour.due_hour()}")

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        self._look(self.audit.now())


def _differs(hour: Hour, confirm: bool, waiting: int, missing: int) -> bool:
    """Whether what was opened, what passed and what was counted do not come to the same."""
    n = hour.counts
    passed, followed = n["passed"] + n["late_passed"], n["followed"] + n["late_followed"]
    opened = n["opened"] + n["late_opened"]
    stand = waiting - hour.waiting if confirm else 0
    by_loop = bool(confirm or passed) and opened - n["again"] != passed + n["backed_out"] + stand
    due = (passed if confirm else opened) + followed
    by_ledger = due != n["moved"] + n["unnamed"] or n["unnamed"] > followed
    return by_loop or by_ledger or bool(followed or n["forced"]) or missing != hour.missing


def _row(event: Event) -> dict[str, Any]:
    """A row as QUERY reconciliation shows it."""
    head = {"hour_ms": event["hour"] * HOUR_MS, "reader": event["reader"], "lane": event["lane"]}
    tail = {name: event[name] for name in ("waiting", "missing", "difference")}
    return head | dict(zip(COUNTS, event["counts"], strict=True)) | tail
