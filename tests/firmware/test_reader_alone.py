"""liftgate-reader without a network, on real tickets and the real engine's policy."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from liftgate.codecs.credentials import ticket as tickets
from tests.firmware.programs import Reader
from tests.independent.engine_process import ENTRY, EXIT, Engine, lot_toml, write_config

pytestmark = pytest.mark.long

NOW_S = 1_700_000_000  # long ago: tickets are good from here on
FAR_S = 4_000_000_000
SECRET, FORGED = bytes(range(32)), bytes(range(1, 33))


def lot() -> str:
    """Return a lot that lets its readers decide alone, with one key for tickets."""
    public = Ed25519PrivateKey.from_private_bytes(SECRET).public_key().public_bytes_raw().hex()
    rules = "[lot.rules.offline]\nhours = 4\nentries = 3\n"
    rules += f'[lot.rules.tickets]\nkeys = [{{ kid = "k1", public = "{public}" }}]\n'
    return lot_toml("south", spots=50).replace("[[lot.area]]", f"{rules}[[lot.area]]", 1)


def journal(engine: Engine) -> list[dict[str, Any]]:
    """Return what the journal has of what was done alone."""
    command = [sys.executable, "-m", "liftgate.cli", "journal", "dump", "--config", str(engine.config)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [event for event in map(json.loads, text.splitlines()) if event["type"] == "HistoryRecorded"]


def test_tickets_open_alone_once_and_the_engine_has_all_of_it_afterwards(built: None, tmp_path: Path) -> None:
    """Issued in Python, proven in C by the policy's key; copy and forgery stay out; the count is right."""

    def ticket(number: int, secret: bytes = SECRET, lot: str = "south") -> str:
        claims = tickets.Ticket(
            cti=bytes([number] * 8), lot=lot, not_before_s=NOW_S, expires_s=FAR_S, single_use=True
        )
        return str(tickets.issue(claims, "k1", "ed25519", secret).decode())

    options = {"alone-ms": "200", "lanes": f"{ENTRY}:entry,{EXIT}:exit"}
    with (
        Engine(write_config(tmp_path, lot())) as engine,
        Reader(tmp_path, engine, "south-r1", **options) as reader,
    ):
        reader.wait("policy taken")
        reader.ask("net down", "net down")
        while reader.status()["alone-now"] == "no":
            pass  # each status takes a poll of the reader's: nothing spins
        reader.ask(f"ticket {ticket(1)}", r"decision 1 open reason 0 alone .*")
        reader.ask(f"ticket {ticket(1)}", r"decision 2 refuse reason 204 alone .*")
        reader.ask(f"ticket {ticket(2, FORGED)}", r"decision 3 refuse reason 203 alone .*")
        reader.ask(f"ticket {ticket(3, lot='north')}", r"decision 4 refuse reason 200 alone .*")
        reader.ask(f"ticket {ticket(4)}", r"decision 5 open reason 0 alone .*")
        reader.ask("net up", "net up")
        reader.wait("state online")
        reader.wait_drained()
        told = {event["no"]: (event["verdict_given"], event["finding"]) for event in journal(engine)}
        assert {no for no, (verdict, _) in told.items() if verdict == 1} == {1, 5}
        assert told[1][1] == told[5][1] == 0
        assert engine.counts("south").occupancy == 2
