"""Readers before which tickets and tags are held, copies among them; what their answers must be."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from liftgate.codecs import messages as m
from liftgate.codecs.connection import WireConnection
from liftgate.codecs.credentials import ntag424, ticket
from liftgate.codecs.credentials.ticket import Ticket
from liftgate.codecs.frame import Fault
from tests.faults.engines import LOT, make_engine
from tests.faults.swarm import CARD, Swarm, SwarmReader
from tests.gateways.tickets import MAC_SECRET, PUBLIC, QR, SECRET, SUN, TAG, TAG_SECRET
from tests.independent.engine_process import ENTRY, EXIT, Engine

USED, INSIDE, NOT_INSIDE = 204, 210, 211
RULES = f"""
[[lot.rules.tickets.keys]]
kid = "2026a"
public = "{PUBLIC.hex()}"
[[lot.rules.tickets.keys]]
kid = "m1"
alg = "hmac"
[lot.rules.tickets.tags]
keys = ["t1"]
[[lot.secret]]
name = "m1"
key = "{MAC_SECRET.hex()}"
[[lot.secret]]
name = "t1"
key = "{TAG_SECRET.hex()}"
"""
TAGS = 3
"""Of each reader's neighbours: few, so that every one counts far."""


def ticket_engine(folder: Path, readers: int, spots: int) -> Engine:
    """An engine, not started, whose lot has single-use tickets, signed and MACed, and tags."""
    engine = make_engine(folder, readers, spots)
    text = engine.config.read_text()
    engine.config.write_text(text.replace("[[reader]]", f"{RULES}\n[[reader]]", 1))
    return engine


def prover_pid(engine: Engine) -> int:
    """Of the prover that the engine started last, by its log."""
    lines = [json.loads(line) for line in engine.log_text().splitlines() if line.startswith("{")]
    return int([line["pid"] for line in lines if line["event"] == "prover.started"][-1])


class Credential(NamedTuple):
    """Whose a token is; counter: what a tag had counted; once: it lets in a single time."""

    name: bytes
    counter: int = -1
    once: bool = False


class TicketReader(SwarmReader):
    """A reader before which new tickets are held, tags, and what anybody held before any reader."""

    WINDOW = 12  # fewer than the 16 that may wait for the prover, so that ERROR 12 is for a prover that died

    def __init__(self, crowd: "Crowd", id: str, seed: int) -> None:
        super().__init__(crowd, id, seed)
        self.crowd = crowd
        self.taps = [0] * TAGS

    def next_event(self) -> int:
        """Number a new event: a new ticket, a tag, a car that leaves, or a copy."""
        draw, lane = self.draws.random(), ENTRY
        if draw < 0.4:
            token, kind = self._ticket("2026a", "ed25519", SECRET), QR
        elif draw < 0.5:
            token, kind = self._ticket("m1", "hmac", MAC_SECRET), QR
        elif draw < 0.7:
            token, kind = self._tap(self.draws.randrange(TAGS)), SUN
            lane = self.draws.choice((ENTRY, EXIT))
        elif draw < 0.85 and self.inside:
            token, kind = self.inside.pop(self.draws.randrange(len(self.inside))), QR
            lane = EXIT
        else:
            token, kind = self.draws.choice(self.crowd.shown)
        self.crowd.shown.append((token, kind))
        self.events.append((lane, token, kind))
        return len(self.events)

    def _ticket(self, kid: str, alg: str, secret: bytes) -> bytes:
        self.cars += 1
        cti = self.boot.to_bytes(4, "big") + self.cars.to_bytes(4, "big")
        said = Ticket(cti=cti, lot=LOT, expires_s=int(time.time()) + 86_400, single_use=True)
        token = ticket.issue(said, kid, alg, secret)
        self.crowd.credentials[token] = Credential(cti, once=True)
        self.inside.append(token)
        return token

    def _tap(self, number: int) -> bytes:
        self.taps[number] += 1
        uid = b"\x04" + self.boot.to_bytes(4, "big") + number.to_bytes(2, "big")
        token = ntag424.tap(TAG, uid, self.taps[number])
        self.crowd.credentials[token] = Credential(uid, counter=self.taps[number])
        return token

    def _ask_more(self, conn: WireConnection) -> list[bytes]:
        out = super()._ask_more(conn)
        self.crowd.look()
        return out

    def _take(self, conn: WireConnection, message: m.Message) -> None:
        """Answers come when the proofs are there, in any order; what could not be proven is asked again."""
        if isinstance(message, m.Error):
            assert (message.code, message.fatal) == (Fault.UNAVAILABLE, False), message
            self.crowd.put_off += 1
            self.first.insert(0, conn.ref)
            self.asked.remove(conn.ref)
            return
        assert isinstance(message, m.Decision), message
        self.asked.remove(message.no)
        self._keep(message)

    def only_waits(self) -> bool:
        """Whether all that may be in flight is, and is tickets whose first answer is not there yet."""
        return len(self.asked) == self.WINDOW and not any(no in self.answers for no in self.asked)


class Crowd(Swarm):
    """Readers with tickets and tags, the last one with cards only.

    shown: (token, kind) of whatever was held before any; credentials: what each token is; put_off: how often
    one could not be proven (ERROR 12).
    """

    def __init__(self, ids: list[str], address: Callable[[], tuple[str, int]]) -> None:
        super().__init__(ids, address)
        self.shown: list[tuple[bytes, int]] = [(b"anybody", CARD)]
        self.credentials: dict[bytes, Credential] = {}
        self.put_off = 0
        self.holders = [TicketReader(self, reader.id, reader.boot) for reader in self.readers[:-1]]
        self.readers[:-1] = self.holders
        self._awaited: Callable[[], bool] = lambda: False
        self._seen = asyncio.Event()

    def look(self) -> None:
        if self._awaited():
            self._seen.set()

    async def wait_until(self, so: Callable[[], bool]) -> None:
        """Return once it is so; it is looked at whenever a reader of tickets may have more to do."""
        self._awaited = so
        self._seen.clear()
        await asyncio.wait_for(self._seen.wait(), 60)

    async def wait_tickets(self, more: int) -> None:
        """Return when so many more events at readers of tickets were answered."""
        wanted = sum(len(reader.answers) for reader in self.holders) + more
        await self.wait_until(lambda: sum(len(reader.answers) for reader in self.holders) >= wanted)

    def all_wait(self) -> bool:
        """Whether no reader of tickets can do more before the prover does."""
        return all(reader.only_waits() for reader in self.holders)

    def judge(self) -> int:
        """How many are inside. In the order of the journal every answer is the only one that is right by
        those before: a ticket opens once, a tag counts up, a car comes from outside and leaves from inside.
        """
        inside: set[bytes] = set()
        used: set[bytes] = set()
        heard: dict[bytes, int] = {}
        for reader, answer in self.decisions():
            lane, token, _ = reader.events[answer.no - 1]
            name, counter, once = self.credentials.get(token, Credential(token))
            wanted = 0
            if counter >= 0 and counter <= heard.get(name, -1):
                wanted = USED
            elif lane == ENTRY and once and name in used:
                wanted = USED
            elif (name in inside) == (lane == ENTRY):
                wanted = INSIDE if lane == ENTRY else NOT_INSIDE
            assert answer.reason == wanted, (reader.id, answer, name.hex(), counter, heard.get(name))
            assert answer.verdict == (m.REFUSE if wanted else m.OPEN), answer
            heard[name] = max(counter, heard.get(name, -1))
            if not wanted and lane == ENTRY:
                inside.add(name)
                used.add(name)
            elif not wanted:
                inside.remove(name)
        return len(inside)
