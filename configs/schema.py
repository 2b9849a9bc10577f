"""What a configuration says, as frozen values. `configs/loader.py` makes them and vouches for every range.

Ids are 1 to 64 of `A-Z a-z 0-9 . _ -`. Paths are absolute. Order is the file's order everywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from liftgate.configs.broker import BrokerConfig
from liftgate.configs.history import HistoryConfig
from liftgate.configs.relay import RelayConfig
from liftgate.configs.stream import StreamConfig

Assign = Literal["spot", "area", "count"]
Direction = Literal["entry", "exit", "both"]
Cards = Literal["open", "known", "off"]
Kind = Literal["qr", "card", "sun", "plate"]
SpotClass = Literal["standard", "accessible", "charging", "family", "motorcycle", "permit"]

ASSIGN: tuple[Assign, ...] = ("spot", "area", "count")
DIRECTIONS: tuple[Direction, ...] = ("entry", "exit", "both")
CARDS: tuple[Cards, ...] = ("open", "known", "off")
# In the order of the wire: SCAN's kind is the place in this tuple plus 1 (docs/protocol.md).
KINDS: tuple[Kind, ...] = ("qr", "card", "sun", "plate")
SPOT_CLASSES: tuple[SpotClass, ...] = (
    "standard",
    "accessible",
    "charging",
    "family",
    "motorcycle",
    "permit",
)
# What a service may be allowed to ask for, by the names of its commands and queries.
MAY: tuple[str, ...] = (
    "read_credential",
    "record_passage",
    "report_lane",
    "record_history",
    "carry_readers",
    "query",
    "subscribe",
    "open_lane",
    "set_lane",
    "correct_count",
    "reset_passback",
    "deny_credential",
    "allow_credential",
    "register_credential",
    "forget_credential",
    "display",
    "set_rules",
    "set_mode",
    "set_tide",
    "plan_event",
    "cancel_plan",
    "issue_pass",
    "change_pass",
    "revoke_pass",
    "set_group",
    "remove_group",
    "charger_reports",
    "recount",
    "report_count",
    "reset_passbacks",
    "lost_ticket",
    "swap_credential",
    "close_stay",
    "reserve",
    "change_reservation",
    "cancel_reservation",
    "accept_offer",
    "add_reader",
    "change_reader",
    "rotate_reader_key",
    "revoke_reader",
    "restore_reader",
    "add_ticket_key",
    "retire_ticket_key",
)


class Key(bytes):
    """A 32-byte secret that no log, traceback or repr of a configuration shows."""

    def __repr__(self) -> str:
        return "Key(…)"

    __str__ = __repr__


class TlsConfig(Struct, frozen=True, kw_only=True):
    """PEM files of the engine's own certificate and key; with client_ca clients must show one it signed."""

    cert: Path
    key: Path
    client_ca: Path | None = None


class EngineConfig(Struct, frozen=True, kw_only=True):
    """One engine process: where it listens, where its journal lies, and its bounds.

    host, port: from `listen`; port 0 takes any free one.
    readers_max: connections at once; one more is refused with ERROR 12. Twice the 5,000 lanes designed for.
    in_flight_max: unanswered requests of one client; one more is ERROR 10. 64 keeps a lane's burst whole.
    frame_bytes_max: what WELCOME names; the protocol's own limit unless lowered.
    heartbeat_s: silence after which a PING goes out; twice that closes. Routers keep silent links longer.
    output_bytes_max: what a client has not read yet; one byte more is ERROR 14. Four of the largest frames.
    segment_bytes: size of a journal segment; 64 MiB replays in seconds and is quickly preallocated.
    snapshot_every_s: how often closed segments are folded, so the longest tail that a start replays.
    backlog_max: bytes of segments that a subscriber may hold back, 0: as much as the disk has. The engine
    warns at 50 and 80 % of it. backlog_full: what happens at 100 %: "keep", it is said, and the disk is the
    bound; "refuse_entries", lots are closed for entry until it is below 80 %; "forget:NAME", that
    subscriber's cursor goes, and what it has not had is gone for it. registry_key: wraps the keys of readers
    that come by the device registry; None: none can be added.
    """

    name: str
    host: str
    port: int
    journal: Path
    readers_max: int = 10_000
    in_flight_max: int = 64
    allow_plain: bool = False
    tls: TlsConfig | None = None
    frame_bytes_max: int = 65_536
    heartbeat_s: int = 15
    output_bytes_max: int = 262_144
    segment_bytes: int = 64 * 1024 * 1024
    snapshot_every_s: int = 300
    backlog_max: int = 0
    backlog_full: str = "keep"
    registry_key: Key | None = None


class MqttConfig(Struct, frozen=True, kw_only=True):
    """The engine's own MQTT listener. Its bounds and heartbeat are the engine's, whatever a reader speaks."""

    host: str
    port: int
    tls: TlsConfig | None = None


class SpotsConfig(Struct, frozen=True, kw_only=True):
    """A block of spots `{level}-{prefix}-001` and on; where a lot does not assign spots, so many places."""

    level: str
    prefix: str
    spot_class: SpotClass
    count: int

    @property
    def id(self) -> str:
        """The block's name in a gate's `nearest`, such as `P1-A`."""
        return f"{self.level}-{self.prefix}"


class AreaConfig(Struct, frozen=True, kw_only=True):
    """A part of a lot with lanes of its own; parent is None for the outermost one."""

    id: str
    parent: str | None
    spots: tuple[SpotsConfig, ...]


class GateConfig(Struct, frozen=True, kw_only=True):
    """An entrance; nearest lists ids of blocks in the order it fills them, those not named come after."""

    id: str
    nearest: tuple[str, ...]


class LotConfig(Struct, frozen=True, kw_only=True):
    """One facility. confirm_s: how long an entry waits for its PASSAGE until it lapses and frees its spot.

    rules: by theme, as plain data that `configs/rules` takes; secrets: by name, keys that its rules only
    name, since rules are journalled.
    """

    id: str
    name: str
    timezone: str
    currency: str
    assign: Assign
    confirm_s: int
    areas: tuple[AreaConfig, ...]
    gates: tuple[GateConfig, ...]
    rules: dict[str, Any] = {}
    secrets: dict[str, Key] = {}


class LaneConfig(Struct, frozen=True, kw_only=True):
    """A reader's lane: the area it leads into or out of, the gate it stands at (None: blocks in file order).

    confirm: wait for PASSAGE before the car counts as in. kinds: the credentials taken here.
    """

    number: int
    direction: Direction
    area: str
    gate: str | None
    confirm: bool
    cards: Cards
    kinds: tuple[Kind, ...]


class ReaderConfig(Struct, frozen=True, kw_only=True):
    """A device at one or more lanes of one lot."""

    id: str
    key: Key
    lot: str
    lanes: tuple[LaneConfig, ...]


class ServiceConfig(Struct, frozen=True, kw_only=True):
    """A client of role 2 and what it may ask; lots None is all of them."""

    id: str
    key: Key
    may: tuple[str, ...]
    lots: tuple[str, ...] | None


class Config(Struct, frozen=True, kw_only=True):
    """One whole file. stream: None where the events go to no Kafka; mqtt: None where no reader speaks it
    to the engine; broker: None where none speaks it to somebody else's broker."""

    engine: EngineConfig
    lots: tuple[LotConfig, ...]
    readers: tuple[ReaderConfig, ...]
    services: tuple[ServiceConfig, ...]
    history: HistoryConfig | None = None
    relay: RelayConfig | None = None
    stream: StreamConfig | None = None
    mqtt: MqttConfig | None = None
    broker: BrokerConfig | None = None
