"""The sinks that events go to, by the names that a configuration gives them."""

from __future__ import annotations

from liftgate.configs.relay import SinkKind
from liftgate.configs.schema import Config
from liftgate.history.port import StoreMisfit
from liftgate.history.stores import recorder_of
from liftgate.relay.sink import Sink, SinkMisfit
from liftgate.relay.sinks.history import HistorySink
from liftgate.relay.sinks.null import NullSink


def make_sink(kind: SinkKind, config: Config) -> Sink:
    """The sink of that name, not opened. Raises SinkMisfit where the configuration does not say enough."""
    if kind == "null":
        return NullSink()
    if kind == "history":
        if config.history is None:
            raise SinkMisfit('sink "history" needs [history]: docs/history.md says what it takes')
        try:
            return HistorySink(recorder_of(config.history))
        except StoreMisfit as misfit:
            raise SinkMisfit(str(misfit)) from misfit
    if config.stream is None:
        raise SinkMisfit('sink "stream" needs [stream]: docs/stream.md says what it takes')
    try:
        from liftgate.relay.sinks.kafka import stream_sink  # its client is an extra
    except ModuleNotFoundError as missing:
        raise SinkMisfit(f"{missing}: pip install liftgate[services]") from missing
    return stream_sink(config.stream, config.engine.name)
