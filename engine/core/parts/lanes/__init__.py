"""Lanes: modes in layers, event days, tides, and what is watched there."""

from liftgate.engine.core.parts.lanes.part import LanesPart

__all__ = ["LanesPart"]
