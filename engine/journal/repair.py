"""`liftgate journal repair`: what can be kept of a damaged journal, and exactly what can't.

Two cases. Damage that a whole snapshot covers costs no state: the segments up to it are set aside, and only
subscribers that had not read them miss events. Any other damage ends the journal in front of it, as positions
have no gaps: what follows is set aside. Nothing is deleted: files set aside end in `.damaged`, and somebody
with time can still read them.
"""

from dataclasses import dataclass, field

import structlog

from liftgate.codecs.records import good_records
from liftgate.engine.journal.cursors import FILE_NAME as CURSORS_NAME
from liftgate.engine.journal.cursors import Cursors, CursorsDamaged, read_cursors
from liftgate.engine.journal.inspect import SegmentReport, verify
from liftgate.engine.journal.scan import JournalRotten, Place
from liftgate.engine.journal.segments import HEADER_BYTES, HEADER_DAMAGED, SPARE_NAME, encode_header, first_of
from liftgate.engine.journal.snapshot import newest, read_snapshot, snapshot_name, snapshot_names
from liftgate.engine.journal.storage import Storage

log = structlog.get_logger()

DAMAGED = ".damaged"


class RepairRefused(Exception):
    """No repair leaves a journal that the state can be rebuilt from."""


@dataclass(slots=True)
class Repair:
    """One repair, done or only planned.

    damage: where and what. lost: first and last position that the journal no longer has; None if only a
    header was rewritten. state_kept: the state is whole all the same, by a snapshot. aside: files that get a
    new name. cursors: those moved, name → new position. done: whether it was carried out.
    """

    damage: str
    place: Place | None
    lost: tuple[int, int] | None = None
    state_kept: bool = True
    aside: list[str] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    cut: Place | None = None
    done: bool = False


def repair(storage: Storage, *, confirm: bool = False) -> Repair | None:
    """Plan the repair of the first damage found, and carry it out if `confirm`; None if nothing is damaged.

    Call it until it returns None. Raises FolderLocked while an engine runs, RepairRefused, StorageError.
    """
    lock = storage.lock()
    try:
        plan = _plan(storage)
        if plan is not None and confirm:
            _carry_out(storage, plan)
        return plan
    finally:
        lock.release()


def _plan(storage: Storage) -> Repair | None:
    try:
        cursors = read_cursors(storage)
    except CursorsDamaged as error:
        return Repair(str(error), None, aside=[CURSORS_NAME])
    reports = verify(storage)
    snapshot = newest(storage)
    covered = snapshot.position if snapshot else 0
    for index, report in enumerate(reports):
        if report.rot is not None:
            later = reports[index + 1 :]
            if report.rot.reason == HEADER_DAMAGED:
                return _plan_header(report.rot)
            if later and later[0].first <= covered + 1:
                return _plan_covered(report.rot, reports[: index + 1], later[0].first, cursors)
            return _plan_cut(storage, report.rot, reports[: index + 1], later, cursors)
    return _plan_end(storage, reports, covered, cursors)


def _plan_header(rot: JournalRotten) -> Repair:
    """A header says nothing that the name and the records don't."""
    return Repair(str(rot), rot.place)


def _plan_covered(
    rot: JournalRotten, damaged: list[SegmentReport], oldest: int, cursors: dict[str, int]
) -> Repair:
    return Repair(
        str(rot),
        rot.place,
        lost=(damaged[0].first, oldest - 1),
        aside=[report.name for report in damaged],
        cursors={name: oldest - 1 for name, position in cursors.items() if position < oldest - 1},
    )


def _plan_cut(
    storage: Storage,
    rot: JournalRotten,
    kept: list[SegmentReport],
    later: list[SegmentReport],
    cursors: dict[str, int],
) -> Repair:
    end = rot.position - 1
    snapshots = snapshot_names(storage.names())
    beyond = [name for name in snapshots if name > snapshot_name(end)]
    spare = [SPARE_NAME] if SPARE_NAME in storage.names() else []
    _check_rebuildable(storage, [name for name in snapshots if name not in beyond], kept[0].first, rot)
    proven = (
        *cursors.values(),
        *(int(name[:20]) for name in beyond),
        _last_seen(storage, [kept[-1], *later]),
    )
    headless = [kept[-1].name] if kept[-1].bytes_file < HEADER_BYTES else []
    return Repair(
        str(rot),
        rot.place,
        lost=(rot.position, max((rot.position, *proven))),
        state_kept=False,
        aside=[*spare, *(report.name for report in reversed(later)), *headless, *beyond],
        cursors={name: end for name, position in cursors.items() if position > end},
        cut=None if headless else rot.place,
    )


def _last_seen(storage: Storage, reports: list[SegmentReport]) -> int:
    """Return the highest position in any good record of the segments, also behind damage."""
    contents = (storage.read_whole(report.name) for report in reports)
    return max((record.last for data in contents for record in good_records(data, 0, len(data))), default=0)


def _check_rebuildable(storage: Storage, snapshots: list[str], oldest: int, rot: JournalRotten) -> None:
    """Raise RepairRefused unless the segments kept go back to the start or to a whole snapshot."""
    whole = [found for name in snapshots if (found := read_snapshot(storage, name)) is not None]
    if oldest > 1 and not any(found.position >= oldest - 1 for found in whole):
        raise RepairRefused(
            f"{rot}; no snapshot from before the damage is left, so restore the folder from a copy"
        )


def _plan_end(
    storage: Storage, reports: list[SegmentReport], covered: int, cursors: dict[str, int]
) -> Repair | None:
    """Plan for a journal without damage inside that begins too late or ends too early."""
    proven = max((covered, *cursors.values()))
    last = reports[-1].last if reports else 0
    if reports and reports[0].first > covered + 1:
        reason = f"the journal begins with position {reports[0].first}, the newest snapshot is of {covered}"
        raise RepairRefused(f"{reason}; restore the folder from a copy")
    if proven <= last:
        return None
    if not reports:
        raise RepairRefused(f"no segment is left of {proven} events; restore the folder from a copy")
    reason = f"a snapshot or cursor proves that there were events up to position {proven}"
    newest_report = reports[-1]
    rot = JournalRotten(newest_report.name, newest_report.bytes_used, last + 1, reason)
    return _plan_cut(storage, rot, reports, [], cursors)


def _carry_out(storage: Storage, plan: Repair) -> None:
    """Change the folder, in an order that a second repair can go on from after a crash at any step."""
    log.warning("journal.repair", damage=plan.damage, lost=plan.lost, aside=plan.aside, cursors=plan.cursors)
    for name in plan.aside:
        storage.rename(name, _free_name(storage, name))
    if plan.cut is not None:
        _cut(storage, plan.cut)
    elif plan.place is not None and plan.lost is None:
        _overwrite(storage, plan.place.segment)
    if plan.cursors:
        cursors = Cursors(storage)
        for name, position in plan.cursors.items():
            cursors.set(name, position)
        cursors.save()
    plan.done = True


def _free_name(storage: Storage, name: str) -> str:
    """Return a name for the file set aside that no earlier repair used."""
    taken = storage.names()
    number = sum(other.startswith(name + DAMAGED) for other in taken)
    return f"{name}{DAMAGED}" + (f".{number}" if number else "")


def _cut(storage: Storage, place: Place) -> None:
    """Keep a copy of the segment as it is, then zero it from the damage on."""
    storage.write_whole(_free_name(storage, place.segment), storage.read_whole(place.segment))
    _overwrite(storage, place.segment, max(place.offset, HEADER_BYTES))


def _overwrite(storage: Storage, name: str, zeros_from: int | None = None) -> None:
    """Write the segment's header again, for the size that it has, and zero the rest of it."""
    file = storage.open(name, writable=True)
    try:
        file.write_at(encode_header(first_of(name), file.size), 0)
        if zeros_from is not None:
            file.write_at(bytes(file.size - zeros_from), zeros_from)
        file.sync()
    finally:
        file.close()
