"""Sign-on at the engine's side: HELLO, CHALLENGE, AUTH, WELCOME."""

from typing import TYPE_CHECKING

import structlog

from liftgate.codecs import messages as m
from liftgate.codecs.frame import VERSION, Fault, PeerError
from liftgate.codecs.signon import client_mac, engine_mac, same
from liftgate.gateways.directory import tried

if TYPE_CHECKING:
    from liftgate.gateways.link import Link

log = structlog.get_logger()

FRAME_BYTES_MIN = 1024
"""What WELCOME names at the least, whatever a HELLO asks for: a DECISION with the longest text fits."""


def hello(link: "Link", message: m.Hello) -> None:
    """Challenge whoever it says it is; an unknown id is found out at AUTH, like a wrong key."""
    gateway = link.gateway
    if VERSION not in message.versions:
        raise PeerError(Fault.BAD_VERSION, ref=link.conn.ref)
    link.id, link.boot, link.asked_role = message.id, message.boot, message.role
    asked = min(message.frame_bytes_max, gateway.config.frame_bytes_max)
    link.frame_bytes_max = max(asked, FRAME_BYTES_MIN)
    challenge = m.Challenge(gateway.nonces(), gateway.config.name, gateway.now_ms)
    gateway.own(link).append(link.conn.encode(challenge, link.conn.ref))


def auth(link: "Link", message: m.Auth) -> None:
    """Let in who holds a key of a known id."""
    conn = link.conn
    if not _proves(link, message.mac):
        link.id = f"({link.id})"  # what it called itself is no name to look anything up by
        raise PeerError(Fault.REFUSED, ref=conn.ref)
    link.role = link.asked_role
    mac = engine_mac(link.key, conn.hello, conn.challenge)
    bind(link)
    done_to, gaps = _known(link)
    gateway = link.gateway
    config = gateway.config
    frame_bytes_max = link.frame_bytes_max
    welcome = m.Welcome(
        mac, done_to, gaps, config.in_flight_max, frame_bytes_max, config.heartbeat_s, gateway.now_ms
    )
    gateway.own(link).append(conn.encode(welcome, conn.ref))
    admit(link)


def admit(link: "Link") -> None:
    """Let the link in who has shown who it is, and tell it what it may have missed."""
    gateway = link.gateway
    gateway.signed_on(link)
    if link.role == m.READER:
        gateway.key_used(link)
    log.info("gateway.signed_on", id=link.id, role=link.role, peer=link.peer)
    tell(link)
    gateway.own(link)  # a replaced connection's GOODBYE came in between


def tell(link: "Link") -> None:
    """Tell a reader what holds, which it may have missed: modes and POLICY."""
    if link.reader is not None:
        for lane in link.reader.lanes.values():
            if lane.mode_set:
                link.send(m.SetLane(lane.number, lane.mode), link.gateway.next_ref())
        link.gateway.policies.signed_on(link)


def _proves(link: "Link", mac: bytes) -> bool:
    """Whether the mac is by a key of the id, which is the link's from here on.

    Keys are looked up now and not at HELLO: one may be dead since. Every one is tried, and as many for an id
    that nobody has, so the time that it takes tells nothing.
    """
    gateway, conn = link.gateway, link.conn
    if link.asked_role == m.READER:
        known, keys = gateway.reader_key(link.id), gateway.directory.tried(link.id)
    else:
        config = gateway.service_configs.get(link.id)
        known = () if config is None else (bytes(config.key),)
        keys = tried(known, gateway.directory.nobody)
    found = False
    for place, key in enumerate(keys):
        if same(mac, client_mac(key, conn.hello, conn.challenge)) and place < len(known):
            link.key, found = key, True
    return found


def bind(link: "Link") -> None:
    """Tie the link to what it is in the model."""
    gateway = link.gateway
    if link.role == m.SERVICE:
        link.service = gateway.service_configs[link.id]
        return
    link.lot = gateway.engine.lots[gateway.directory.lot(link.id)]
    link.reader = link.lot.readers[link.id]


def _known(link: "Link") -> tuple[int, tuple[tuple[int, int], ...]]:
    """What of its numbering is known, for WELCOME."""
    if link.role == m.SERVICE:
        return 0, ()
    numbering = link.own_numbering()
    return numbering.done_to, tuple((low, high) for low, high in numbering.ranges)
