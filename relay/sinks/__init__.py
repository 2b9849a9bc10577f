"""The sinks that events go to, by the names that a configuration gives them."""

from __future__ import annotations

from liftgate.configs.relay import SinkKind
from liftgate.configs.schema import Config
from liftgate.relay.sink import Sink, SinkMisfit
from liftgate.relay.sinks.null import NullSink


def make_sink(kind: SinkKind, config: Config) -> Sink:
    """The sink of that name, not opened. Raises SinkMisfit where the configuration does not say enough."""
    if kind == "null":
        return NullSink()
    raise SinkMisfit(f'sink "{kind}" is not built yet')
