"""The world: a plan played on virtual time, from the first start of the engine until everything rests."""

from __future__ import annotations

import hashlib
import random
import traceback
from typing import Any

from msgspec import Struct

from liftgate.codecs import messages as m
from liftgate.gateways import queries
from liftgate.sim.world.audit import Auditor, Finding
from liftgate.sim.world.devices.reader import ReaderDevice
from liftgate.sim.world.devices.service import ServiceDevice
from liftgate.sim.world.devices.subscriber import SubscriberDevice
from liftgate.sim.world.loop import Loop
from liftgate.sim.world.network import Network
from liftgate.sim.world.node import Node
from liftgate.sim.world.plan import Happening, Plan, rng_of
from liftgate.sim.world.registry import Installer
from liftgate.sim.world.shape import Shape
from liftgate.sim.world.wallet import Wallet

REST_MS_MAX = 60 * 60_000
"""How long after the last fault everything must have come to rest. Backlogs and backoffs are minutes."""

LOOK_MS = 5_000
"""How often it is looked whether everything rests already."""

LOOKS_AT_REST = 2
"""In a row: what was sent just before the first of them is there at the second."""

CHECK_MS = 15 * 60_000
"""How often a fresh replay is compared with memory; after each start, too."""


class Result(Struct, frozen=True):
    """What became of a plan.

    findings: one at most, as the first stops the world; journal_sha256: of all files that a power cut would
    leave, hex; scans: made by drivers and others at readers; answered: DECISIONs that readers got.
    """

    seed: int
    findings: list[Finding]
    journal_sha256: str
    simulated_ms: int
    records: int
    scans: int
    answered: int
    counts: dict[str, int]


class World:
    """Everything that a plan needs to happen. counts: of whatever is worth counting, by name."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.shape = plan.shape
        self.counts: dict[str, int] = {}
        self.loop = Loop(plan.shape.start_ms)
        self.auditor = Auditor(plan.shape, lambda: self.loop.now_ms)
        self.node = Node(self.loop, plan.shape, self.auditor, self.rng("node"), self.finding)
        self.network = Network(self.loop, self.node, self.rng("network.delays"))
        self.node.network = self.network
        self.wallet = Wallet(self)
        self.node.on_start.append(self._started)
        self.readers = {spec.id: ReaderDevice(self, spec) for spec in plan.shape.readers}
        self.services = {spec.id: ServiceDevice(self, spec) for spec in plan.shape.services}
        self.installer = Installer(self)
        self.subscribers = {spec.id: SubscriberDevice(self, spec) for spec in plan.shape.subscribers}

    @property
    def devices(self) -> list[ReaderDevice | ServiceDevice | SubscriberDevice]:
        """All of them, always in the same order."""
        return [*self.readers.values(), *self.services.values(), *self.subscribers.values()]

    def rng(self, name: str) -> random.Random:
        """The random numbers of one purpose in this world."""
        return rng_of(self.plan.seed, name)

    def count(self, name: str, more: int = 1) -> None:
        """Count something."""
        self.counts[name] = self.counts.get(name, 0) + more

    def finding(self, kind: str, text: str, expected: str) -> None:
        """Hold something against the engine (or the world): the loop stops at the first."""
        self.auditor.find(kind, text, expected)

    @property
    def found(self) -> bool:
        """Whether something was found: then everything ends where it is."""
        return bool(self.auditor.findings)

    # -- the run

    def run(self) -> Result:
        """Play the plan. An exception of the engine's is a finding like any other."""
        try:
            self._play()
        except Exception as error:  # noqa: BLE001 - it is reported, with its place
            if not self.found:
                lines = "".join(traceback.format_exception(error)[-4:])
                self.finding(f"exception: {type(error).__name__}", lines, "no exception")
        return self._result()

    def _play(self) -> None:
        start_ms = self.plan.shape.start_ms
        self.node.start()
        for device in self.devices:
            device.start()
        for happening in self.plan.happenings:
            self.loop.at(start_ms + happening.at_ms, self._happens(happening))
        self._check_now_and_then()
        self._run_to(start_ms + self.plan.span_ms)
        self.calm()
        self._rest()

    def _happens(self, happening: Happening) -> Any:
        def do() -> None:
            self.count(type(happening).__name__)
            happening.do(self)

        return do

    def _run_to(self, until_ms: int) -> None:
        """Let time pass until then or until the first finding."""
        self.loop.run(until_ms, self.auditor.findings)

    def _check_now_and_then(self) -> None:
        self.node.check_replay()
        self.loop.after(CHECK_MS, self._check_now_and_then)

    # -- configuration

    @property
    def newest_shape(self) -> Shape:
        """What the file says, whether the engine knows it already or not."""
        return self.node.reshaped or self.shape

    def reshape(self, shape: Shape) -> None:
        """The file says this from the engine's next start on."""
        self.node.reshaped = shape

    def _started(self) -> None:
        """Devices are set up anew where the file changed: an operator does both together."""
        before, now = self.shape, self.node.shape
        if before is now:
            return
        self.shape = now
        for old, new in zip(before.readers, now.readers, strict=True):
            if old != new:
                self.readers[new.id].respec(new, False)

    # -- the end

    def calm(self) -> None:
        """All faults end, and whatever is away comes back."""
        if self.found:
            return
        self.network.calm()
        self.node.calm()
        for device in self.devices:
            device.calm()
        self.installer.calm()

    def _rest(self) -> None:
        """Until everything rests: then everything must be told, answered and counted."""
        until_ms = self.loop.now_ms + REST_MS_MAX
        looks = 0
        while not self.found:
            looks = looks + 1 if self._resting() else 0
            if looks == LOOKS_AT_REST:
                break
            if self.loop.now_ms >= until_ms:
                busy = [device.id for device in self.devices if not device.idle()]
                text = f"after {REST_MS_MAX // 60_000} minutes without faults: {self._why_busy(busy)}"
                self.finding("no rest", text, "with all faults over, everything is answered within the hour")
                return
            self._run_to(self.loop.now_ms + LOOK_MS)
        if not self.found:
            self.node.check_replay()
            lots = self.node.engine.lots
            self.auditor.rest({id: queries.answer(lot, "occupancy", {})[2] for id, lot in lots.items()})

    def _why_busy(self, busy: list[str]) -> str:
        if not self.node.up:
            return "the engine is down"
        return f"not idle: {', '.join(busy)}" if busy else "the engine has more for a subscriber"

    def _resting(self) -> bool:
        node = self.node
        if not node.up or node.gateway.hungry() or not all(device.idle() for device in self.devices):
            return False
        if node.gateway.policies.busy() or self.loop.now_ms < self.network.stalled_until_ms:
            return False
        durable = node.engine.journal.durable_position
        return all(device.safe >= durable for device in self.subscribers.values())

    def _result(self) -> Result:
        digest = hashlib.sha256()
        storage = self.node.storage
        for name in storage.kept_names():
            digest.update(name.encode() + b"\0")
            digest.update(storage.kept(name) or b"")
        for name in ("starts", "refused", "rounds", "folds"):
            self.counts[name] = getattr(self.node, name)
        made = self.auditor.made
        return Result(
            seed=self.plan.seed,
            findings=self.auditor.findings[:1],
            journal_sha256=digest.hexdigest(),
            simulated_ms=self.loop.now_ms - self.plan.shape.start_ms,
            records=self.auditor.records,
            scans=sum(1 for one in made.values() if one.type == m.Scan.TYPE),
            answered=self.counts.get("answered", 0),
            counts=self.counts,
        )
