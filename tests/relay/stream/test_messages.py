"""Messages: what the Kafka binding of CloudEvents 1.0 asks for, and the event's fields."""

from __future__ import annotations

import msgspec
import pytest

from liftgate.codecs.events import UnknownEvent
from liftgate.codecs.events.plain import fields, values_of
from liftgate.codecs.events.readers import HistoryRecorded
from liftgate.relay.sink import Stored
from liftgate.relay.stream.messages import Messages
from liftgate.relay.stream.reading import event_of
from tests.relay.every_event import every_event, stored


def test_a_message_is_a_cloud_event_in_binary_mode() -> None:
    """What CloudEvents 1.0 requires as headers with prefix, content-type without; the value is the data."""
    (one, *_) = stored(every_event())
    key, value, headers = Messages("engine-a", values_of).message(one)
    assert key == b"north"
    assert headers == [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_type", b"liftgate.ScanDecided"),
        ("ce_source", b"/liftgate/engine-a/north"),
        ("ce_id", b"1"),
        ("ce_time", b"2026-11-22T12:00:00.123Z"),
    ]
    named = msgspec.json.decode(value)
    assert list(named)[:3] == ["position", "type", "lot"]
    assert named == {"position": 1, "type": "ScanDecided", **fields(one.event)}


def test_source_and_id_name_an_event_once() -> None:
    """Over lots and events, as CloudEvents asks."""
    messages = Messages("engine-a", values_of)
    found = [dict(messages.message(each)[2]) for each in stored(every_event())]
    assert len({(each["ce_source"], each["ce_id"]) for each in found}) == len(found)


def test_time_is_each_events_own() -> None:
    """Also where events of one time stand between others."""
    messages = Messages("a", values_of)
    events = every_event()[:1] * 3
    times = [1_795_348_800_005, 1_795_348_800_005, 1_000]
    found = []
    for at_ms, event in zip(times, events, strict=True):
        changed = msgspec.structs.replace(event, at_ms=at_ms)
        found.append(dict(messages.message(Stored(1, changed))[2])["ce_time"])
    assert found == [b"2026-11-22T12:00:00.005Z", b"2026-11-22T12:00:00.005Z", b"1970-01-01T00:00:01.000Z"]


def test_both_formats_say_the_same() -> None:
    """MessagePack has the JSON's fields, and its own content type."""
    as_json, packed = Messages("a", values_of), Messages("a", values_of, "msgpack")
    for each in stored(every_event()):
        value = packed.message(each)[1]
        assert msgspec.msgpack.decode(value) == msgspec.json.decode(as_json.message(each)[1])
    assert packed.message(each)[2][0] == ("content-type", b"application/vnd.msgpack")


@pytest.mark.parametrize("one", stored(every_event()), ids=lambda each: type(each.event).__name__)
def test_a_value_is_read_back_as_its_event(one: Stored) -> None:
    """All fields but bytes deep inside free-form ones."""
    read = event_of(msgspec.json.decode(Messages("a", values_of).message(one)[1]))
    assert type(read) is type(one.event)
    assert fields(read) == fields(one.event)
    if isinstance(one.event, HistoryRecorded):
        assert read == one.event


def test_an_event_of_a_later_version_is_said() -> None:
    """Not guessed at."""
    with pytest.raises(UnknownEvent, match="no event is called 'Levitated'"):
        event_of({"type": "Levitated"})
    with pytest.raises(UnknownEvent, match="MoveLapsed 3"):
        event_of({"type": "MoveLapsed", "seq": 3})
