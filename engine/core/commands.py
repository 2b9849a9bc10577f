"""What the core is asked to decide. Time is in every command: the core has no clock.

now_ms: the engine's clock; at_ms: the reader's. Commands of readers hold the Lane and the Numbering that
their connection looked up once at sign-on.
"""

from typing import Any

import msgspec

from liftgate.engine.core.marks import Marks
from liftgate.engine.core.model import Block, Lane, Stay
from liftgate.engine.core.numbering import Numbering
from liftgate.engine.core.proof import Proof


class ReadCredential:
    """A scan. Its connection keeps one and fills it for each scan; credential, stay, way, block, number
    and price_minor are the rules' working place. soft_reason: the reason of a rule that objects and lets the
    car through; marks: what rules have the event say, there until the next scan, for parts to read;
    said: where they are these and no others; proof: of a credential that proves itself, None of all others;
    token is then what was proven.
    """

    def __init__(self, lane: Lane, numbering: Numbering) -> None:
        self.lane = lane
        self.numbering = numbering
        self.no = 0
        self.at_ms = 0
        self.now_ms = 0
        self.kind = 0
        self.token = b""
        self.credential = b""
        self.way = 0
        self.time_ms = 0
        self.price_minor = 0
        self.stay: Stay | None = None
        self.block: Block | None = None
        self.number = 0
        self.soft_reason = 0
        self.marks: dict[str, Any] | None = None
        self.said: Marks | None = None
        self.proof: Proof | None = None

    def mark(self, name: str, value: Any) -> None:
        """Have the decision's event say something of the scan; parts read it when it is applied."""
        if self.marks is None:
            self.marks = {}
        elif self.said is not None:
            self.marks = dict(self.marks)
        self.said = None
        self.marks[name] = value

    def say(self, said: Marks) -> None:
        """The same with marks that were made before."""
        if self.marks is None:
            self.marks = said.values
            self.said = said
        else:
            for name in said.values:
                self.mark(name, said.values[name])


class ReaderCommand(msgspec.Struct):
    """Base of the other commands of readers."""

    lane: Lane
    numbering: Numbering
    no: int
    at_ms: int
    now_ms: int


class RecordPassage(ReaderCommand):
    """What a lane saw of a car; see PASSAGE."""

    what: int
    session: bytes | None


class ReportLane(ReaderCommand):
    """A lane's state; see LANE_STATUS."""

    barrier: int
    loop: bool
    faults: tuple[str, ...]


class RecordHistory(ReaderCommand):
    """One entry of a REPLAY: `what` is its type, `fields` what stands after `lane` in its body.

    proof: of a scan whose credential proves itself; alone_ms: when the reader was last heard before the
    connection over which it tells this; restarted: by an engine that has ended since, and the last thing in
    its journal is all that is known of the time.
    """

    what: int
    verdict_given: int
    fields: tuple[Any, ...]
    proof: Proof | None = None
    alone_ms: int = 0
    restarted: bool = True


class Tick(msgspec.Struct):
    """Time has passed: what was promised too long ago lapses."""

    now_ms: int


class ReaderAway(msgspec.Struct):
    """A reader has not been heard since since_ms, for as long as the lot's rules wait."""

    now_ms: int
    reader: str
    since_ms: int


class ReaderSeen(msgspec.Struct):
    """A reader is heard."""

    now_ms: int
    reader: str


class MakeFinding(msgspec.Struct):
    """The gateway saw something that a person should look at; kind, text and about as in FindingMade."""

    now_ms: int
    kind: str
    text: str
    about: dict[str, Any]


class ConfigureLot(msgspec.Struct):
    """The lot as the file has it now (the shape of configs' LotSpec, as plain data)."""

    now_ms: int
    spec: dict[str, Any]


class ConfigureReader(msgspec.Struct):
    """A reader's lanes as the file has them now; none: the reader is gone."""

    now_ms: int
    reader: str
    lanes: tuple[tuple[Any, ...], ...]


class KeyUsed(msgspec.Struct):
    """A registered reader signed on with the newest of its keys."""

    now_ms: int
    reader: str


class Order(msgspec.Struct):
    """A service's COMMAND. reachable: whether the reader that it names is connected, where it names one."""

    now_ms: int
    id: bytes
    service: str
    name: str
    args: dict[str, Any]
    reachable: bool = False


Command = (
    ReadCredential
    | RecordPassage
    | ReportLane
    | RecordHistory
    | Tick
    | ReaderAway
    | ReaderSeen
    | MakeFinding
    | ConfigureLot
    | ConfigureReader
    | KeyUsed
    | Order
)
