"""Readers that a service carries: reached like others, each order once, none when it is old."""

from typing import Any

import msgspec
import pytest

from liftgate.codecs import messages as m
from liftgate.configs.schema import Config, ServiceConfig
from liftgate.gateways import carried, carried_link, policies
from tests.gateways.network import ENTRY, KEY, World, make_config, scan

HEARTBEAT_S = 15
SPEAKS = ("read_credential", "record_passage", "report_lane", "record_history", "carry_readers")


class Carrying:
    """A service that carries readers, over one connection."""

    def __init__(self, world: World, id: str = "mqtt", via: str = "broker/a") -> None:
        self.world = world
        self.peer = world.service(id)
        self.via = via
        self.commands = 0

    def ask(self, *gone: str) -> list[list[Any]] | None:
        """QUERY orders: what came with its answer, None where it waits now."""
        peer = self.peer
        peer.world.round((peer, peer.frame(m.Query("", "orders", {"via": self.via, "gone": list(gone)}))))
        answers = [message for message, ref in peer.got if ref == peer.refs]
        peer.got.clear()
        return _orders(answers) if answers else None

    def woken(self) -> bool:
        """Whether a QUERY that waited was answered, which must say no more than that."""
        answers = [message for message in self.peer.take() if isinstance(message, m.Answer)]
        assert not answers or _orders(answers) == []
        return bool(answers)

    def wait(self, seconds: float) -> None:
        """Let time pass; this connection stays."""
        while seconds > 0:
            self.world.wait(min(5.0, seconds))
            self.world.round((self.peer, self.peer.frame(m.Pong())))
            seconds -= 5

    def settle(self) -> list[list[Any]]:
        """Ask until a QUERY waits; all orders that came."""
        found: list[list[Any]] = []
        while (orders := self.ask()) is not None:
            found += orders
        return found

    def command(self, name: str, reader: str, **args: Any) -> m.Outcome:
        """Speak for a reader."""
        self.commands += 1
        id = self.commands.to_bytes(16, "big")
        outcome, *_ = self.peer.ask(m.CommandMessage(id, "*", name, {"reader": reader, **args}))
        assert isinstance(outcome, m.Outcome)
        return outcome

    def hear(self, reader: str, message: m.Message, ref: int = 0) -> m.Outcome:
        """The reader said something that is no event."""
        self.commands += 1
        args = {"reader": reader, "type": message.TYPE, "message": m.encode(message), "ref": ref}
        command = m.CommandMessage(self.commands.to_bytes(16, "big"), "*", "hear_reader", args)
        outcomes = [each for each in self.peer.ask(command) if isinstance(each, m.Outcome)]
        return outcomes[0]


def _orders(answers: list[m.Message]) -> list[list[Any]]:
    (answer,) = answers
    assert isinstance(answer, m.Answer) and answer.ok, answer
    orders: list[list[Any]] = answer.body["orders"]
    return orders


def carrying_config(**engine: Any) -> Config:
    config = make_config(heartbeat_s=HEARTBEAT_S, **engine)
    services = [ServiceConfig(id=id, key=KEY, may=SPEAKS, lots=None) for id in ("mqtt", "mqtt2")]
    services.append(ServiceConfig(id="quiet", key=KEY, may=SPEAKS[:-1], lots=None))
    services.append(ServiceConfig(id="south", key=KEY, may=SPEAKS, lots=("south",)))
    return msgspec.structs.replace(config, services=(*config.services, *services))


def carrying_world(**rules: Any) -> World:
    """rules: of the theme "offline", where there are any."""
    config = carrying_config()
    if rules:
        lot = msgspec.structs.replace(config.lots[0], rules={"offline": rules})
        config = msgspec.structs.replace(config, lots=(lot,))
    return World(config)


def carried_reader(world: World, id: str = "r0") -> Carrying:
    """A service with a QUERY waiting, that carries this reader."""
    service = Carrying(world)
    service.settle()
    assert service.hear(id, m.Ping()).ok
    service.settle()
    return service


def order(world: World, name: str, reader: str = "r0", **args: Any) -> m.Outcome:
    """An operator's order at a lane."""
    desk = world.service("api")
    id = world.engine.position.to_bytes(16, "big")
    more = {"reader": reader, "lane": ENTRY, "actor": "eve", **args}
    (outcome,) = desk.ask(m.CommandMessage(id, "north", name, more))
    assert isinstance(outcome, m.Outcome)
    world.hang_up(desk)
    return outcome


def vend(world: World, reader: str = "r0") -> str:
    """Have a barrier raised; the code of the outcome."""
    return order(world, "open_lane", reader, cause="lost ticket").code


def told(orders: list[list[Any]]) -> list[m.Message]:
    return [m.decode(kind, body) for _, kind, _, body, _ in orders]


# -- orders


def test_orders_reach_a_reader_by_the_service_that_speaks_for_it() -> None:
    """VEND, SET_LANE and DISPLAY, each once, under refs of their own, in their order."""
    world = carrying_world()
    service = carried_reader(world)
    assert vend(world) == ""
    assert order(world, "set_lane", mode=3).ok
    assert order(world, "display", text="Closed", seconds=5).ok
    assert service.woken()
    orders = service.ask()
    assert orders is not None and told(orders) == [
        m.Vend(ENTRY, "lost ticket"),
        m.SetLane(ENTRY, 3),
        m.Display(ENTRY, "Closed", 5),
    ]
    assert {reader for reader, *_ in orders} == {"r0"} and len({ref for _, _, ref, *_ in orders}) == 3
    assert all(left_ms == carried_link.ORDER_MS for *_, left_ms in orders)
    assert service.ask() is None


def test_a_reader_that_nobody_spoke_for_is_away() -> None:
    """It may be anywhere."""
    world = carrying_world()
    carried_reader(world, "r0")
    assert vend(world, "r1") == "reader_away"


def test_an_event_is_a_word_of_the_reader() -> None:
    """A scan makes it reachable as a heartbeat does."""
    world = carrying_world()
    service = Carrying(world)
    service.settle()
    fields = {name: getattr(scan(1), name) for name in ("no", "at_ms", "lane", "kind", "token")}
    assert service.command("read_credential", "r0", boot=7, **fields).ok
    assert vend(world) == ""


def test_without_the_right_readers_are_spoken_for_and_not_carried() -> None:
    """As before there was one."""
    world = carrying_world()
    quiet = world.service("quiet")
    assert quiet.ask(m.Query("", "orders", {"via": "b"})) == [m.Answer(False, "not_allowed", {})]
    hears = m.CommandMessage(
        bytes(16), "*", "hear_reader", {"reader": "r0", "type": 0x2A, "message": b"\x90"}
    )
    (outcome,) = quiet.ask(hears)
    assert isinstance(outcome, m.Outcome) and outcome.code == "not_allowed"
    assert vend(world) == "reader_away"


def test_a_service_carries_readers_of_its_own_lots_only() -> None:
    """Though it names another lot's reader in a COMMAND for its own."""
    world = carrying_world()
    south = Carrying(world, "south")
    assert south.settle() == []  # nobody of the other lot is asked
    assert south.hear("r0", m.Ping()).code == "no_such_lot"
    assert vend(world) == "reader_away"


def test_a_reader_with_a_connection_of_its_own_keeps_that() -> None:
    """There it has shown its key; when that ends, its next word by the broker counts."""
    world = carrying_world()
    service = Carrying(world)
    service.settle()
    reader = world.reader("r0")
    assert service.hear("r0", m.Ping()).ok and vend(world) == ""
    assert [type(message) for message in reader.take()] == [m.Vend] and not service.woken()
    world.hang_up(reader)
    assert vend(world) == "reader_away"
    assert service.hear("r0", m.Pong()).ok and vend(world) == "" and service.woken()


def test_a_connection_of_its_own_takes_the_place_of_the_service() -> None:
    """Orders that wait for the gateway then are the old connection's."""
    world = carrying_world()
    service = carried_reader(world)
    reader = world.reader("r0")
    assert vend(world) == "" and not service.woken()
    assert [type(message) for message in reader.take()] == [m.Vend]


# -- gateways that come and go


def test_an_order_that_a_killed_gateway_had_goes_to_another_under_the_same_ref() -> None:
    """Until it asks again nobody knows whether the broker has it."""
    world = carrying_world()
    first, second = carried_reader(world), Carrying(world, "mqtt2")
    second.settle()
    assert vend(world) == "" and first.woken() and second.woken()
    (given,) = first.ask() or []
    assert second.ask() is None
    world.hang_up(first.peer)
    assert second.woken()
    assert second.ask() == [given] and vend(world) == ""


def test_of_two_gateways_one_has_a_readers_orders() -> None:
    """The later order waits until the one before it is with the broker, or modes could change places."""
    world = carrying_world()
    first, second = carried_reader(world), Carrying(world, "mqtt2")
    second.settle()
    order(world, "set_lane", mode=3)
    assert first.woken() and second.woken()
    assert told(first.ask() or []) == [m.SetLane(ENTRY, 3)]
    order(world, "set_lane", mode=1)
    assert second.ask() is None and not second.woken()
    assert told(first.ask() or []) == [m.SetLane(ENTRY, 1)]


def test_gateways_of_another_broker_get_nothing() -> None:
    """They could not bring it."""
    world = carrying_world()
    first = carried_reader(world)
    other = Carrying(world, "mqtt2", "broker/b")
    other.settle()
    world.hang_up(first.peer)
    assert vend(world) == "reader_away" and not other.woken()
    assert other.hear("r0", m.Ping()).ok and vend(world) == "" and other.woken()


def test_without_a_gateway_a_reader_is_away_and_back_with_it() -> None:
    """A gateway that is killed and started again finds its readers as they were."""
    world = carrying_world()
    service = carried_reader(world)
    world.hang_up(service.peer)
    assert vend(world) == "reader_away"
    again = Carrying(world)
    again.settle()
    assert vend(world) == "" and again.woken()


def test_done_ends_an_order_whatever_gateway_brings_it() -> None:
    """It is not brought to the broker once more; without DONE it would be."""
    for is_done in (True, False):
        world = carrying_world()
        service = carried_reader(world)
        assert vend(world) == ""
        ((_, _, ref, _, _),) = service.ask() or []
        world.hang_up(service.peer)
        again = Carrying(world, "mqtt2")
        assert not is_done or again.hear("r0", m.Done(True, ""), ref).ok
        again_kinds = [kind for _, kind, *_ in again.settle()]
        assert (m.Vend.TYPE in again_kinds) is not is_done


# -- time


def test_an_order_of_ten_seconds_ago_is_brought_to_nobody() -> None:
    """History opens no barrier; the reader is away until it is heard again."""
    world = carrying_world()
    service = carried_reader(world)
    assert vend(world) == "" and service.woken()
    service.wait(carried_link.ORDER_MS / 1000)
    assert service.ask() is None and vend(world) == "reader_away"
    assert service.hear("r0", m.Ping()).ok and vend(world) == ""


def test_an_order_says_how_long_it_is_good_for() -> None:
    """What it waited is taken off, also from one that a gateway had already."""
    world = carrying_world()
    service = carried_reader(world)
    assert vend(world) == ""
    service.wait(4)
    assert service.woken()
    ((*_, left_ms),) = service.ask() or []
    assert left_ms == 6_000


def test_who_is_silent_is_asked_and_then_away() -> None:
    """By PING, as over a connection; PONG keeps it."""
    world = carrying_world()
    service = carried_reader(world)
    service.wait(HEARTBEAT_S)
    assert service.woken() and told(service.settle()) == [m.Ping()]
    assert service.hear("r0", m.Pong()).ok
    service.wait(HEARTBEAT_S)
    assert service.woken() and told(service.settle()) == [m.Ping()]
    service.wait(HEARTBEAT_S)
    assert vend(world) == "reader_away"


def test_a_carried_reader_that_is_heard_is_not_down() -> None:
    """PONG is enough; without it the lane is down in the end."""
    config = carrying_config()
    lot = msgspec.structs.replace(config.lots[0], rules={"lanes": {"down_after_s": 60}})
    world = World(msgspec.structs.replace(config, lots=(lot,)))
    service = carried_reader(world)
    for _ in range(10):
        service.wait(HEARTBEAT_S)
        service.peer.take()
        service.settle()
        assert service.hear("r0", m.Pong()).ok
    down = world.lot.parts["lanes"].watch.down  # type: ignore[attr-defined]
    assert "r0" not in down and "r1" in down
    service.wait(61)
    assert "r0" in down


def test_goodbye_ends_it_at_once() -> None:
    """A reader's will may say it."""
    world = carrying_world()
    service = carried_reader(world)
    assert service.hear("r0", m.Goodbye("power lost")).ok and vend(world) == "reader_away"


def test_a_reader_that_the_broker_has_nobody_for_is_away() -> None:
    """And not carried by its next word either, for some seconds: it does not listen."""
    world = carrying_world()
    service = carried_reader(world)
    assert vend(world) == "" and service.woken() and service.ask()
    assert service.ask("r0") is None and vend(world) == "reader_away"
    assert service.hear("r0", m.Ping()).ok and vend(world) == "reader_away"
    service.wait(carried.AFTER_GONE_MS / 1000)
    assert service.hear("r0", m.Ping()).ok and vend(world) == ""


def test_time_is_told() -> None:
    """For whom a service speaks, carried or not."""
    world = carrying_world()
    service = Carrying(world)
    assert service.hear("r0", m.TimeAsk(5)).body == {"time": [5, world.now_ms, world.now_ms]}


# -- what holds


def test_a_reader_is_told_modes_and_policy_when_it_is_carried() -> None:
    """As after a sign-on, and its DONE is known."""
    world = carrying_world(hours=5)
    order(world, "set_lane", mode=5)
    service = Carrying(world)
    service.settle()
    assert service.hear("r0", m.Ping()).ok and world.gateway.policies.state("r0") == "sent"
    orders = service.settle()
    assert [type(message) for message in told(orders)] == [m.SetLane, m.Policy]
    assert service.hear("r0", m.Done(True, ""), orders[1][2]).ok
    assert world.gateway.policies.state("r0") == "taken"


def test_a_reader_that_said_no_done_is_told_again() -> None:
    """A broker may have lost what it took; not before it is heard, and not when it has answered."""
    world = carrying_world(hours=5)
    order(world, "set_lane", mode=5)
    service = carried_reader(world)
    service.settle()
    service.wait(policies.ANSWER_MS / 1000 / 2)
    service.settle()
    assert service.hear("r0", m.Pong()).ok and service.settle() == []
    service.wait(policies.ANSWER_MS / 1000 / 2)
    service.settle()
    assert service.hear("r0", m.Pong()).ok
    orders = service.settle()
    assert [type(message) for message in told(orders)] == [m.SetLane, m.Policy]
    for _, _, ref, _, _ in orders:
        service.hear("r0", m.Done(True, ""), ref)
    for _ in range(4):
        service.wait(HEARTBEAT_S)
        service.settle()
        service.hear("r0", m.Pong())
    assert service.settle() == []


def test_a_reader_that_started_anew_is_told_again() -> None:
    """Another boot: it lost its log, and perhaps what it was told."""
    world = carrying_world()
    order(world, "set_lane", mode=5)
    service = Carrying(world)
    service.settle()
    status = m.LaneStatus(1, world.now_ms, ENTRY, 0, False, ())
    service.command("report_lane", "r0", boot=7, message=m.encode(status))
    for _, _, ref, _, _ in service.settle():
        service.hear("r0", m.Done(True, ""), ref)
    service.wait(carried_link.TOLD_MS / 1000)
    assert service.command("report_lane", "r0", boot=8, message=m.encode(status)).ok
    assert told(service.settle()) == [m.SetLane(ENTRY, 5)]


def test_after_a_restart_readers_are_asked_whether_they_are_there() -> None:
    """Those behind the broker answer, and are reached before a car comes; connected ones are not asked."""
    world = carrying_world()
    reader = world.reader("r3")
    service = Carrying(world)
    asked = service.settle()
    assert [id for id, *_ in asked] == ["r0", "r1", "r2"] and set(map(type, told(asked))) == {m.Ping}
    assert service.hear("r1", m.Pong()).ok and vend(world, "r1") == ""
    assert reader.take() == [] and service.settle() != []


def test_refs_of_before_a_restart_are_nobody_elses() -> None:
    """A DONE that a broker held must not answer another POLICY."""
    world = carrying_world(hours=5)
    service = carried_reader(world)
    before = world.gateway.policies.told["r0"].ref
    world.now_ms += 1000
    world.restart()
    again = carried_reader(world)
    assert world.gateway.policies.told["r0"].ref != before
    assert again.hear("r0", m.Done(True, ""), before).ok
    assert world.gateway.policies.state("r0") == "sent"
    assert service.peer.ended


# -- bounds, and what is wrong


def test_beyond_the_bound_a_reader_counts_as_one_that_takes_nothing() -> None:
    """It is away, and told anew when it is heard."""
    world = carrying_world()
    service = carried_reader(world)
    for _ in range(carried_link.ORDERS_MAX):
        assert vend(world) == ""
    assert vend(world) == "" and vend(world) == "reader_away"
    assert service.settle() == []


def test_many_orders_come_in_answers_that_fit_a_frame() -> None:
    """Of all readers, and none is left out."""
    config = msgspec.structs.replace(carrying_config(frame_bytes_max=4096))
    world = World(config)
    service = Carrying(world)
    service.settle()
    readers = [reader.id for reader in config.readers]
    for id in readers:
        service.hear(id, m.Ping())
    service.settle()
    for number in range(5):
        for id in readers:
            assert order(world, "display", id, text=f"{number}" * 500, seconds=9).ok
    answers = []
    service.peer.take()
    while (orders := service.ask()) is not None:
        answers.append(orders)
    assert len(answers) > 3
    texts = {
        id: [
            m.decode(kind, body).text[0]
            for each in answers
            for reader, kind, _, body, _ in each  # type: ignore[attr-defined]
            if reader == id
        ]
        for id in readers
    }
    assert texts == {id: list("01234") for id in readers}


def test_a_second_question_answers_the_first() -> None:
    """One waits for each connection; who asks again has forgotten the other."""
    world = carrying_world()
    service = Carrying(world)
    service.settle()
    again = service.peer.ask(m.Query("", "orders", {"via": service.via}))
    assert [answer.body["orders"] for answer in again if isinstance(answer, m.Answer)] == [[]]


@pytest.mark.parametrize("args", [{}, {"via": ""}, {"via": "b", "gone": "r0"}, {"via": "b", "more": 1}])
def test_wrong_args_are_answered(args: dict[str, Any]) -> None:
    """And nobody is carried."""
    world = carrying_world()
    (answer,) = world.service("mqtt").ask(m.Query("", "orders", args))
    assert isinstance(answer, m.Answer) and answer.code == "bad_args" and not world.gateway.carrier.ways


def test_a_service_that_takes_small_frames_carries_nobody() -> None:
    """An order could not be told it."""
    world = carrying_world()
    (answer,) = world.service("mqtt", frame_bytes_max=4096).ask(m.Query("", "orders", {"via": "b"}))
    assert isinstance(answer, m.Answer) and answer.code == "frame_too_small"


@pytest.mark.parametrize(
    ("kind", "message"), [(0x10, m.encode(scan(1))), (0x23, b"\x90"), (0x2A, b""), (0x20, b"\x92\x00\xa0")]
)
def test_what_a_reader_cannot_say_so(kind: int, message: bytes) -> None:
    """Events have COMMANDs of their own."""
    world = carrying_world()
    peer = world.service("mqtt")
    args = {"reader": "r0", "type": kind, "message": message}
    (outcome,) = peer.ask(m.CommandMessage(bytes(16), "*", "hear_reader", args))
    assert isinstance(outcome, m.Outcome) and outcome.code == "bad_args"


def test_a_revoked_key_ends_it() -> None:
    """Like a connection."""
    world = carrying_world()
    service = carried_reader(world)
    link = world.gateway.readers["r0"]
    link.goodbye("revoked")
    assert "r0" not in world.gateway.readers and vend(world) == "reader_away" and not service.woken()


def test_an_engine_that_takes_no_events_hears_readers() -> None:
    """A full disk does not make them look silent."""
    world = carrying_world()
    service = carried_reader(world)
    world.engine.accepting = False
    assert service.hear("r0", m.Pong()).ok


def test_nothing_of_it_is_left_when_all_are_gone() -> None:
    """Tables are as large as what is there."""
    world = carrying_world()
    service = carried_reader(world)
    world.hang_up(service.peer)
    world.wait(carried_link.ORDER_MS / 1000 + 1)
    assert not world.gateway.carrier.ways and "r0" not in world.gateway.readers
