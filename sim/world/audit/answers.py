"""Answers: only from what is durable, and a repeated event gets the first one again."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit import records as r
from liftgate.sim.world.audit.chapter import Chapter, Name
from liftgate.sim.world.audit.facts import Lot
from liftgate.sim.world.audit.records import Event, tell

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor

KEPT = 256
"""Answers of a numbering that are kept at least (protocol)."""

BOOTS = 4
"""Numberings of a reader that keep their answers (protocol)."""

LONG_AGO = 205
ON_THIS_DISK = 1
_ON_DISK = "its event is on stable storage"


class Numbering:
    """One reader's count under one boot, as recorded. done_to: 1..done_to are; places: no → when, counted."""

    def __init__(self) -> None:
        self.done_to = 0
        self.places: dict[int, int] = {}
        self.retired = False

    def note(self, no: int) -> None:
        self.places[no] = len(self.places)
        while self.done_to + 1 in self.places:
            self.done_to += 1

    def holds(self, low: int, high: int) -> bool:
        """Whether every number from low to high is on record."""
        return all(no in self.places for no in range(max(low, self.done_to + 1), high + 1))

    def may_forget(self, no: int) -> bool:
        """Whether the answer may be given up by now: enough came after it, or the boot is an old one."""
        return self.retired or len(self.places) - self.places.get(no, len(self.places)) > KEPT


class Answers(Chapter):
    """numberings: by reader, then boot, the latest used last; given: the first answer to each event."""

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.numberings: dict[str, dict[int, Numbering]] = {}
        self.given: dict[Name, list[Any]] = {}

    def folded(self, event: Event, lot: Lot) -> None:
        if event["type"] not in r.READER_EVENTS:
            return
        boots = self.numberings.setdefault(event["reader"], {})
        numbering = boots.pop(event["boot"], None) or Numbering()
        numbering.note(event["no"])
        boots[event["boot"]] = numbering
        for old in list(boots.values())[:-BOOTS]:
            old.retired = True

    def numbering(self, reader: str, boot: int) -> Numbering:
        return self.numberings.get(reader, {}).get(boot) or Numbering()

    # -- DECISION and ACK

    def decision(self, name: Name, fields: list[Any]) -> None:
        event = self.audit.recorded.get(name)
        if (fields[0], fields[1], fields[-1]) == (r.REFUSE, LONG_AGO, 0):
            self._judge_forgotten(name, event)
        elif event is None:
            self.find("answered, not durable", f"DECISION {fields} to {name}", _ON_DISK)
        elif event["type"] != r.SCAN:
            self.find("history answered", f"DECISION {fields} to {tell(event)}", "verdict 2, reason 205")
        else:
            self._judge_decision(name, fields, event)

    def _judge_decision(self, name: Name, fields: list[Any], event: Event) -> None:
        expected = [event["verdict"], event["reason"], event["session"], self._spot(event)]
        expected += [fields[4], _price(event), ON_THIS_DISK, event["position"]]
        if r.plain(fields) != expected:
            self.find("answered otherwise", f"DECISION {fields} to {name}", f"{expected}, as on record")
        first = self.given.setdefault(name, fields)
        if r.plain(first) != r.plain(fields):
            self.find("another answer", f"DECISION {fields} to {name}", f"the first one again: {first}")

    def _spot(self, event: Event) -> Any:
        """What the driver is told: the spot, the area or nothing, as the lot assigns."""
        if event["spot"] is None:
            return None
        shown = {"spot": event["spot"], "area": event["area"], "count": None}
        return shown[self.audit.lots[event["lot"]].layout.assign]

    def _judge_forgotten(self, name: Name, event: Event | None) -> None:
        """Reason 205 is for what is old, was told as history, or stands under a boot of long ago."""
        if event is not None and event["type"] == r.HISTORY:
            return
        if not self.numbering(*name[:2]).may_forget(name[2]):
            expected = "no answer before it is durable" if event is None else f"the answer of {tell(event)}"
            self.find("answer forgotten", f"DECISION 205 to {name}", expected)

    def ack(self, name: Name, position: int) -> None:
        event = self.audit.recorded.get(name)
        if position == 0 and self.numbering(*name[:2]).may_forget(name[2]):
            return
        if event is None:
            self.find("answered, not durable", f"ACK {position} to {name}", _ON_DISK)
        elif position != event["position"]:
            self.find("answered otherwise", f"ACK {position} to {name}", f"position {event['position']}")

    # -- WELCOME and REPLAYED

    def welcomed(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None:
        numbering = self.numbering(reader, boot)
        for low, high in done:
            if not numbering.holds(low, high):
                text = f"{reader} was told that {low} to {high} of boot {boot} are durable"
                self.find("answered, not durable", text, f"1 to {numbering.done_to} are, and some after")

    def replayed(
        self, reader: str, boot: int, done: list[tuple[int, int]], findings: list[Any], position: int
    ) -> None:
        self.welcomed(reader, boot, done)
        if position > self.audit.position:
            text = f"REPLAYED to {reader} names position {position}"
            self.find("answered, not durable", text, f"at most {self.audit.position}")
        for no, reason in findings:
            event = self.audit.recorded.get((reader, boot, no), {})
            if event.get("finding") != reason:
                text = f"REPLAYED to {reader}: finding {reason} about {no} of boot {boot}"
                self.find("answered otherwise", text, f"{event.get('finding')}, as on record")


def _price(event: Event) -> Any:
    return None if event["rare"] is None else r.plain(event["rare"][0])
