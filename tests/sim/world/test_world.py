"""Whole worlds: they find nothing in a good engine, and every fault that is drawn is felt."""

import random
from collections import Counter
from functools import cache

import msgspec
import pytest

from liftgate.engine.core import state
from liftgate.engine.journal.memory import Faults
from liftgate.engine.journal.snapshot import Snapshot, snapshot_name, write_snapshot
from liftgate.sim.world.happenings.disk import DiskFull, Rot, SnapshotLies, WriteFails
from liftgate.sim.world.happenings.engine import (
    EndsWithin,
    FoldCut,
    KeyRotated,
    Killed,
    LanesSwapped,
    PowerGone,
    ReaderReplaced,
    SpotsChanged,
    Stopped,
)
from liftgate.sim.world.happenings.network import Cut, ReadsSlowly, Stalled, Unreachable
from liftgate.sim.world.loop import START_MS
from liftgate.sim.world.plan import Happening, Plan, all_drawers, draw_plan
from liftgate.sim.world.world import Result, World

MINUTE_MS = 60_000
SEED = 4


@cache
def quiet_plan() -> Plan:
    """An hour of cars and orders without a fault."""
    drawers = [drawer for drawer in all_drawers() if drawer[0] in ("cars", "services")]
    return msgspec.structs.replace(draw_plan(SEED, drawers), hours=1.0)


def with_faults(*faults: Happening) -> Plan:
    """The quiet hour with these in it."""
    happenings = sorted([*quiet_plan().happenings, *faults], key=lambda happening: happening.at_ms)
    return msgspec.structs.replace(quiet_plan(), happenings=tuple(happenings))


def play(*faults: Happening) -> World:
    """A world with these faults, which must find nothing."""
    world = World(with_faults(*faults))
    result = world.run()
    assert not result.findings, result.findings
    return world


def test_an_hour_without_faults_ends_at_rest() -> None:
    """Cars were let in, everything is answered, nothing is found."""
    result = World(quiet_plan()).run()
    assert not result.findings
    assert result.scans > 50
    assert result.answered >= result.scans * 0.9
    assert result.counts["starts"] == 1


@pytest.mark.parametrize("seed", [2, 11])
def test_one_seed_is_one_story(seed: int) -> None:
    """Run twice it leaves the same bytes on the disk and the same counts."""
    assert World(draw_plan(seed)).run() == World(draw_plan(seed)).run()


def test_some_seeds_with_everything_find_nothing() -> None:
    """All themes together; `make world` tries thousands."""
    results = [World(draw_plan(seed)).run() for seed in range(100, 103)]
    assert [result.findings for result in results] == [[]] * len(results)


@pytest.mark.parametrize(
    "fault",
    [Killed(at_ms=MINUTE_MS), PowerGone(at_ms=MINUTE_MS), Stopped(at_ms=MINUTE_MS)],
    ids=lambda fault: type(fault).__name__,
)
def test_an_engine_that_ends_is_started_again(fault: Happening) -> None:
    """However it ended."""
    assert play(fault).node.starts == 2


@pytest.mark.parametrize("operations", range(1, 9))
@pytest.mark.parametrize("power", [False, True])
def test_an_engine_may_end_within_any_operation_of_its_start(operations: int, power: bool) -> None:
    """The first operations on the disk after a kill: recovery, configuration, the next segment."""
    fault = EndsWithin(at_ms=30 * MINUTE_MS, operations=operations, power=power, starting=True)
    world = play(fault)
    assert world.node.storage.faults.struck == 1
    assert world.node.starts >= 2


@pytest.mark.parametrize("power", [False, True])
def test_a_snapshot_half_written_is_left_behind(power: bool) -> None:
    """The next start does without it."""
    world = play(*[FoldCut(at_ms=minute * MINUTE_MS, power=power) for minute in (50, 55)])
    assert not [name for name in world.node.storage.names() if name.endswith(".new")]


@pytest.mark.parametrize("fault", ["failing_write", "short_write", "failing_sync"])
def test_an_engine_ends_when_its_disk_fails(fault: str) -> None:
    """And is started again."""
    world = play(WriteFails(at_ms=20 * MINUTE_MS, fault=fault, operations=1))
    assert (world.node.storage.faults.struck, world.node.starts) == (1, 2)


def test_a_full_disk_is_a_state_that_ends() -> None:
    """Nothing new is decided for a while; then all that waited is."""
    world = play(DiskFull(at_ms=MINUTE_MS, free_bytes=0, for_ms=30 * MINUTE_MS))
    assert world.node.storage.faults.bytes_max is None


@pytest.mark.parametrize("what", ["segment", "snapshot", "cursors"])
def test_rot_is_refused_or_done_without(what: str) -> None:
    """Many bits, one after the other: the engine says where, or takes the snapshot before."""
    rots = [Rot(at_ms=minute * MINUTE_MS, seed=minute, what=what) for minute in range(30, 60, 2)]
    world = play(*rots)
    assert world.node.starts > len(rots) / 2


def test_a_rotten_snapshot_may_be_gone_before_it_is_put_right() -> None:
    """A fold outlives its engine, and removes all but the newest two."""
    node = play().node
    write_snapshot(node.storage, Snapshot(1, START_MS, b"a state"))
    node.rot("snapshot", random.Random(1))
    node.storage.remove(snapshot_name(1))
    node.start()
    assert node.up


def test_rot_in_what_is_read_is_refused() -> None:
    """Damaged cursors are read at every start, and named."""
    rots = [Rot(at_ms=minute * MINUTE_MS, seed=minute, what="cursors") for minute in range(30, 60, 2)]
    assert play(*rots).node.refused > 0


def test_a_lying_snapshot_is_done_without() -> None:
    """Torn by a loss of power, it is passed over for the one before."""
    play(
        SnapshotLies(at_ms=MINUTE_MS),
        PowerGone(at_ms=30 * MINUTE_MS),
        PowerGone(at_ms=50 * MINUTE_MS),
    )


def test_a_changed_file_reaches_engine_and_devices() -> None:
    """A new key, other spots, other lanes, another box: all of it comes to rest."""
    shape = quiet_plan().shape
    reader, other = [one.id for one in shape.readers if one.lot == shape.lots[0].id][:2]
    world = play(
        KeyRotated(at_ms=10 * MINUTE_MS, reader=reader, key=b"k" * 32),
        SpotsChanged(at_ms=20 * MINUTE_MS, lot=shape.lots[0].id, more=-1),
        LanesSwapped(at_ms=30 * MINUTE_MS, one=reader, other=other),
        ReaderReplaced(at_ms=40 * MINUTE_MS, reader=reader),
    )
    assert world.node.starts == 4
    assert world.shape.reader(reader).key == b"k" * 32
    assert world.shape.reader(other).lanes == shape.reader(reader).lanes


def test_the_network_may_fail_in_every_way() -> None:
    """Each fault of the network, for the devices of one lot."""
    faults: list[Happening] = []
    for n, owner in enumerate(quiet_plan().shape.owners()):
        at_ms = (5 + n) * MINUTE_MS
        faults += [Cut(at_ms=at_ms, owner=owner, end=end) for end in ("both", "device", "engine")]
        faults.append(Stalled(at_ms=at_ms + MINUTE_MS, owner=owner, for_ms=12_000))
        faults.append(Unreachable(at_ms=at_ms + 2 * MINUTE_MS, owner=owner, for_ms=MINUTE_MS))
        faults.append(ReadsSlowly(at_ms=at_ms + 4 * MINUTE_MS, owner=owner, for_ms=MINUTE_MS))
    play(*faults)


def test_memory_that_differs_from_replay_is_found() -> None:
    """One car more in memory than the journal knows."""
    world = World(quiet_plan())
    world.loop.at(START_MS + 30 * MINUTE_MS, lambda: misled(world))
    result = world.run()
    assert result.findings
    assert result.findings[0].kind in ("replay", "occupancy", "ledger")


def misled(world: World) -> None:
    """Change a lot behind the journal's back."""
    lot = next(iter(world.node.engine.lots.values()))
    before = state.dump(lot)
    lot.outermost.adrift += 1
    assert state.dump(lot) != before
    world.node.check_replay()


def test_an_engine_that_ends_itself_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing without a fault of the disk is no excuse."""
    world = World(with_faults(WriteFails(at_ms=MINUTE_MS, fault="failing_write", operations=1)))
    real = Faults.due

    def due(self: Faults, fault: str) -> bool:
        struck = self.struck
        strikes = real(self, fault)
        self.struck = struck
        return strikes

    monkeypatch.setattr(Faults, "due", due)
    assert [one.kind for one in world.run().findings] == ["ended by itself"]


def test_what_never_answers_is_found() -> None:
    """A device that cannot come to rest within an hour of peace."""
    world = World(quiet_plan())
    world.network.calm = lambda: cut_off(world)  # type: ignore[method-assign]
    assert [one.kind for one in world.run().findings] == ["no rest"]


def cut_off(world: World) -> None:
    """Nobody is connected, nor will be."""
    world.network.dead(None, 10 * 60 * MINUTE_MS)
    for owner in world.shape.owners():
        world.network.cut(owner)


def test_many_kinds_of_happenings_come_up() -> None:
    """Within some dozen seeds every theme has its say."""
    counts: Counter[str] = Counter()
    for seed in range(40):
        counts.update(type(one).__name__ for one in draw_plan(seed).happenings)
    kinds = [Killed, PowerGone, Stopped, EndsWithin, FoldCut, KeyRotated, ReaderReplaced, SpotsChanged]
    kinds += [LanesSwapped, WriteFails, SnapshotLies, DiskFull, Rot, Cut, Stalled, Unreachable, ReadsSlowly]
    assert not [kind for kind in kinds if not counts[kind.__name__]]


def test_a_result_counts_what_was_done() -> None:
    """What `--json` and the summary show."""
    result: Result = World(quiet_plan()).run()
    assert result.simulated_ms >= quiet_plan().span_ms
    assert result.records > 0
    assert len(result.journal_sha256) == 64
    assert result.counts["Visit"] > 0
