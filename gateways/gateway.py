"""The gateway, sans I/O: who is connected, what they may, and what goes out to whom when.

A mover of bytes (the reactor, or the simulation's network) drives it in rounds:

    gateway.begin(wall_ms, steady_ms)
    link.receive(data) …             # for every peer that sent something; b"" = it closed
    gateway.replays.work()           # a slice of what is not urgent, now or in a later round
    gateway.commit()                 # decided so far is durable from here on
    for link, start, stop in gateway.runs(): send gateway.out.buf[start:stop] to it
    gateway.sent()

Time is an argument of begin(); randomness (nonces) comes through a port.
"""

from collections.abc import Callable

import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, begin_frame, end_frame, frame
from liftgate.codecs.pack import Packer
from liftgate.codecs.scans import ScanFields
from liftgate.configs.schema import Config, ServiceConfig
from liftgate.engine.core.commands import KeyUsed, ReadCredential, ReaderAway, ReaderSeen
from liftgate.engine.core.model import Lot
from liftgate.engine.core.parts.lanes.part import lanes_of
from liftgate.engine.engine import Engine
from liftgate.gateways import services
from liftgate.gateways.carried import Carrier
from liftgate.gateways.directory import Directory
from liftgate.gateways.keyring import Keyring
from liftgate.gateways.link import Link
from liftgate.gateways.policies import Policies
from liftgate.gateways.proofs import Proofs
from liftgate.gateways.prover import PromptProver, Prover
from liftgate.gateways.replays import ReplayLane

log = structlog.get_logger()

REPLAY_US_PER_ENTRY = 50
"""Pace of backlog over all readers together: 20,000 entries a second, a tenth of what the engine decides,
so that live scans stay fast."""

OUT_BYTES_MAX = 8 * 1024 * 1024
"""Frames of one round, before it ends early: what is decided is bounded by the engine, what is only asked for
(PING, TIME, QUERY) is bounded by this. Twice what a full round of decisions answers."""

LOOK_MS = 1_000
"""How often it is looked who is silent; what counts as silence is minutes."""

Nonces = Callable[[], bytes]
LinkOf = Callable[["Gateway", str, int], Link]
"""Makes a link of (gateway, peer, steady_ms)."""


class Gateway:
    """All connections of one engine.

    directory: who may sign on as a reader; out: frames of this round, in runs of one link each; fields, scan:
    the scan at hand, filled anew for each so that it stays in cache; links: every open connection; readers,
    services: the signed-on ones by id; heard: when a reader was last heard that has no connection, or that
    others speak for, by the clock that never jumps; away: when a signed-on reader was last heard before this
    connection, Unix time in ms; policies: what readers are told that they may do alone; replays: what they
    did; tickers: called when time passes, for what outlives a connection; carrier: of readers that services
    speak for; decided: scans since the start; answered: times that what waited for an answer was sent;
    proofs: of tickets and tags.
    """

    def __init__(self, engine: Engine, config: Config, nonces: Nonces, prover: Prover | None = None) -> None:
        """prover: checks signatures; None: here and at once, as in a simulation."""
        self.engine = engine
        self.config = config.engine
        self.directory = Directory(config, engine.lots.values(), nonces() + nonces())
        self.service_configs: dict[str, ServiceConfig] = {service.id: service for service in config.services}
        self.connections_max = config.engine.readers_max
        self.nonces = nonces
        self.links: dict[Link, None] = {}
        self.strangers: dict[Link, None] = {}
        self.readers: dict[str, Link] = {}
        self.services: dict[str, Link] = {}
        self.subscribers: dict[Link, None] = {}
        self.heard: dict[str, int] = {}
        keyring = Keyring({lot.id: lot.secrets for lot in config.lots})
        self.proofs = Proofs(keyring, PromptProver() if prover is None else prover)
        self.away: dict[str, int] = {}
        self.policies = Policies(self)
        self.replays = ReplayLane(self)
        self.tickers: list[Callable[[], None]] = []
        self.carrier = Carrier(self)
        self.out = Packer(1 << 16)
        self.fields = ScanFields()
        self.scan: ReadCredential | None = None
        self.now_ms = engine.now_ms
        self.steady_ms = engine.now_ms
        self.stopping = False
        self.decided = 0
        self.answered = 0
        self._owner: Link | None = None
        self.owners: list[Link] = []
        self.stops: list[int] = []
        # From the time on, not from 0: else DONE that a broker held over a restart ends another order.
        self._ref = engine.now_ms % 0xFFFFFFFF
        self._replay_free_us = 0
        self._looked_ms = -1
        self._started_ms = -1
        self._silent_since: dict[str, int] = {}

    # -- rounds

    def begin(self, wall_ms: int, steady_ms: int = -1) -> None:
        """Begin a round at this Unix time in ms.

        steady_ms: of a clock that never jumps, for everything that measures how long a peer takes; -1: the
        wall clock serves, as in a simulation that lets no clock jump.
        """
        self.engine.begin(wall_ms)
        self.steady_ms = wall_ms if steady_ms < 0 else steady_ms
        self.now_ms = self.engine.now_ms
        self.proofs.begin(self.now_ms, self.steady_ms)

    def commit(self) -> None:
        """Make the round durable, then let subscribers have it. Raises JournalFailed: send nothing then."""
        if self.proofs.queues:
            self.proofs.flush()
        self.engine.commit()
        if self.engine.untold:
            self._tell_modes()
        if self.carrier.ways:
            self.carrier.wake()
        for link in list(self.subscribers):
            link.pump()

    def _tell_modes(self) -> None:
        """Tell readers the mode of every lane that works in another one since the last round."""
        for lot in self.engine.untold:
            for id, number in lot.untold:
                link, lane = self.readers.get(id), lot.readers[id].lanes.get(number)
                if link is not None and link.lot is lot and not link.closing and lane is not None:
                    self.send(link, m.SetLane(number, lane.mode), self.next_ref())
            lot.untold.clear()
        self.engine.untold.clear()

    def own(self, link: Link) -> Packer:
        """What is packed into `out` next is for `link`."""
        owner = self._owner
        if owner is not link:
            if owner is not None:
                self.owners.append(owner)
                self.stops.append(self.out.n)
            self._owner = link
        return self.out

    def full(self) -> bool:
        """Whether the round should end here: enough is decided, or enough is waiting to be sent."""
        return self.engine.full() or self.out.n >= OUT_BYTES_MAX

    def end_run(self) -> None:
        """What was packed so far is whole: `owners` and `stops` say whose each stretch of `out` is.

        A stretch goes from the stop before it to its own. An empty one is only a reason to look at its link.
        """
        if self._owner is not None:
            self.owners.append(self._owner)
            self.stops.append(self.out.n)
            self._owner = None

    def runs(self) -> list[tuple[Link, int, int]]:
        """The stretches as (link, start, stop), for those who need not hurry."""
        self.end_run()
        return list(zip(self.owners, [0, *self.stops], self.stops, strict=False))

    def sent(self) -> None:
        """The round's frames are sent or kept: forget them."""
        self.answered += 1
        self.owners.clear()
        self.stops.clear()
        self.out.n = 0

    # -- connections

    def connect(self, peer: str, link_of: LinkOf = Link) -> Link | None:
        """A peer connected. None: there are as many as may be, and it should get `farewell()` and no more.

        link_of: makes the link that speaks the peer's protocol.

        A stranger who has not signed on yet makes room first, the oldest of them: so nobody can keep readers
        out by connecting and saying nothing.
        """
        if self.stopping:
            return None
        if len(self.links) >= self.connections_max:
            if not self.strangers:
                return None
            next(iter(self.strangers)).close("makes room")
        link = link_of(self, peer, self.steady_ms)
        self.links[link] = None
        self.strangers[link] = None
        return link

    def farewell(self) -> bytes:
        """What a peer gets who cannot be taken: ERROR 12, fatal."""
        return frame(m.Error.TYPE, 0, m.encode(m.Error(Fault.UNAVAILABLE, "no room for more", True)))

    def forget(self, link: Link) -> None:
        """The link's connection is gone."""
        self.proofs.forget(link)
        services.unsubscribe(link)
        self.carrier.forget(link)
        self.replays.forget(link)
        self.links.pop(link, None)
        self.strangers.pop(link, None)
        signed_on = self.readers if link.role == m.READER else self.services
        if signed_on.get(link.id) is link:
            del signed_on[link.id]
            if link.role == m.READER:
                self.heard[link.id] = max(link.heard_ms, self.heard.get(link.id, 0))

    def signed_on(self, link: Link) -> None:
        """`link` has shown that it holds the key of its id: an older connection of that id gives way."""
        self.strangers.pop(link, None)
        signed_on = self.readers if link.role == m.READER else self.services
        before = signed_on.get(link.id)
        signed_on[link.id] = link
        if link.role == m.READER:
            self._note_absence(link.id, before)
        if before is not None:
            log.info("gateway.replaced", id=link.id, by=link.peer)
            before.goodbye("replaced")

    def _note_absence(self, id: str, before: Link | None) -> None:
        """Until when a reader that is back was heard, where that was in this process."""
        heard_ms = max(-1 if before is None else before.heard_ms, self.heard.get(id, -1))
        if heard_ms >= 0:
            self.away[id] = self.now_ms - (self.steady_ms - heard_ms)

    def hungry(self) -> bool:
        """Whether a subscriber that reads has not had everything durable yet."""
        return any(link.hungry() for link in self.subscribers)

    def tick(self) -> None:
        """What time brings, some times a second: lapses, heartbeats, and ends of those who are too slow."""
        self.engine.tick()
        for lot in self.engine.lots.values():
            self.follow_registry(lot)
        for id in self.directory.awaited():
            if id in self.readers:
                self.key_used(self.readers[id])
        for link in list(self.links):
            link.tick(self.steady_ms)
        self.policies.tick()
        for tick in self.tickers:
            tick()
        if self.steady_ms - self._looked_ms >= LOOK_MS and self.engine.accepting:
            self._looked_ms = self.steady_ms
            self._look_for_silence()

    def _look_for_silence(self) -> None:
        """Tell each lot which of its readers were not heard for too long, and which are again.

        Nobody could be heard before this process began, so silence counts from then at the earliest. When a
        network takes thousands along, a round says as much as it can, and the next look the rest.
        """
        if self._started_ms < 0:
            self._started_ms = self.steady_ms
        for id, lot_id in self.directory.items():
            if self.engine.full():
                return
            lot = self.engine.lots[lot_id]
            watch = lanes_of(lot).watch
            if watch.down_after_ms:
                self._look_at(lot, id, id in watch.down, watch.down_after_ms)

    def _look_at(self, lot: Lot, id: str, is_down: bool, down_after_ms: int) -> None:
        link = self.readers.get(id)
        heard_ms = max(self.heard.get(id, self._started_ms), 0 if link is None else link.heard_ms)
        silent_ms = self.steady_ms - heard_ms
        if silent_ms >= down_after_ms and not is_down:
            self._silent_since[id] = heard_ms
            self.engine.do(lot, ReaderAway(self.now_ms, id, self.now_ms - silent_ms))
        elif silent_ms < down_after_ms and is_down and self._heard_again(id, heard_ms):
            self.engine.do(lot, ReaderSeen(self.now_ms, id))

    def _heard_again(self, id: str, heard_ms: int) -> bool:
        """Who is down is up when it is heard, not by rules that take a longer silence."""
        return (id in self.readers or id in self.heard) and heard_ms > self._silent_since.get(id, -1)

    def follow_registry(self, lot: Lot) -> None:
        """Take over what changed in the lot's registry. A connection whose key is dead ends here and now:
        what it asked before is answered, nothing after that is read.
        """
        for id in self.directory.follow(lot):
            link = self.readers.get(id)
            if link is not None and link.key not in self.directory.keys(id):
                revoked = not self.directory.keys(id)
                log.info("gateway.key_dead", id=id, peer=link.peer, revoked=revoked)
                link.goodbye("revoked" if revoked else "key retired")

    def key_used(self, link: Link) -> None:
        """A reader signed on with `link.key`. If that is the newer of two, the older one is dead now."""
        if self.directory.is_awaited(link.id, link.key) and self.engine.accepting:
            self.engine.do(link.lot, KeyUsed(self.now_ms, link.id))
            self.follow_registry(link.lot)

    def stop(self) -> None:
        """Say goodbye to everybody; nothing is decided any more."""
        self.stopping = True
        for link in list(self.links):
            link.goodbye("stopping")

    # -- for links

    def reader_key(self, id: str) -> tuple[bytes, ...]:
        """The keys that are good for a reader now, the newest last: more than one while a rotation is under
        way, none for an id that is not known. Hold a proof against `directory.tried(id)` rather: it takes
        equally long for all.
        """
        return self.directory.keys(id)

    def next_ref(self) -> int:
        """A number for a request of the engine's own, 1..2**32-1."""
        self._ref = self._ref % 0xFFFFFFFF + 1
        return self._ref

    def send(self, link: Link, message: m.Message, ref: int = 0) -> None:
        """Pack a message that is not hot for `link`, in the order of what it is sent."""
        self.send_packed(link, message.TYPE, m.encode(message), ref)

    def send_packed(self, link: Link, kind: int, body: bytes, ref: int) -> None:
        """The same with a body that is encoded already."""
        if link.carried:
            self.carrier.put(link, kind, body, ref)
            return
        out = self.own(link)
        at = begin_frame(out, kind, ref)
        out.append(body)
        end_frame(out, at)

    def pause_ms(self, entries: int) -> int:
        """How long a reader waits before its next REPLAY, after one of so many entries.

        Every entry takes its share of one timeline that all readers have in common.
        """
        now_us = self.steady_ms * 1000
        self._replay_free_us = max(self._replay_free_us, now_us) + entries * REPLAY_US_PER_ENTRY
        return (self._replay_free_us - now_us) // 1000
