"""Answered: at the end, with every fault over, nothing that a reader made is left without an answer."""

from typing import TYPE_CHECKING, Any

from liftgate.sim.world.audit.chapter import Chapter, Name

if TYPE_CHECKING:
    from liftgate.sim.world.audit.auditor import Auditor


class Answered(Chapter):
    """open: per reader and boot the numbers that wait for an answer. A reader whose log is gone waits for
    none of it any more; it goes on with another boot.
    """

    def __init__(self, audit: "Auditor") -> None:
        super().__init__(audit)
        self.open: dict[tuple[str, int], set[int]] = {}
        self.boot: dict[str, int] = {}

    def event_made(self, name: Name, type: int, fields: list[Any], alone: bool, verdict: int) -> None:
        self.boot[name[0]] = name[1]
        self.open.setdefault(name[:2], set()).add(name[2])

    def decision(self, name: Name, fields: list[Any]) -> None:
        self.open.get(name[:2], set()).discard(name[2])

    def ack(self, name: Name, position: int) -> None:
        self.open.get(name[:2], set()).discard(name[2])

    def dropped(self, name: Name, code: int) -> None:
        self.open.get(name[:2], set()).discard(name[2])

    def lost(self, reader: str, boot: int) -> None:
        self.open.pop((reader, boot), None)

    def welcomed(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None:
        self.boot[reader] = boot
        self._settle(reader, boot, done)

    def replayed(
        self, reader: str, boot: int, done: list[tuple[int, int]], findings: list[Any], position: int
    ) -> None:
        self._settle(reader, boot, done)

    def _settle(self, reader: str, boot: int, done: list[tuple[int, int]]) -> None:
        open = self.open.get((reader, boot), set())
        open.difference_update([no for no in open if any(low <= no <= high for low, high in done)])

    def rest(self, occupancy: dict[str, dict[str, Any]]) -> None:
        for (reader, boot), open in self.open.items():
            if open and self.boot[reader] == boot:
                text = f"{reader} got no answer to {sorted(open)[:10]} of boot {boot}"
                self.find("never answered", text, "an answer to each once faults are over")
