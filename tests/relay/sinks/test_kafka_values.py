"""What really went out: values that fit their schemas, in both formats, and counts that are the engine's."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from deploy.services import Service
from liftgate.codecs.events import EVENTS
from liftgate.codecs.unpack import Unpacker
from liftgate.configs.stream import StreamConfig
from liftgate.engine.core.apply import apply
from liftgate.engine.core.events import unpack
from liftgate.engine.core.model import Lot
from liftgate.relay.sink import Stored
from liftgate.relay.sinks.kafka import KafkaSink
from tests.history.test_fold_lives import journal
from tests.relay.every_event import every_event, stored, world
from tests.relay.stream.test_schemas import HIDE, faults
from tests.relay.topics import Seen, read_topic, stream_config
from tests.services.clients import unique

pytestmark = pytest.mark.long

TREE = Path(__file__).resolve().parents[3]
SEEDS = (3, 5, 8)


async def write(config: StreamConfig, events: Sequence[Stored]) -> list[Seen]:
    """Through the sink as the relay has it, and back."""
    sink = KafkaSink(config, "engine-a", HIDE)
    assert await sink.write(events) == events[-1].position
    await sink.aclose()
    return await read_topic(config.brokers[0], config.topic)


@pytest.mark.parametrize("form", ["json", "msgpack"])
def test_every_event_in_the_topic_fits_its_schema(kafka: Service, form: Any) -> None:
    """Named by ce_type; of each type one, and all of three simulated worlds."""
    config = stream_config(kafka.address, unique("t"), format=form)
    decode = msgspec.json.decode if form == "json" else msgspec.msgpack.decode
    worlds = [event for seed in SEEDS for events in world(seed).values() for event in events]
    events = stored([*every_event(), *worlds])
    seen = asyncio.run(write(config, events))
    assert len(seen) == len(events)
    for each in seen:
        value = decode(each.value)
        assert each.headers["ce_type"] == f"liftgate.{value['type']}"
        assert faults(value) == []
    assert {each.headers["ce_type"] for each in seen} == {f"liftgate.{each.__name__}" for each in EVENTS}


def test_no_token_leaves_as_it_is(kafka: Service) -> None:
    """Neither as bytes nor as hex digits, anywhere in the topic, of all credentials of a world."""
    config = stream_config(kafka.address, unique("t"))
    events = [event for of_lot in world(8).values() for event in of_lot]
    tokens = {event.token for event in events if type(event).__name__ == "ScanDecided"}
    seen = asyncio.run(write(config, stored(events)))
    everything = b"\n".join(each.value for each in seen)
    long_ones = {token for token in tokens if len(token) > 3}  # shorter ones are in any number
    assert long_ones
    assert not [token for token in long_ones if token in everything or token.hex().encode() in everything]


def test_the_example_counts_as_the_engine_does(kafka: Service) -> None:
    """Cars in every lot of three worlds with all themes, from the topic alone."""
    config = stream_config(kafka.address, unique("t"))
    events = [event for seed in SEEDS for of_lot in world(seed).values() for event in of_lot]
    asyncio.run(write(config, stored(events)))
    command = [sys.executable, "examples/count_occupancy.py", "--once"]
    command += ["--brokers", kafka.address, "--topic", config.topic]
    done = subprocess.run(command, cwd=TREE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    wanted = {f"{seed}-{lot}": cars for seed in SEEDS for lot, cars in by_the_engine(seed).items()}
    assert json.loads(done.stdout) == wanted
    assert any(wanted.values())


def by_the_engine(seed: int) -> dict[str, int]:
    """Cars by lot at the end of a world's journal, by the engine's own fold."""
    found = {}
    for name, log in journal(seed).items():
        lot, source, position = Lot(name), Unpacker(log), 0
        while source.at < source.end:
            position += 1
            apply(lot, unpack(source), position)
        found[name] = lot.counts()["occupancy"]
    return found
