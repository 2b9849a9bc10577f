"""POLICY: sent after WELCOME and when it changes, paced, and what came of it is known."""

from typing import Any

import msgspec

from liftgate.codecs import messages as m
from liftgate.codecs.events import events_of
from liftgate.codecs.events.operators import FindingMade
from liftgate.engine.core.parts.offline import policy_of, verify_keys
from liftgate.engine.core.parts.setup import set_rules
from liftgate.engine.journal import inspect
from liftgate.gateways import policies
from tests.gateways.network import ENTRY, START_MS, Peer, World, make_config, scan
from tests.gateways.test_replays import entry, replay
from tests.gateways.tickets import PUBLIC, RULES, ticket_world

SETTLED_S = policies.SETTLE_MS / 1000 + 1


def world_with(readers: int = 4, **rules: Any) -> World:
    config = make_config(readers=readers)
    lot = msgspec.structs.replace(config.lots[0], rules={"offline": rules})
    return World(msgspec.structs.replace(config, lots=(lot,)))


def policy(peer: Peer) -> m.Policy:
    """The one POLICY that the peer has got and not answered."""
    ((message, ref),) = [(message, ref) for message, ref in peer.got if isinstance(message, m.Policy)]
    peer.got.clear()
    peer.refs = ref - 1  # so that DONE carries its ref
    return message


def done(peer: Peer, ok: bool = True, text: str = "") -> None:
    """Answer the POLICY that `policy` gave."""
    peer.world.round((peer, peer.conn.encode(m.Done(ok, text), peer.refs + 1)))


def order(world: World, name: str, **args: Any) -> None:
    if not hasattr(world, "desk"):
        world.desk = world.service()  # type: ignore[attr-defined]
    message = m.CommandMessage(
        world.engine.position.to_bytes(16, "big"), "north", name, {"actor": "eve"} | args
    )
    (outcome,) = world.desk.ask(message)  # type: ignore[attr-defined]
    assert isinstance(outcome, m.Outcome) and outcome.ok, outcome


def ask(world: World, **args: Any) -> dict[str, Any]:
    (answer,) = world.service().ask(m.Query("north", "policies", args))
    assert isinstance(answer, m.Answer) and answer.ok, answer
    return answer.body


def findings(world: World, kind: str) -> list[FindingMade]:
    """Those of a kind in the journal."""
    events = inspect.dump(world.storage, 1, 1 << 62, events_of)
    return [event for _, _, event in events if isinstance(event, FindingMade) and event.kind == kind]


def test_readers_of_a_lot_without_the_theme_are_told_nothing() -> None:
    """As before it."""
    world = World()
    reader = world.reader()
    order(world, "deny_credential", kind=2, token=b"bad")
    world.wait(SETTLED_S)
    assert reader.take() == []


def test_a_policy_follows_welcome_and_its_done_is_known() -> None:
    """Which reader has which policy can be asked."""
    world = world_with(hours=5)
    reader = world.reader()
    told = policy(reader)
    assert told.offline == {"hours": 5, "entries": 200, "lot": "north", "cards": "known", "known": []}
    row = ask(world, reader="r0")["readers"][0]
    assert (row["state"], row["connected"], row["sent_ms"]) == ("sent", True, START_MS)
    done(reader)
    assert ask(world, reader="r0")["readers"][0]["state"] == "taken"
    assert [row["state"] for row in ask(world)["readers"]] == ["taken", "none", "none", "none"]


def test_changes_go_out_together() -> None:
    """Two orders in a row make one POLICY a few seconds later; an order that changes nothing makes none."""
    world = world_with()
    reader = world.reader()
    policy(reader)
    done(reader)
    order(world, "deny_credential", kind=2, token=b"bad")
    order(world, "register_credential", kind=2, token=b"good")
    assert reader.take() == []
    world.wait(SETTLED_S)
    told = policy(reader)
    assert len(told.deny) == 1 and len(told.offline["known"]) == 1
    done(reader)
    order(world, "set_lane", reader="r1", lane=ENTRY, mode=3)
    world.wait(SETTLED_S)
    assert reader.take() == []


def test_rules_that_are_taken_away_are_taken_from_readers() -> None:
    """One that was away meanwhile, too: it may remember a POLICY, also beyond a restart of the engine."""
    world = world_with()
    reader = world.reader()
    policy(reader)
    done(reader)
    order(world, "set_rules", rules={"offline": None})
    world.wait(SETTLED_S)
    assert policy(reader) == m.Policy((), (), {"hours": 0})
    world.restart()
    assert policy(world.reader("r1")) == m.Policy((), (), {"hours": 0})


def test_a_storm_of_readers_is_told_by_and_by() -> None:
    """No tick sends more than it has room for, and all are told in the end."""
    world = world_with(readers=200)
    readers = [world.reader(f"r{number}") for number in range(200)]
    told = [sum(bool(reader.got) for reader in readers)]
    while told[-1] < 200:
        world.wait(0.25, 0.25)
        told.append(sum(bool(reader.got) for reader in readers))
    assert (
        max(after - before for before, after in zip(told, told[1:], strict=False)) <= policies.SENDS_PER_TICK
    )
    assert all(len(reader.got) == 1 for reader in readers)


def test_a_reader_that_does_not_answer_is_left_alone() -> None:
    """The next POLICY waits for its DONE, but not for ever."""
    world = world_with()
    reader = world.reader()
    policy(reader)
    order(world, "deny_credential", kind=2, token=b"bad")
    world.wait(10)
    assert reader.take() == [] and ask(world, reader="r0")["readers"][0]["state"] == "waiting"
    for _ in range(3):
        reader.ask(m.Ping())
        world.wait(8)
    assert len([message for message in reader.take() if isinstance(message, m.Policy)]) == 1


def test_a_policy_that_was_refused_is_a_finding_once() -> None:
    """And is not sent again before there is another one, or the reader comes back."""
    world = world_with()
    reader = world.reader()
    for _ in range(2):
        policy(reader)
        done(reader, False, "flash is worn out")
        world.hang_up(reader)
        reader = world.reader()
    policy(reader)
    (found,) = findings(world, "policy_refused")
    assert found.text == "reader r0 did not take its POLICY: flash is worn out"
    assert ask(world, reader="r0")["readers"][0]["state"] == "sent"


def test_a_done_of_another_request_is_not_the_policys() -> None:
    """Only the one with its ref."""
    world = world_with()
    reader = world.reader()
    policy(reader)
    world.round((reader, reader.conn.encode(m.Done(False, "no such lane"), 4_000)))
    assert ask(world, reader="r0")["readers"][0]["state"] == "sent"
    assert findings(world, "policy_refused") == []


def test_a_small_reader_gets_what_fits_and_a_person_hears_of_the_rest() -> None:
    """The frame is no larger than WELCOME named; what was left out is a finding, once."""
    world = world_with(deny_max=1_900)
    for number in range(64):
        order(world, "deny_credential", kind=2, token=b"bad%d" % number)
    reader = world.connect()
    assert reader.sign_on("r0", frame_bytes_max=1024).frame_bytes_max == 1024
    told = policy(reader)
    assert len(m.encode(told)) <= 1024 and 20 < len(told.deny) < 64
    other = world.reader("r1")
    world.wait(1)
    assert len(policy(other).deny) == 64
    (found,) = findings(world, "policy_cut")
    assert found.about["denied"] == 64 - len(told.deny)


def test_a_reader_whose_output_waits_is_told_later() -> None:
    """What is not urgent does not fill the buffer of a slow reader."""
    world = world_with()
    reader = world.reader()
    policy(reader)
    done(reader)
    reader.room = 0
    reader.ask(scan(1))
    order(world, "deny_credential", kind=2, token=b"bad")
    world.wait(SETTLED_S)
    assert reader.take() == []
    reader.flush()
    world.wait(1)
    assert len([message for message in reader.take() if isinstance(message, m.Policy)]) == 1


def test_limits_count_from_when_the_reader_was_last_heard() -> None:
    """Not from its first entry alone: eight hours of silence are eight hours."""
    world = world_with(hours=2)
    reader = world.reader()
    world.hang_up(reader)
    since_ms = world.now_ms
    world.now_ms += 3 * 3_600_000
    reader = world.reader()
    reader.take()
    reply = replay(
        reader, entry(1, b"early", at_ms=since_ms + 3_600_000), entry(2, b"late", at_ms=world.now_ms)
    )
    assert reply.findings == ((2, 502),)
    assert ask(world, reader="r0")["readers"][0]["alone_since_ms"] == since_ms


def test_readers_are_told_the_public_keys_of_tickets_alone() -> None:
    """Those that vouch now or later: a MAC's key must not lie in a reader."""
    world = ticket_world()
    set_rules(world.lot, {"offline": {"hours": 12, "entries": 500}, "tickets": RULES})
    assert policy_of(world.lot, "open", START_MS, 4096).verify_keys == (("2026a", PUBLIC),)
    ending = {**RULES["keys"][0], "not_after": "2027-01-15T08:00:10Z"}
    set_rules(world.lot, {"offline": {"hours": 12, "entries": 500}, "tickets": {"keys": [ending]}})
    assert verify_keys(world.lot, START_MS + 9_000) == (("2026a", PUBLIC),)
    assert verify_keys(world.lot, START_MS + 10_000) == ()
    assert verify_keys(World().lot, START_MS) == ()
