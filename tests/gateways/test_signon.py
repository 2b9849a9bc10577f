"""Sign-on: who is let in, what WELCOME says, and how an older connection gives way."""

import pytest

from liftgate.codecs import messages as m
from liftgate.codecs.frame import Fault, frame
from liftgate.codecs.signon import client_mac, engine_mac
from liftgate.configs.schema import Key
from liftgate.gateways import signon
from liftgate.gateways.directory import KEYS_TRIED
from tests.gateways.network import KEY, SLOW_ENTRY, World, codes, hello, make_config, scan


def test_welcome_proves_the_engine_and_names_the_bounds() -> None:
    """WELCOME's mac is over both bodies as sent; its bounds are the configuration's."""
    world = World(make_config(in_flight_max=9, heartbeat_s=3, frame_bytes_max=8192))
    peer = world.connect()
    welcome = peer.sign_on("r0")
    assert welcome.mac == engine_mac(KEY, peer.conn.hello, peer.conn.challenge)
    assert (welcome.done_to, welcome.gaps) == (0, ())
    assert (welcome.in_flight_max, welcome.heartbeat_s, welcome.frame_bytes_max) == (9, 3, 8192)


def test_welcome_knows_the_numbering() -> None:
    """What a boot has already is in WELCOME, in ranges; another boot starts from nothing."""
    world = World()
    world.reader(boot=7).ask(scan(1), scan(2), scan(5), scan(6), scan(9))
    welcome = world.connect().sign_on("r0", boot=7)
    assert (welcome.done_to, welcome.gaps) == (2, ((5, 6), (9, 9)))
    assert world.connect().sign_on("r0", boot=8).done_to == 0


@pytest.mark.parametrize(("id", "key"), [("r0", Key(bytes(32))), ("nobody", KEY), ("api", KEY)])
def test_wrong_key_or_id(id: str, key: Key) -> None:
    """A wrong key, an unknown id and an id of the other role all get CHALLENGE, then ERROR 8 and the end."""
    world = World()
    peer = world.connect()
    (challenge,) = peer.ask(hello(id))
    assert isinstance(challenge, m.Challenge)
    peer.ask_proof(key)
    assert codes(peer.take()) == [Fault.REFUSED]
    assert peer.ended
    assert not world.gateway.links and not world.gateway.readers and not world.gateway.strangers


@pytest.mark.parametrize("id", ["r0", "nobody", "api"])
def test_every_sign_on_tries_as_many_keys(id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Known, unknown and of the other role: the engine reckons the same number of macs before it refuses."""
    reckoned: list[bytes] = []

    def reckon(key: bytes, *bodies: bytes) -> bytes:
        reckoned.append(key)
        return client_mac(key, *bodies)

    monkeypatch.setattr(signon, "client_mac", reckon)
    peer = World().connect()
    peer.ask(hello(id))
    peer.ask_proof(bytes(32))
    assert peer.ended and len(reckoned) == KEYS_TRIED


def test_a_reader_may_have_two_keys() -> None:
    """WELCOME is proved by the one that AUTH was made with."""
    world = World()
    world.gateway.directory.put("r0", "north", (bytes(32), bytes(KEY)))
    for key in (bytes(KEY), bytes(32)):
        peer = world.connect()
        peer.ask(hello("r0"))
        peer.ask_proof(key)
        welcome = peer.take()[0]
        assert isinstance(welcome, m.Welcome)
        assert welcome.mac == engine_mac(key, peer.conn.hello, peer.conn.challenge)
    assert world.gateway.reader_key("r0") == (bytes(32), KEY)
    assert world.gateway.reader_key("nobody") == ()


def test_a_wrong_key_leaves_the_right_one_signed_on() -> None:
    """Whoever calls himself like a signed-on reader, without its key, does not replace it."""
    world = World()
    reader = world.reader("r0")
    stranger = world.connect()
    stranger.ask(hello("r0"))
    stranger.ask_proof(Key(bytes(32)))
    assert stranger.ended and not reader.ended
    assert len(reader.ask(scan(1))) == 1


def test_replaced() -> None:
    """A second connection with id and key replaces the first, which gets GOODBYE; both see one numbering."""
    world = World()
    first = world.reader("r0")
    (answer,) = first.ask(scan(1))
    second = world.reader("r0")
    assert first.take() == [m.Goodbye("replaced")]
    assert first.ended and list(world.gateway.readers) == ["r0"]
    assert second.ask(scan(1)) == [answer]


def test_replaced_in_the_round_of_its_own_scan() -> None:
    """What the first connection asked in the round that replaces it is answered, then comes GOODBYE."""
    world = World()
    first = world.reader("r0")
    second = world.connect()
    second.ask(hello("r0"))
    proof = second.frame(m.Auth(client_mac(KEY, second.conn.hello, second.conn.challenge)))
    world.round((first, first.frame(scan(1))), (second, proof), (first, first.frame(scan(2))))
    decision, goodbye = first.take()
    assert isinstance(decision, m.Decision) and decision.no == 1
    assert isinstance(goodbye, m.Goodbye)
    (welcome,) = second.take()
    assert isinstance(welcome, m.Welcome) and welcome.done_to == 1


def test_sign_on_takes_five_seconds_at_most() -> None:
    """Half a sign-on is ended after 5 s, with ERROR 8, wherever it stands."""
    world = World()
    silent, half, signed_on = world.connect(), world.connect(), world.reader("r1")
    half.ask(hello("r0"))
    world.wait(4)
    assert not silent.ended and not half.ended
    world.wait(1)
    assert silent.ended and half.ended and not signed_on.ended
    assert codes(silent.take()) == codes(half.take()) == [Fault.REFUSED]


def test_version_not_spoken() -> None:
    """A HELLO without version 1 in it gets ERROR 2."""
    peer = World().connect()
    assert codes(peer.ask(m.Hello(1, "r0", 7, (2, 3), bytes(16), "test", 4096))) == [Fault.BAD_VERSION]


def test_modes_are_told_at_sign_on() -> None:
    """A lane that is not in normal mode is told to the reader when it comes back."""
    world = World()
    args = {"reader": "r0", "lane": SLOW_ENTRY, "mode": 3, "actor": "op"}
    world.service().ask(m.CommandMessage(bytes(16), "north", "set_lane", args))
    assert world.reader("r0").take() == [m.SetLane(SLOW_ENTRY, 3)]


def test_nothing_but_sign_on_before_it() -> None:
    """A SCAN before WELCOME is ERROR 9, and nothing is decided."""
    world = World()
    before = world.dump()
    peer = world.connect()
    world.round((peer, frame(m.Scan.TYPE, 1, m.encode(scan(1)))))
    assert codes(peer.take()) == [Fault.NOT_ALLOWED]
    assert peer.ended and world.dump() == before


def test_normal_again_is_told_to_a_reader_that_was_away() -> None:
    """A lane set back to normal while its reader was away does not stay as the reader remembers it."""
    world = World()
    reader = world.reader("r0")
    service = world.service()
    args = {"reader": "r0", "lane": SLOW_ENTRY, "mode": 2, "actor": "op"}
    service.ask(m.CommandMessage(bytes(16), "north", "set_lane", args))
    assert reader.take() == [m.SetLane(SLOW_ENTRY, 2)]
    world.hang_up(reader)
    service.ask(m.CommandMessage(b"2" * 16, "north", "set_lane", args | {"mode": 1}))
    world.restart()
    assert world.reader("r0").take() == [m.SetLane(SLOW_ENTRY, 1)]


@pytest.mark.parametrize("jump_ms", [86_400_000, -86_400_000])
def test_a_jump_of_the_wall_clock_ends_nobody(jump_ms: int) -> None:
    """How long a peer takes is measured on a clock that never jumps, in either direction."""
    world = World()
    reader, stranger = world.reader("r0"), world.connect()
    world.jump_ms = jump_ms
    world.wait(2)
    assert not reader.ended and not stranger.ended
    world.wait(4)
    assert stranger.ended and not reader.ended
