"""Proofs in the gateway: what is cheap at once, what is not parked, bounded, and decided once."""

from typing import Any

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault
from liftgate.gateways import proofs, prover
from liftgate.gateways.replays import SLICE_ENTRIES
from tests.gateways.network import CARD, ENTRY, EXIT, START_MS, World, codes, scan
from tests.gateways.tickets import (
    OTHER,
    PUBLIC,
    QR,
    RULES,
    START_S,
    SUN,
    UID,
    Slow,
    decided,
    maced,
    show,
    signed,
    tapped,
    ticket_config,
    ticket_world,
)

OPEN, REFUSE = 1, 2


def order(world: World, name: str, **args: Any) -> m.Outcome:
    """An order of the service's; its outcome."""
    service = world.service()
    command = m.CommandMessage(world.now_ms.to_bytes(16, "big"), "north", name, {"actor": "jo", **args})
    (outcome,) = service.ask(command)
    world.now_ms += 1
    assert isinstance(outcome, m.Outcome)
    return outcome


# -- what is found out


def test_a_signed_ticket_is_decided_a_round_later_and_then_at_once() -> None:
    """The first time it waits for the prover; at the exit it is known."""
    world = ticket_world()
    reader = world.reader()
    assert reader.ask(show(1, signed())) == []
    world.round()
    (first,) = reader.take()
    assert isinstance(first, m.Decision) and (first.no, first.verdict) == (1, OPEN)
    (second,) = reader.ask(show(2, signed(), lane=EXIT))
    assert isinstance(second, m.Decision) and (second.verdict, second.session) == (OPEN, first.session)


def test_a_mac_and_a_tag_are_decided_at_once() -> None:
    """Some microseconds of work need no other process."""
    reader = ticket_world().reader()
    first, second = reader.ask(show(1, maced()), show(2, tapped(61), SUN))
    assert isinstance(first, m.Decision) and isinstance(second, m.Decision)
    assert (first.verdict, second.verdict) == (OPEN, OPEN)


@pytest.mark.parametrize(
    ("token", "kind", "reason", "fault"),
    [
        (signed(secret=OTHER), QR, 203, "signature does not fit key 2026a"),
        (signed(kid="2025z"), QR, 203, "its key is not known here"),
        (b"LG1:ABC", QR, 203, "bytes behind the end"),
        (b"LG1:abc", QR, 203, "not base45"),
        (maced()[:-1], QR, 203, "not base45"),
        (signed(lot="south"), QR, 200, None),
        (signed(expires_s=START_S), QR, 202, None),
        (signed(not_before_s=START_S + 60), QR, 202, None),
        (b"some code", QR, 200, None),
        (b"e=00&c=00", SUN, 203, "no e of 32 hex digits"),
        (tapped(1)[:-1] + b"!", SUN, 203, "no key of this lot opens it"),
    ],
)
def test_what_is_refused_and_why(token: bytes, kind: int, reason: int, fault: str | None) -> None:
    """What is not genuine is recorded as it was scanned, with why in marks and trace."""
    world = ticket_world()
    assert decided(world.reader(), show(1, token, kind)) == [(1, REFUSE, reason)]
    event = world.lot.readers["r0"].numbering(7).answer(1)
    assert event.marks.get("unproven") == fault
    if fault is not None:
        assert event.token == token and fault in "\n".join(event.trace)


def test_a_copied_qr_code_and_a_copied_tag_are_refused_at_another_reader() -> None:
    """The copy says the same bytes, and `why` says what the rules saw."""
    world = ticket_world()
    first, second = world.reader("r0"), world.reader("r1")
    once = signed(single_use=True)
    assert decided(first, show(1, once), show(2, tapped(61), SUN)) == [(2, OPEN, 0), (1, OPEN, 0)]
    assert decided(second, show(1, once), show(2, tapped(61), SUN)) == [(1, REFUSE, 204), (2, REFUSE, 204)]
    (answer,) = world.service().ask(m.Query("north", "why", {"reader": "r1", "boot": 7, "no": 2}))
    assert isinstance(answer, m.Answer)
    assert "genuine: counter 61, last heard 61" in answer.body["trace"]
    assert decided(second, show(3, tapped(62), SUN, EXIT)) == [(3, OPEN, 0)]
    world.restart()
    assert decided(world.reader("r2"), show(1, once), show(2, tapped(62), SUN)) == [
        (2, REFUSE, 204),
        (1, REFUSE, 204),
    ]


def test_a_lot_without_tickets_is_as_before() -> None:
    """A code that looks like a ticket is a code, and tags are not taken."""
    world = World()
    assert decided(world.reader(), show(1, signed()), show(2, tapped(1), SUN)) == [
        (1, REFUSE, 200),
        (2, REFUSE, 101),
    ]
    assert not world.gateway.proofs.is_waiting()


# -- keys


def test_keys_change_on_a_running_engine() -> None:
    """A key that is retired vouches no more, though its ticket was known; its successor does."""
    world = ticket_world()
    reader = world.reader()
    assert decided(reader, show(1, signed(1))) == [(1, OPEN, 0)]
    assert order(world, "retire_ticket_key", kid="2026a").ok
    assert decided(reader, show(2, signed(1), lane=EXIT)) == [(2, REFUSE, 203)]
    assert order(world, "add_ticket_key", kid="2027a", public=PUBLIC.hex()).ok
    assert decided(reader, show(3, signed(2, kid="2027a"))) == [(3, OPEN, 0)]


def test_a_kid_that_is_another_key_now_is_proven_anew() -> None:
    """What was known of a ticket was known by the key of that time."""
    world = ticket_world()
    reader = world.reader()
    assert decided(reader, show(1, signed(1))) == [(1, OPEN, 0)]
    order(world, "retire_ticket_key", kid="2026a")
    order(world, "add_ticket_key", kid="2026a", public="ab" * 32)
    assert decided(reader, show(2, signed(1), lane=EXIT)) == [(2, REFUSE, 203)]


def test_a_key_vouches_in_its_time() -> None:
    """By the engine's clock, while its ticket is known already."""
    config = ticket_config()
    keys = [{**RULES["keys"][0], "not_after": "2027-01-15T08:00:10Z"}]
    lot = msgspec.structs.replace(config.lots[0], rules={"tickets": {"keys": keys}})
    world = World(msgspec.structs.replace(config, lots=(lot,)))
    reader = world.reader()
    assert decided(reader, show(1, signed())) == [(1, OPEN, 0)]
    world.wait(10)
    assert decided(reader, show(2, signed(), lane=EXIT)) == [(2, REFUSE, 203)]


def test_rules_without_their_secret_prove_nothing() -> None:
    """An order may name a key whose secret the file does not have: it is refused and logged, not let in."""
    world = ticket_world()
    assert order(world, "add_ticket_key", kid="m2", alg="hmac").ok
    assert decided(world.reader(), show(1, maced())) == [(1, OPEN, 0)]


# -- parked


def test_a_parked_scan_sent_again_is_decided_once_and_answered_twice() -> None:
    """On the same connection while it waits; on another one the first's is forgotten."""
    world = ticket_world()
    reader = world.reader()
    first, second = decided(reader, show(1, signed()), show(1, signed()))
    assert first == second == (1, OPEN, 0)
    assert world.lot.counts()["occupancy"] == 1
    assert reader.ask(show(2, signed(2))) == []
    again = world.connect()
    again.sign_on("r0")
    assert decided(again, show(2, signed(2))) == [(2, OPEN, 0)]
    assert reader.take()[-1] == m.Goodbye("replaced")
    assert world.lot.counts()["occupancy"] == 2


def test_a_parked_scan_of_a_connection_that_is_gone_is_not_decided() -> None:
    """Its reader never had an answer, and sends it again."""
    world = ticket_world()
    world.gateway.proofs.prover = slow = Slow()
    reader = world.reader()
    assert reader.ask(show(1, signed())) == []
    world.hang_up(reader)
    slow.done = True
    world.round()
    assert world.lot.counts()["occupancy"] == 0 and not world.gateway.proofs.waiting
    assert decided(world.reader(), show(1, signed())) == [(1, OPEN, 0)]


def test_what_is_parked_counts_as_in_flight() -> None:
    """For as long as it waits, over rounds in which others are answered."""
    world = ticket_world(in_flight_max=8)
    reader = world.reader()
    waits = [show(no, signed(no)) for no in range(1, 9)]
    world.gateway.proofs.prover = Slow()
    assert reader.ask(*waits) == []
    world.round()
    assert codes(reader.ask(scan(9))) == [Fault.TOO_MANY_IN_FLIGHT]


def test_a_parked_scan_is_decided_under_the_boot_that_it_came_under() -> None:
    """A reader behind a transport that lets it change its boot in between goes on under the new one."""
    world = ticket_world()
    reader = world.reader(boot=7)
    assert reader.ask(show(1, signed())) == []
    reader.link.boot, reader.link.numbering = 8, None
    world.round()
    (decision,) = reader.take()
    assert isinstance(decision, m.Decision) and decision.verdict == OPEN
    numberings = world.lot.readers["r0"].numberings
    assert numberings[7].has(1) and 8 not in numberings
    assert decided(reader, scan(1)) == [(1, OPEN, 0)]
    assert numberings[8].has(1)


def test_others_go_ahead_of_a_parked_scan() -> None:
    """A card behind a ticket is decided in its round; refs tell the answers apart."""
    world = ticket_world()
    reader = world.reader()
    (card,) = reader.ask(show(1, signed()), scan(2))
    assert isinstance(card, m.Decision) and card.no == 2
    world.round()
    (late,) = reader.take()
    assert isinstance(late, m.Decision) and late.no == 1


def test_a_lane_that_is_gone_meanwhile_is_judged_when_the_scan_is_decided() -> None:
    """As if it came then: ERROR 13, with the scan's own ref."""
    world = ticket_world()
    reader = world.reader()
    assert reader.ask(show(1, signed())) == []
    ref = reader.refs
    del world.lot.readers["r0"].lanes[ENTRY]
    world.round()
    ((error, its),) = reader.got
    assert isinstance(error, m.Error) and (error.code, its) == (Fault.NO_SUCH_LANE, ref)


def test_a_service_scans_tickets_too() -> None:
    """COMMAND read_credential waits in the same way, and the reader's resend gets its decision."""
    world = ticket_world()
    service = world.service()
    args = {"reader": "r0", "boot": 7, "no": 1, "lane": ENTRY, "kind": QR, "token": signed()}
    command = m.CommandMessage(bytes(16), "north", "read_credential", {**args, "at_ms": START_MS})
    assert service.ask(command) == []
    world.round()
    (outcome,) = service.take()
    assert isinstance(outcome, m.Outcome) and outcome.body["verdict"] == OPEN
    (decision,) = world.reader().ask(show(1, signed()))
    assert isinstance(decision, m.Decision) and decision.session == outcome.body["session"]


# -- history


def entry(no: int, token: bytes, kind: int = QR, verdict: int = OPEN) -> m.ReplayEntry:
    body = m.encode(m.Scan(no, START_MS - 60_000, ENTRY, kind, token))
    return m.ReplayEntry(m.Scan.TYPE, verdict, msgspec.Raw(body))


def test_a_replay_is_proven_and_never_refused() -> None:
    """Whatever is wrong is a finding: used twice, not genuine, a tag whose counter is old."""
    world = ticket_world()
    reader = world.reader()
    once = signed(1, single_use=True)
    tokens = [
        (once, QR),
        (once, QR),
        (signed(2, OTHER), QR),
        (b"LG1:!", QR),
        (tapped(5), SUN),
        (tapped(5), SUN),
    ]
    entries = tuple(entry(no, token, kind) for no, (token, kind) in enumerate(tokens, 1))
    assert reader.ask(m.Replay(entries)) == []
    world.round()
    (replayed,) = reader.take()
    assert isinstance(replayed, m.Replayed)
    assert (replayed.done_to, replayed.findings) == (6, ((2, 204), (3, 203), (4, 203), (6, 204)))
    assert decided(reader, show(7, once), show(8, tapped(5), SUN)) == [(7, REFUSE, 204), (8, REFUSE, 204)]


def test_tickets_of_a_replay_stay_proven_while_it_waits_in_the_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many others come meanwhile: what was found out is kept with it."""
    monkeypatch.setattr(proofs, "KNOWN_MAX", 4)
    world = ticket_world()
    reader = world.reader()
    numbers = range(1, 3 * SLICE_ENTRIES)
    assert reader.ask(m.Replay(tuple(entry(no, signed(no)) for no in numbers))) == []
    world.round()
    (replayed,) = reader.take()
    assert isinstance(replayed, m.Replayed)
    assert (replayed.done_to, replayed.findings) == (len(numbers), ())


def test_a_wrong_entry_of_a_replay_is_refused_in_its_turn() -> None:
    """Those before it stay recorded, though one of them waited."""
    world = ticket_world()
    reader = world.reader()
    broken = m.ReplayEntry(m.Scan.TYPE, OPEN, msgspec.Raw(b"\x90"))
    reader.ask(m.Replay((entry(1, signed()), broken)))
    world.round()
    assert codes(reader.take()) == [Fault.BAD_FIELD]
    assert world.lot.counts()["occupancy"] == 1


# -- bounds


class Gone(prover.PromptProver):
    """A prover that ends before it found anything out."""

    def answers(self) -> list[prover.Answer]:
        jobs, self.jobs = self.jobs, []
        return [(job, None) for job in jobs]


def test_what_cannot_be_proven_now_is_sent_again_later() -> None:
    """ERROR 12, not fatal, and nothing decided."""
    world = ticket_world()
    world.gateway.proofs.prover = Gone()
    reader = world.reader()
    assert reader.ask(show(1, signed())) == []
    world.round()
    assert codes(reader.take()) == [Fault.UNAVAILABLE] and not reader.ended
    world.gateway.proofs.prover = prover.PromptProver()
    assert decided(reader, show(1, signed())) == [(1, OPEN, 0)]


def test_a_reader_waits_for_a_lanes_burst_of_proofs_at_most() -> None:
    """One more is ERROR 12; the prover has no more than it can do in a blink, and readers take turns."""
    world = ticket_world(readers=6)
    world.gateway.proofs.prover = slow = Slow()
    readers = [world.reader(f"r{n}") for n in range(6)]
    for number, reader in enumerate(readers[:5]):
        answers = reader.ask(*(show(no, signed(100 * number + no)) for no in range(1, 21)))
        assert codes(answers) == [Fault.UNAVAILABLE] * 4
    readers[5].ask(show(1, signed(999)))
    assert len(slow.jobs) == prover.OUTSTANDING_MAX
    assert len(world.gateway.proofs.waiting) == 5 * proofs.SCANS_WAITING_MAX + 1


def test_readers_take_turns_at_the_prover() -> None:
    """Whoever asks for one proof waits for one of each of the others, not for all of them."""
    world = ticket_world(readers=6)
    world.gateway.proofs.prover = slow = Slow()
    readers = [world.reader(f"r{n}") for n in range(6)]
    sends = [
        (reader, b"".join(reader.frame(show(no, signed(100 * number + no))) for no in range(1, 17)))
        for number, reader in enumerate(readers[:5])
    ]
    last = readers[5]
    world.round(*sends, (last, last.frame(show(1, signed(999)))))
    mine = [place for place, job in enumerate(slow.jobs) if b"\0\0\0\0\0\0\x03\xe7" in job.over]
    assert mine == [5]


def test_garbage_on_a_hundred_connections_leaves_a_card_alone() -> None:
    """64 bad tickets of each in one round: the card is decided in it, little of the garbage is looked at."""
    world = ticket_world(readers=101)
    looked = Counting(world)
    readers = [world.reader(f"r{n}") for n in range(101)]
    garbage = [b"LG1:" + b"%04d" % n + b"X" * 300 for n in range(64)]
    sends = [
        (reader, b"".join(reader.frame(show(no, token)) for no, token in enumerate(garbage, 1)))
        for reader in readers[:100]
    ]
    card = readers[100]
    world.round(*sends, (card, card.frame(scan(1))))
    (decision,) = card.take()
    assert isinstance(decision, m.Decision) and decision.verdict == OPEN
    assert looked.count <= 100 * proofs.FAULTS_MAX
    for reader in readers[:100]:
        answers = [each.reason for each in reader.take() if isinstance(each, m.Decision)]
        assert answers == [203] * 64 and not reader.ended
    assert len(world.gateway.proofs._wrong) <= proofs.WRONG_MAX


class Counting:
    """Counts tickets that were looked at, in a world's gateway."""

    def __init__(self, world: World) -> None:
        self.count = 0
        self._real = world.gateway.proofs._ticket
        world.gateway.proofs._ticket = self._ticket  # type: ignore[method-assign]

    def _ticket(self, *args: Any) -> Any:
        self.count += 1
        return self._real(*args)


def test_forged_signatures_of_one_reader_do_not_keep_it_out_for_long() -> None:
    """After sixteen its tickets and tags are refused without a look, an eighth of a second later one more is
    looked at; what is known to be genuine goes on all the time.
    """
    world = ticket_world()
    reader = world.reader()
    assert decided(reader, show(1, signed(1))) == [(1, OPEN, 0)]
    forged = [show(no, signed(no, OTHER)) for no in range(2, 18)]
    assert {reason for _, _, reason in decided(reader, *forged)} == {203}
    refused = decided(reader, show(18, signed(18)), show(19, tapped(9), SUN))
    assert refused == [(18, REFUSE, 203), (19, REFUSE, 203)]
    event = world.lot.readers["r0"].numbering(7).answer(18)
    assert event.marks == {"unproven": proofs.NOT_LOOKED_AT.fault}
    assert decided(reader, show(20, signed(1), lane=EXIT)) == [(20, OPEN, 0)]
    assert decided(reader, m.Scan(21, START_MS, ENTRY, CARD, b"card")) == [(21, OPEN, 0)]
    world.now_ms += proofs.FAULT_MS
    assert decided(reader, show(22, signed(18))) == [(22, OPEN, 0)]
    assert decided(world.reader("r1"), show(1, signed(30))) == [(1, OPEN, 0)]


def test_a_replay_with_more_tickets_than_a_link_may_wait_for_comes_again() -> None:
    """ERROR 12: the reader keeps it; nothing of it is recorded."""
    world = ticket_world()
    world.gateway.proofs.prover = Slow()
    reader = world.reader()
    for start in (1, 201, 401):
        answers = reader.ask(m.Replay(tuple(entry(no, signed(no)) for no in range(start, start + 200))))
    assert codes(answers) == [Fault.UNAVAILABLE] and not reader.ended
    assert world.lot.counts()["occupancy"] == 0


def test_what_is_kept_of_tickets_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Genuine ones and others apart: garbage takes no ticket's place."""
    monkeypatch.setattr(proofs, "KNOWN_MAX", 4)
    monkeypatch.setattr(proofs, "WRONG_MAX", 4)
    world = ticket_world()
    reader = world.reader()
    for no in range(1, 7):
        decided(reader, show(no, maced(no)))
    for no in range(7, 17):
        decided(reader, show(no, b"LG1:%d" % no))
    kept = world.gateway.proofs
    assert (len(kept._known), len(kept._wrong)) == (4, 4)
    assert maced(6) in kept._known and maced(1) not in kept._known


def test_identity_is_the_uid_of_the_tag() -> None:
    """Lists and stays name it."""
    world = ticket_world()
    decided(world.reader(), show(1, tapped(1), SUN))
    assert list(world.lot.stays) == [bytes((SUN,)) + UID]
