"""One Apache Kafka 4 node (KRaft: broker and controller in one process) from its Maven artefacts."""

from __future__ import annotations

import base64
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import ClassVar

from deploy.services import jars
from deploy.services.errors import StartFailed
from deploy.services.from_jars import FromJars
from deploy.services.java import java_command
from deploy.services.kind import RECIPES, Ports, fill
from deploy.services.ports import HOST
from deploy.services.wire import Wire

FILES = RECIPES / "kafka"
FORMAT_S_MAX = 120
METADATA, VERSION, NO_CLIENT_ID = 3, 1, -1


class Kafka(FromJars):
    """heap: -Xmx; buffers and code come on top of it. java_options: win over the recipe's.

    A client goes where the broker's metadata send it, past any proxy that it was pointed to. So there is a
    second listener: it listens on the port "behind_proxy" and advertises the port "proxy", where a test puts
    its own.
    """

    name: ClassVar[str] = "kafka"
    usual_port: ClassVar[int] = 9092
    port_names: ClassVar[tuple[str, ...]] = ("client", "controller", "behind_proxy", "proxy")
    log_name: ClassVar[str] = "server.log"
    usual_heap: ClassVar[str] = "512m"

    def prepare(self, folder: Path, ports: Ports) -> list[str]:
        conf = folder / "conf"
        fill(
            FILES / "server.properties.in",
            conf / "server.properties",
            HOST=HOST,
            STATE=folder,
            PORT=ports["client"],
            CONTROLLER_PORT=ports["controller"],
            BEHIND_PROXY_PORT=ports["behind_proxy"],
            PROXY_PORT=ports["proxy"],
        )
        shutil.copy(FILES / "log4j2.xml", conf)
        if not (folder / "data" / "meta.properties").exists():
            self._format(folder)
        return [*self._java(folder, self.heap), "kafka.Kafka", f"{conf}/server.properties"]

    def is_serving(self, ports: Ports) -> bool:
        """Metadata name a broker that is let in, and a controller: clients could do nothing before."""
        body = struct.pack(">hhihi", METADATA, VERSION, 0, NO_CLIENT_ID, 0)
        with Wire(ports["client"]) as wire:
            wire.send(struct.pack(">i", len(body)) + body)
            (length,) = struct.unpack(">i", wire.read(4))
            return _names_a_leader(wire.read(length))

    def _java(self, folder: Path, heap: str) -> list[str]:
        more = (
            f"-Dkafka.logs.dir={folder}/log",
            f"-Dlog4j2.configurationFile={folder}/conf/log4j2.xml",
            *self.java_options,
        )
        return java_command(jars.jars_folder(self.name), folder, FILES / "jvm.options", heap, "128m", more)

    def _format(self, folder: Path) -> None:
        """Give the empty data folder its cluster's id, as the broker demands before its first start."""
        # The first byte keeps the id from beginning with a dash, which would read as an option.
        cluster = base64.urlsafe_b64encode(b"\x40" + os.urandom(15)).decode().rstrip("=")
        command = [*self._java(folder, "128m"), "kafka.tools.StorageTool", "format", "--standalone"]
        command += ["--cluster-id", cluster, "--config", f"{folder}/conf/server.properties"]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=FORMAT_S_MAX
        )
        if done.returncode:
            raise StartFailed(f"kafka: its data folder could not be formatted:\n{done.stdout}")


def _names_a_leader(answer: bytes) -> bool:
    """Whether a Metadata answer (version 1, after its length) lists a broker and knows the controller."""
    brokers, at = struct.unpack_from(">i", answer, 4)[0], 8
    for _ in range(brokers):
        (host_length,) = struct.unpack_from(">h", answer, at + 4)
        at += 6 + host_length + 4
        (rack_length,) = struct.unpack_from(">h", answer, at)
        at += 2 + max(rack_length, 0)
    (controller,) = struct.unpack_from(">i", answer, at)
    return bool(brokers > 0 and controller >= 0)
