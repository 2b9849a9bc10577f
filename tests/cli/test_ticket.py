"""`liftgate ticket` on a real engine: from a new key to a ticket that is refused the second time."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.cli.commands import MINE, Done, events, facts, liftgate


def on(config: Path, action: str, *more: object) -> Done:
    return liftgate("ticket", action, "--config", config, *more)


def made(config: Path, folder: Path, *more: object) -> Path:
    """A key that vouches in lot north, on the engine that runs."""
    path = folder / "2026a.key"
    done = on(config, "keys", "--lot", "north", "--make", path, *more)
    assert (done.returncode, done.stderr) == (0, "")
    return path


def issued(config: Path, key: Path, *more: object) -> dict[str, str]:
    """A ticket's lines."""
    done = on(config, "issue", "--lot", "north", "--key", key, "--no-code", *more)
    assert (done.returncode, done.stderr) == (0, "")
    return facts(done)


def scan(config: Path, *what: object, reader: str = MINE) -> dict[str, str]:
    return facts(liftgate("scan", "--config", config, "--reader", reader, *what))


def test_a_ticket_opens_once_and_why_says_so(running: Path, tmp_path: Path) -> None:
    """Key, ticket, scan, the copy refused with 204; show and why say it; retired, its key vouches no more."""
    key = made(running, tmp_path)
    said = issued(running, key, "--single-use", "--valid", "2h")
    assert said["code"].startswith("version 8-M, 49 x 49 modules, alphanumeric")
    token = said["token"]
    shown = on(running, "show", token)
    assert (shown.returncode, facts(shown)["now"]) == (0, "good")
    assert scan(running, "--qr", token)["verdict"] == "OPEN"
    copied = scan(running, "--qr", token)
    assert (copied["verdict"], copied["reason"]) == ("REFUSE", "token used before (204)")
    assert "used before" in facts(on(running, "show", token))["now"]
    why = liftgate("why", "--config", running, "--qr", token)
    assert "for one entry: used before" in why.stdout
    assert on(running, "keys", "--lot", "north", "--retire", "2026a").returncode == 0
    later = scan(running, "--qr", issued(running, key)["token"])
    assert later["reason"] == "signature or MAC wrong (203)"


def test_a_revoked_ticket_stays_out(running: Path, tmp_path: Path) -> None:
    """By what was printed, or by its cti; the deny list says why."""
    key = made(running, tmp_path)
    said = issued(running, key)
    done = on(running, "revoke", said["token"], "--reason", "paid back")
    assert (done.returncode, done.stdout) == (0, f"revoked   {said['cti']} in lot north\n")
    assert scan(running, "--qr", said["token"])["reason"] == "on the deny list (201)"
    assert "paid back" in facts(on(running, "show", said["token"]))["now"]
    other = issued(running, key)
    assert on(running, "revoke", "--lot", "north", "--cti", other["cti"]).returncode == 0
    assert scan(running, "--qr", other["token"])["reason"] == "on the deny list (201)"


def test_keys_are_listed_with_their_times(running: Path, tmp_path: Path) -> None:
    """One line each; no secret is printed or journalled, and its file is its owner's alone."""
    key = made(running, tmp_path)
    on(running, "keys", "--lot", "north", "--retire", "2026a", "--at", "2099-01-01T00:00:00Z")
    listed = on(running, "keys", "--lot", "north").stdout.split()
    assert listed[:4] == ["2026a", "ed25519", "until", "2099-01-01T00:00:00Z"]
    secret = key.read_text().strip()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told = liftgate("tail", "--config", running, "--no-follow").stdout
    assert secret not in told and listed[4] in told


def test_a_key_for_macs_is_taken_from_the_file(config: Path, tmp_path: Path) -> None:
    """What it prints for the file is what the file needs: without an engine the ticket is judged by it."""
    key = tmp_path / "m1.key"
    done = on(config, "keys", "--lot", "north", "--make", key, "--mac")
    assert done.returncode == 0
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("    ")]
    rules, secret = lines[:3], lines[3:]
    text = config.read_text()
    lot = text.index('id = "north"')
    end = text.index("[[", lot)
    config.write_text(text[:end] + "\n".join(rules + secret) + "\n" + text[end:])
    said = issued(config, key, "--mac")
    assert said["code"].startswith("version 4-M, 33 x 33")
    shown = on(config, "show", said["token"])
    assert (shown.returncode, facts(shown)["now"], facts(shown)["engine"].split()[0]) == (0, "good", "none")
    forged = issued(config, made_alone(config, tmp_path), "--mac", "--kid", "m1")
    assert "not genuine" in facts(on(config, "show", forged["token"]))["now"]


def made_alone(config: Path, folder: Path) -> Path:
    """A key that no engine and no file knows."""
    path = folder / "other.key"
    on(config, "keys", "--lot", "north", "--make", path, "--mac")
    return path


def test_codes_are_written_and_printed(config: Path, tmp_path: Path) -> None:
    """SVG and PNG, and blocks in the terminal."""
    key = made(config, tmp_path)
    svg, png = tmp_path / "t.svg", tmp_path / "t.png"
    done = on(config, "issue", "--lot", "north", "--key", key, "--svg", svg, "--png", png)
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 25
    assert b"<svg" in svg.read_bytes() and png.read_bytes().startswith(b"\x89PNG")


def test_mistakes_are_told_and_show_no_secret(config: Path, tmp_path: Path) -> None:
    """Exit code 2 for what was wrongly said, 1 for what cannot be done."""
    key = made(config, tmp_path)
    short = tmp_path / "short.key"
    short.write_text("abcdef")
    for words, code, said in (
        (("keys", "--lot", "north", "--make", key), 1, "File exists"),
        (("issue", "--lot", "north", "--key", short), 2, "is no key"),
        (("issue", "--lot", "north", "--key", tmp_path / "none"), 2, "cannot read"),
        (("issue", "--lot", "north", "--key", key, "--begins", "noon"), 2, "is no time"),
        (("issue", "--lot", "north", "--key", key, "--kid", "x" * 17), 2, "1 to 16 bytes"),
        (("show", "LG1:ABC"), 1, "is no ticket"),
        (("revoke", "--lot", "north", "--cti", "00"), 2, "16 hex digits"),
        (("keys", "--lot", "north"), 1, "no engine runs"),
    ):
        done = on(config, *map(str, words))
        assert (done.returncode, said in done.stderr) == (code, True), (words, done.stderr)
        assert "abcdef" not in done.stderr


def test_a_tag_that_nobody_set_up_is_not_taken(running: Path) -> None:
    """--tag takes its URL, as a reader sends it."""
    url = "https://ntag.nxp.com/424?e=EF963FF7828658A599F3041510671E88&c=94EED9EE65337086"
    assert scan(running, "--tag", url)["reason"] == "credential kind not taken here (101)"
    told = events(liftgate("tail", "--config", running, "--no-follow"))
    assert any(event["type"] == "ScanDecided" and event["kind"] == 3 for event in told)
