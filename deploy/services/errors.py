"""What can go wrong with a service, each said in a sentence that names what to do or where to look."""

from __future__ import annotations


class ServiceError(Exception):
    """A service cannot do what was asked; the text is for people."""


class NotInstalled(ServiceError):
    """Programs are missing. `packages`: the Debian packages that bring them."""

    def __init__(self, packages: list[str]) -> None:
        self.packages = packages
        super().__init__(f"not installed: apt-get install --no-install-recommends {' '.join(packages)}")


class StartFailed(ServiceError):
    """The server ended or did not answer; the text ends with what it logged last."""


class JarsDiffer(ServiceError):
    """Jars on disk are not those that lib.sha256 names."""
