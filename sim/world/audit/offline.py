"""Readers alone: what they were told that they may do, and that their limits are held against them
(docs/offline.md).
"""

import hashlib
from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter
from liftgate.sim.world.audit.entitled import FORGOTTEN
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

THEME = "offline"
TOO_MANY, TOO_LONG = 501, 502
BESIDE = {201, 204, 210, 211, 300, TOO_MANY, TOO_LONG}
HOURS, ENTRIES, KNOWN_MAX, DENY_MAX = 8, 200, 2_000, 1_000
"""Where the rules say nothing else."""

REFRESH_MS = 3_600_000 + 10_000
"""How old a POLICY may be in what time alone changed."""

ROOM_BYTES = 300
"""Of a POLICY around its names."""


def exceeded(event: Event, lot: Lot) -> set[int]:
    """Which limits an entry that a reader opened alone is beyond, by what it told before."""
    rules = lot.rules.get(THEME)
    if rules is None or event["verdict_given"] != r.OPEN or event["way"] != r.IN:
        return set()
    since_ms, entries = lot.themes[THEME].get(event["reader"], (event["at_ms"], 0))
    found = {TOO_MANY} if entries >= rules.get("entries", ENTRIES) else set()
    return found | (
        {TOO_LONG} if event["at_ms"] - since_ms > rules.get("hours", HOURS) * 3_600_000 else set()
    )


class Offline(Chapter):
    """Each time alone is told before its first entry; limits are findings, and what else is wrong with an
    entry is told beside it and nowhere else. At rest every reader holds what is true of its lot.

    ever: lots whose readers were once allowed to decide alone; held: by reader, the last POLICY it got on
    this connection; there: readers that the engine has a connection of; begun: per lot, what the next event
    must go with; due: per lot (the event, what must and what may be found beside it); over: by lot and
    credential, when a pass of it was forgotten, as time brought it.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.ever: set[str] = set()
        self.held: dict[str, Any] = {}
        self.there: set[str] = set()
        self.begun: dict[str, Event] = {}
        self.due: dict[str, tuple[Event, set[int], set[int]]] = {}
        self.over: dict[tuple[str, bytes], int] = {}

    def judge(self, event: Event, lot: Lot) -> None:
        lot.themes.setdefault(THEME, {})
        if event["type"] == FORGOTTEN and event["name"] in lot.entitled.passes:
            for credential in lot.entitled.passes[event["name"]].spec["credentials"]:
                self.over[lot.id, credential] = self.audit.now()
        begun = self.begun.pop(lot.id, None)
        if begun is not None and (event["type"] != r.HISTORY or event["reader"] != begun["reader"]):
            self.find("alone for nothing", tell(begun), f"an entry of that reader next, not {tell(event)}")
        if event["type"] == r.FINDING and event["kind"] == "alone":
            self._judge_beside(event, lot)
            return
        self._judge_told(lot)
        if event["type"] == r.ALONE:
            self._judge_begun(event, lot)
        elif event["type"] == r.HISTORY and event["what"] == r.SCAN and THEME in lot.rules:
            limits = exceeded(event, lot)
            objections = (
                self.audit.objections(lot.look(event), lot) if event["verdict_given"] == r.OPEN else set()
            )
            own = {event["finding"]}
            self.due[lot.id] = (event, limits - own, ((objections & BESIDE) | limits) - own)

    def _judge_begun(self, event: Event, lot: Lot) -> None:
        known = lot.themes[THEME].get(event["reader"])
        if THEME not in lot.rules or (known is not None and event["since_ms"] <= known[0]):
            self.find("wrong time alone", tell(event), f"by rules there are, and later than {known}")
        self.begun[lot.id] = event

    def _judge_beside(self, event: Event, lot: Lot) -> None:
        of, must, may = self.due.get(lot.id, (None, set(), set()))
        about = event["about"]
        named = of is not None and all(about[name] == of[name] for name in ("reader", "lane", "boot", "no"))
        if not named or about["reason"] not in may:
            self.find("wrong finding alone", tell(event), f"one of {sorted(may)}, of the entry before it")
        must.discard(about["reason"])
        may.discard(about["reason"])

    def _judge_told(self, lot: Lot) -> None:
        """All that had to be found beside the entry before this event was."""
        of, must, _ = self.due.pop(lot.id, (None, set(), set()))
        if of is not None and must:
            self.find("limit not found", tell(of), f"findings of {sorted(must)}")

    def folded(self, event: Event, lot: Lot) -> None:
        periods = lot.themes[THEME]
        if event["type"] in (r.RULES_SET, r.LOT_CONFIGURED):
            if THEME in lot.rules:
                self.ever.add(lot.id)
            else:
                periods.clear()
        elif event["type"] == r.ALONE:
            periods[event["reader"]] = (event["since_ms"], 0)
        elif event["type"] == r.HISTORY and event["what"] == r.SCAN and event["reader"] in periods:
            since_ms, entries = periods[event["reader"]]
            opened = event["verdict_given"] == r.OPEN and event["way"] == r.IN
            periods[event["reader"]] = (since_ms, entries + opened)

    # -- POLICY

    def welcomed(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None:
        self.held.pop(reader, None)

    def policy(self, reader: str, keys: Any, deny: Any, offline: dict[str, Any]) -> None:
        self.held[reader] = (deny, offline)

    def connected(self, links: list[tuple[str, bytes]], accepting: bool) -> None:
        self.there = {reader for reader, _ in links}

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        """Who has not noticed yet that its engine is another one cannot have been told."""
        for reader in self.audit.config.readers:
            lot = self.audit.lots[reader.lot]
            if reader.id not in self.there:
                continue
            held = self.held.get(reader.id)
            if lot.id not in self.ever:
                if held is not None:
                    self.find("told for nothing", f"{reader.id} got a POLICY", f"none in {lot.id}")
            elif held is None:
                self.find("no policy", f"{reader.id} of {lot.id} got none", "one after each WELCOME")
            else:
                self._judge_held(reader, lot, *held)

    def _over(self, lot: Lot) -> set[bytes]:
        since_ms = self.audit.now() - REFRESH_MS
        return {name for (id, name), at_ms in self.over.items() if id == lot.id and at_ms > since_ms}

    def _judge_held(self, reader: Any, lot: Lot, deny: Any, offline: dict[str, Any]) -> None:
        rules = lot.rules.get(THEME, {"hours": 0})
        hours = rules.get("hours", HOURS)
        if not hours:
            if deny or offline != {"hours": 0}:
                self.find("policy for nothing", f"{reader.id}: {offline}", "hours 0 and no more")
            return
        cards = _cards(rules, lot, reader.id)
        said = {"hours": hours, "entries": rules.get("entries", ENTRIES), "lot": lot.id, "cards": cards}
        if {name: offline.get(name) for name in said} != said:
            self.find("wrong policy", f"{reader.id}: {offline}", f"{said}")
        denied = {hashlib.sha256(each).digest() for each in lot.denied}
        must, may = _known(lot, cards, self._over(lot))
        if 34 * len(denied) + 10 * len(may) + ROOM_BYTES > self.audit.config.engine.frame_bytes_max:
            return  # what is left out then is tested elsewhere
        known = set(offline["known"])
        if set(deny) != denied or not must <= known <= may:
            text = f"{reader.id}: {len(deny)} denied, {len(known)} known"
            self.find(
                "old policy", text, f"{len(denied)} denied, {len(must)} to {len(may)} known of {lot.id}"
            )


def _cards(rules: dict[str, Any], lot: Lot, reader: str) -> str:
    """As its entries take cards, the strictest of them."""
    said: str = rules.get("cards", "known")
    if said != "lane":
        return said
    lanes = [lane for lane in lot.layout.reader_specs.get(reader, []) if lane[1] != "exit"]
    return next((each for each in ("off", "known", "open") if each in {lane[6] for lane in lanes}), "off")


def _known(lot: Lot, cards: str, over: set[bytes]) -> tuple[set[bytes], set[bytes]]:
    """Names that must be told, and those that may: when a pass was good is not looked at closely here. over:
    of passes that were there a moment ago.
    """
    holders = {c for each in lot.entitled.passes.values() for c in each.spec["credentials"]}
    members = {c for group in lot.entitled.groups.values() for c in group.members}
    must = set(lot.known) | (members if "entitlements" in lot.rules else set())
    told = [_names(each - set(lot.denied), cards) for each in (must, must | holders | members | over)]
    return told[0], told[1]


def _names(credentials: set[bytes], cards: str) -> set[bytes]:
    if cards == "off":
        return set()
    return {hashlib.sha256(each).digest()[:8] for each in credentials}
