"""What Cassandra and Kafka have in common: a Java and jars from Maven."""

from __future__ import annotations

import shutil
from typing import ClassVar

from deploy.services import jars
from deploy.services.java import PACKAGE, find_java
from deploy.services.kind import Kind


class FromJars(Kind):
    """heap: -Xmx, usual_heap unless given; java_options: win over the recipe's."""

    usual_heap: ClassVar[str]

    def __init__(self, heap: str = "", java_options: tuple[str, ...] = ()) -> None:
        self.heap = heap or self.usual_heap
        self.java_options = java_options

    def missing(self) -> list[str]:
        """Maven itself only if its jars are not in the cache."""
        found = [] if find_java() else [PACKAGE]
        if not jars.are_cached(self.name) and shutil.which("mvn") is None:
            found.append("maven")
        return found

    def fetch(self) -> None:
        jars.fetch(self.name)
