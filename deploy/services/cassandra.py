"""One Apache Cassandra 5.0 node from its Maven artefacts."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import ClassVar

from deploy.services import jars
from deploy.services.from_jars import FromJars
from deploy.services.java import java_command
from deploy.services.kind import RECIPES, Ports, fill
from deploy.services.ports import HOST
from deploy.services.wire import Wire

FILES = RECIPES / "cassandra"

# The native protocol, version 4: header (version, flags, stream, opcode, length), then a body.
HEADER = struct.Struct(">BBhBi")
STARTUP, READY, QUERY, RESULT = 0x01, 0x02, 0x07, 0x08
ONE = 0x0001
ASKED = b"SELECT release_version FROM system.local"


class Cassandra(FromJars):
    """heap: -Xmx; off-heap memtables (up to 192 MiB), file cache (64) and code come on top of it.
    java_options: win over the recipe's.

    A benchmark of the server itself wants -XX:TieredStopAtLevel=4; it takes twice as long to start then.
    """

    name: ClassVar[str] = "cassandra"
    usual_port: ClassVar[int] = 9042
    port_names: ClassVar[tuple[str, ...]] = ("client", "storage", "ssl_storage", "jmx")
    log_name: ClassVar[str] = "system.log"
    usual_heap: ClassVar[str] = "1G"

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        conf, lib = folder / "conf", jars.jars_folder(self.name)
        fill(
            FILES / "cassandra.yaml.in",
            conf / "cassandra.yaml",
            HOST=HOST,
            STATE=folder,
            PORT=ports["client"],
            STORAGE_PORT=ports["storage"],
            SSL_STORAGE_PORT=ports["ssl_storage"],
        )
        shutil.copy(FILES / "logback.xml", conf)
        (folder / "triggers").mkdir(exist_ok=True)
        (jamm,) = lib.glob("jamm-*.jar")
        more = (
            f"-javaagent:{jamm}",
            f"-Dcassandra.config=file://{conf}/cassandra.yaml",
            f"-Dcassandra.storagedir={folder}",
            f"-Dcassandra.logdir={folder}/log",
            f"-Dcassandra.triggers_dir={folder}/triggers",
            f"-Dcassandra.jmx.local.port={ports['jmx']}",
            f"-Djna.tmpdir={folder}/tmp",
            f"-Dlogback.configurationFile=file://{conf}/logback.xml",
            *self.java_options,
        )
        command = java_command(lib, folder, FILES / "jvm17.options", self.heap, "256m", more)
        return [*command, "org.apache.cassandra.service.CassandraDaemon"]

    def is_serving(self, ports: Ports) -> bool:
        """STARTUP is answered by READY, and a query by a result."""
        options = struct.pack(">H", 1) + _string(b"CQL_VERSION") + _string(b"3.0.0")
        query = struct.pack(">i", len(ASKED)) + ASKED + struct.pack(">HB", ONE, 0)
        with Wire(ports["client"]) as wire:
            return _ask(wire, STARTUP, options) == READY and _ask(wire, QUERY, query) == RESULT


def _ask(wire: Wire, opcode: int, body: bytes) -> int:
    """The opcode of the answer."""
    wire.send(HEADER.pack(4, 0, 0, opcode, len(body)) + body)
    _, _, _, answered, length = HEADER.unpack(wire.read(HEADER.size))
    wire.read(length)
    return int(answered)


def _string(text: bytes) -> bytes:
    return struct.pack(">H", len(text)) + text
