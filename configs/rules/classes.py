"""`[lot.rules.classes]`: what a car gets when its class of spot is full, and who blocks a charger."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from liftgate.configs.schema import SpotClass


class Classes(Struct, frozen=True, forbid_unknown_fields=True):
    """fallback: for each class the classes that follow, in order, once it is full for a car that wants it;
    full_grace_s: how long a full car may stay at its charger, None: as long as it likes.
    """

    fallback: dict[SpotClass, Annotated[tuple[SpotClass, ...], Meta(max_length=6)]] = {}
    full_grace_s: Annotated[int, Meta(ge=1, le=7 * 86_400)] | None = None

    def __post_init__(self) -> None:
        for wanted, others in self.fallback.items():
            if "accessible" in others and wanted != "accessible":
                raise ValueError(
                    f"fallback.{wanted}: accessible spots are only for those who hold that class"
                )
            if wanted in others:
                raise ValueError(f"fallback.{wanted}: names itself")
