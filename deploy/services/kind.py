"""What a kind of server must tell, so that `Service` can run it."""

from __future__ import annotations

import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

Ports = Mapping[str, int]


class Kind(ABC):
    """How to get, prepare, start and ask one kind of server. Instances hold nothing but settings."""

    name: ClassVar[str]
    port_names: ClassVar[tuple[str, ...]] = ("client",)
    """Ports it needs; "client" is where it is used."""
    usual_port: ClassVar[int]
    """Where everybody looks for it first: `make services` takes it for "client" where it is free."""
    log_name: ClassVar[str] = "stdout.log"
    """The log worth reading, in the folder `log`; stdout.log has what went to standard output and error."""
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    """What ends it in an orderly way even while clients are connected."""

    @abstractmethod
    def missing(self) -> list[str]:
        """Debian packages to install before it can run; empty if nothing is missing."""

    def fetch(self) -> None:
        """Get what is not from Debian packages. Raises ServiceError."""
        return

    def user(self) -> str | None:
        """User to run as, None for the one who asks."""
        return None

    @abstractmethod
    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        """Write its configuration and, the first time, its data; return the command line.

        folder: absolute, its own, with conf, log, data and tmp in it. Raises ServiceError.
        """

    @abstractmethod
    def is_serving(self, ports: Ports) -> bool:
        """Whether it answers a request that needs the whole server. Raises OSError if it is not there."""


RECIPES = Path(__file__).resolve().parent / "recipes"


def fill(template: Path, out: Path, **values: object) -> None:
    """Write the template with each @NAME@ replaced. Raises KeyError for a name without a value."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        if f"@{name}@" not in text:
            raise KeyError(f"{template} has no @{name}@")
        text = text.replace(f"@{name}@", str(value))
    out.write_text(text, encoding="utf-8")
