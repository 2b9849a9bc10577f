"""`[lot.rules.lanes]`: what is watched at lanes, why barriers are raised by hand, and tidal lanes."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from liftgate.configs.rules.hours import DAYS, Day, Moment

Run = Literal["in", "out", "closed", "off"]

_Name = Annotated[str, Meta(min_length=1, max_length=64)]
_Cause = Annotated[str, Meta(min_length=1, max_length=64)]
# Times of the last hour are kept one by one, so that "within an hour" is exact.
_PerHour = Annotated[int, Meta(ge=0, le=100)]
_Clearing = Annotated[int, Meta(ge=0, le=3600)]


class Turn(Struct, frozen=True, forbid_unknown_fields=True):
    """From this time of day on the lane runs so; "off" is both ways at once, as a lane without a tide."""

    at: Moment
    run: Run
    days: Annotated[tuple[Day, ...], Meta(min_length=1, max_length=7)] = DAYS


class Tide(Struct, frozen=True, forbid_unknown_fields=True):
    """A lane of direction "both" that runs one way at a time; clearing_s: the lot's where left out."""

    reader: _Name
    lane: Annotated[int, Meta(ge=0, le=255)]
    schedule: Annotated[tuple[Turn, ...], Meta(max_length=64)] = ()
    clearing_s: _Clearing | None = None


class Lanes(Struct, frozen=True, forbid_unknown_fields=True):
    """down_after_s: silence of a reader after which its lanes are down, 0 never; *_max: how often an hour at
    one lane before it is a finding, left out never; vend_causes: the only causes that `open_lane` takes;
    clearing_s: between two directions of a tidal lane nobody is let through for so long.
    """

    down_after_s: Annotated[int, Meta(ge=0, le=86_400)] = 180
    tailgates_max: _PerHour | None = None
    backouts_max: _PerHour | None = None
    forced_max: _PerHour | None = None
    vends_max: _PerHour | None = None
    vend_causes: Annotated[tuple[_Cause, ...], Meta(max_length=64)] | None = None
    clearing_s: _Clearing = 60
    tides: Annotated[tuple[Tide, ...], Meta(max_length=64)] = ()

    def __post_init__(self) -> None:
        if 0 < self.down_after_s < 30:
            raise ValueError("down_after_s must be 0 or at least 30: shorter silences are a router's")
        lanes = [(tide.reader, tide.lane) for tide in self.tides]
        if twice := next((lane for lane in lanes if lanes.count(lane) > 1), None):
            raise ValueError(f"lane {twice[1]} of reader {twice[0]} has two tides")
        for tide in self.tides:
            _check_turns(tide)


def _check_turns(tide: Tide) -> None:
    """No two turns at one time of one day: which of them held would be anybody's guess."""
    seen: set[tuple[str, str]] = set()
    for turn in tide.schedule:
        for day in turn.days:
            if (day, turn.at) in seen:
                raise ValueError(
                    f"lane {tide.lane} of reader {tide.reader} turns twice on {day} at {turn.at}"
                )
            seen.add((day, turn.at))
