"""What each field of an event means, its unit, and an example: for the schemas and `docs/events.md`.

By the field's name, as names mean the same everywhere; where one does not, under (event, name).
"""

from __future__ import annotations

from typing import Any

ID = "9f2c51d07be94a3f8d1c6a0b52e7f410"
SESSION = "0000019ff0c2b5006e6f727468000004"
HASH = "5d41402abc4b2a76b9719d911017c592"
AT_MS = 1_795_348_800_123

Word = tuple[str, Any]
"""(meaning with unit, example as it stands in the value)."""

LANES = [[0, "entry", "north", None, True, "open", "open"]]

POSITION: Word = (
    "position in the engine's journal, over all its lots: within one lot it grows, with gaps",
    4711,
)

BY_NAME: dict[str, Word] = {
    "lot": ("id of the lot", "north"),
    "seq": ("number within the lot, from 1, without a gap", 204),
    "at_ms": ("when it was decided, Unix milliseconds by the engine's clock", AT_MS),
    "reader": ("id of the reader", "north-entry-1"),
    "boot": ("which start of the reader it was: with reader and no the event's name for ever", 7),
    "no": ("number that the reader gave it since that start", 1234),
    "lane": ("number of the reader's lane", 0),
    "way": ("1 in, 2 out", 1),
    "area": ("id of the area", "north"),
    "session": ("id of the stay, 16 bytes as hex digits; null: none known", SESSION),
    "spot": ("name of the spot; null: none", "P1-A-017"),
    "actor": ("who asked for it, as the service names them; empty: a rule did it", "mia"),
    "reason": ("why, for people", "counted by hand"),
    "cause": ("why, in the words of rules or of an operator", "held open"),
    "id": ("16 bytes as hex digits: the order's id, of the reservation for ever", ID),
    "name": ("its name", "season-17"),
    "credential": ("keyed hash of kind and token, hex digits; null: none", HASH),
    "mode": ("how the lane works: numbers of SET_LANE, 1 normal (docs/protocol.md)", 3),
    "until_ms": ("Unix milliseconds; 0: until further notice", AT_MS + 3_600_000),
    "from_ms": ("begin, Unix milliseconds", AT_MS + 3_600_000),
    "to_ms": ("end, Unix milliseconds", AT_MS + 7_200_000),
    "since_ms": ("since when the reader had not been heard or was alone, Unix milliseconds", AT_MS - 90_000),
    "entered_at_ms": ("when the stay began, Unix milliseconds", AT_MS - 3_600_000),
    "plan": ("name of the plan whose doing it is; empty: set by hand", "derby"),
    "step": ("which step of the plan, from 0", 1),
    "percent": ("how much of its place is kept from others, 0..100", 50),
    "lanes": ("numbers of its lanes", [0, 1]),
    "rules": ("the lot's rules by theme, as in the configuration", {"ledger": {"drift_cars": 5}}),
    "kind": ("1 QR, 2 card, 3 SUN, 4 plate", 2),
    "token": ("keyed hash of kind and token, hex digits", HASH),
    "skew_ms": ("reader's clock minus the engine's where that decided, else 0; milliseconds", 0),
    "verdict": ("1 open, 2 refuse, 3 pay first", 1),
    "price": ("what is owed: [minor units, currency]; null: nothing was priced", [450, "EUR"]),
    "trace": ("each rule that was asked and what it saw, kept for refusals; else null", None),
    "marks": ("what rules had the event say, by name (docs/rules.md)", {}),
    "barrier": ("0 down, 1 up, 2 moving, 3 fault", 1),
    "loop": ("whether a car stands on the loop", True),
    "faults": ("what the lane says is broken", ["barrier arm"]),
    "verdict_given": ("what the reader answered: 1 open, 2 refuse, 3 pay first", 1),
    "finding": (
        "reason (docs/protocol.md) by which the rules would have decided otherwise; 0: they agree",
        0,
    ),
    "detail": ("the told event's own fields; of a scan kind and token, hashed", [2, HASH]),
    "service": ("id of the service that sent it", "console"),
    "ok": ("whether it was done", True),
    "body": ("what the service was answered", {"outcome": "booked"}),
    "text": ("for people", "no entry for this car"),
    "seconds": ("how long it is shown, seconds", 10),
    "classes": ("classes of spots, in order of preference", ["charging", "standard"]),
    "about": ("what it is about, by name", {"area": "north"}),
    "limit": ("stays at once; null: any number", 40),
    "over": ('what happens above the limit: "refuse" or "casual"', "casual"),
    "added": ("keyed hashes of the credentials that come in", [HASH]),
    "removed": ("keyed hashes of the credentials that go out", []),
    "state": ('"charging", "full" or "unplugged"', "full"),
    "full_since_ms": ("since when the car is full, Unix milliseconds", AT_MS - 1_800_000),
    "at": ('scope: "lot", "area/{id}" or "lane/{reader}/{number}"', "area/north"),
    "steps": ("each [from_ms, to_ms, scope, mode]", [[AT_MS, AT_MS + 3_600_000, "lot", 2]]),
    "holds": ("each [from_ms, to_ms, area, places]", [[AT_MS, AT_MS + 3_600_000, "north", 100]]),
    "places": ("places kept; 0: no longer", 100),
    "count": ("how many of it within the hour", 6),
    "run": ('"in", "out", "closed" or "off" (both ways)', "in"),
    "clear_until_ms": ("until then nobody is let through, Unix milliseconds", AT_MS + 30_000),
    "expected": ("cars by the ledger", 87),
    "counted": ("cars by the other counter", 89),
    "source": ("who or what counted", "loop-4"),
    "hour": ("Unix time in whole hours", 498_708),
    "counts": (
        "of the hour: numbers, opened, refused, again, passed, backed_out, followed, forced, lapsed, moved, "
        "unnamed, late, late_opened, late_passed, late_followed",
        [12, 9, 2, 1, 8, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0],
    ),
    "missing": ("numbers that the reader owes", 0),
    "difference": ("what does not agree, in words; empty where all is equal", ""),
    "stays": ("stays that are unknown by it", 3),
    "credentials": ("keyed hashes of the credentials", [HASH]),
    "group": ("whose credentials they were; empty: a list", "tenant-2"),
    "whole": ("whether it is the whole lot", False),
    "replacement": ("keyed hash of the credential that the stay goes on under; null: it ends", None),
    "notes": ("what the attendant noted", {}),
    "code": ("code by which it is named until a credential is known, hex digits", "a1b2c3d4"),
    "spot_class": ("class of spots", "standard"),
    "early_ms": ("how much earlier the car may come, milliseconds", 900_000),
    "late_ms": ("how much later it may come, milliseconds", 1_800_000),
    "leave_ms": ("how much later it may leave, milliseconds", 900_000),
    "waiting": ("whether it waits for a place instead of having one", False),
    "why": ('"no_show", "turned_away", "offer_lapsed" or "never_offered"', "no_show"),
}

BY_EVENT: dict[tuple[str, str], Word] = {
    ("ScanDecided", "reason"): ("reason (docs/protocol.md); 0: none", 0),
    ("ScanDecided", "effect"): (
        "0 none, 1 the car counts at once, 2 its spot is held until it passes or the move lapses",
        1,
    ),
    ("PassageRecorded", "what"): ("1 passed, 2 backed out, 3 followed, 4 barrier forced", 1),
    ("PassageRecorded", "effect"): (
        '"moved", "withdrawn", "adrift" (a car without a name counts) or "" (nothing counted)',
        "moved",
    ),
    ("HistoryRecorded", "what"): ("type of the told event: 16 scan, 18 passage (docs/protocol.md)", 16),
    ("HistoryRecorded", "effect"): ("as the told event's: what it did to the counts", "moved"),
    ("LotConfigured", "spec"): ("areas, blocks of spots and gates", {"name": "North Garage"}),
    ("ReaderConfigured", "lanes"): (
        "each lane as an array of its settings; none: the reader is removed",
        LANES,
    ),
    ("ReaderRegistered", "key"): ("empty: keys do not leave the engine", ""),
    ("ReaderRegistered", "lanes"): ("each lane as an array of its settings", LANES),
    ("ReaderChanged", "lanes"): ("each lane as an array of its settings", LANES),
    ("ReaderKeyRotated", "key"): ("empty: keys do not leave the engine", ""),
    ("ReaderKeyRotated", "until_ms"): (
        "when the old key dies at the latest, Unix milliseconds",
        AT_MS + 1000,
    ),
    ("ReaderKeyRetired", "cause"): ('why the old key is dead: "used" (the new one was) or "time"', "used"),
    ("CommandDone", "name"): ("name of the command", "correct_count"),
    ("CommandDone", "code"): ("why it was not done; empty: it was", ""),
    ("CommandDone", "id"): ("16 bytes as hex digits: the command's name for ever", ID),
    ("CountCorrected", "before"): ("cars in the area by the ledger until now", 87),
    ("CountCorrected", "after"): ("cars in the area from here on", 85),
    ("CredentialSwapped", "before"): ("keyed hash of the old credential", HASH),
    ("CredentialSwapped", "after"): ("keyed hash of the new credential", HASH[::-1]),
    ("FindingMade", "kind"): ("short, for programs (docs/rules.md)", "overstay"),
    ("RateExceeded", "what"): ("what there was too much of", "tailgates"),
    ("PassIssued", "spec"): ("the pass", {"name": "season-17", "classes": ["standard"]}),
    ("PassChanged", "spec"): ("the pass as it is from here on", {"name": "season-17", "classes": []}),
    ("GroupSet", "name"): ("name of the group", "tenant-2"),
    ("GroupRemoved", "name"): ("name of the group", "tenant-2"),
    ("GroupSet", "areas"): ("stays at once, by area", {"north": 20}),
    ("AreasRecounted", "areas"): ("each [area, cars before, cars after]", [["north", 87, 85]]),
    ("EventPlanned", "name"): ("name of the plan", "derby"),
    ("PlanCancelled", "name"): ("name of the plan", "derby"),
    ("PlanEnded", "name"): ("name of the plan", "derby"),
    ("LaneReconciled", "waiting"): ("cars that an opened barrier waits for now", 0),
}


def word(event: str, field: str) -> Word:
    """Meaning and example of a field. Raises KeyError where nobody has said what it means."""
    found = BY_EVENT.get((event, field))
    return BY_NAME[field] if found is None else found
