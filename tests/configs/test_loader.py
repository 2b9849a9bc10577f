"""Configurations that load, and every kind of mistake with its exact message."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from liftgate.configs.loader import check, load
from liftgate.configs.problems import ConfigErrors, Problem
from liftgate.configs.schema import Config, EngineConfig, LaneConfig, SpotsConfig

HERE = Path(__file__).parent
SHIPPED = Path(load.__code__.co_filename).parent
KEY = bytes(range(32))
ENVIRON = {"LIFTGATE_API_KEY": KEY.hex()}
EXAMPLE = (SHIPPED / "example.toml").read_text(encoding="utf-8")


def load_text(folder: Path, text: str, environ: dict[str, str] = ENVIRON) -> Config:
    path = folder / "a.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, environ)


def mistakes(folder: Path, old: str, new: str, environ: dict[str, str] = ENVIRON) -> list[str]:
    """What is wrong with the example after old was replaced by new, as 'line: key: message'."""
    assert old in EXAMPLE
    path = folder / "a.toml"
    path.write_text(EXAMPLE.replace(old, new, 1), encoding="utf-8")
    return [str(problem).removeprefix(f"{path}:") for problem in check(path, environ)]


def test_the_example_loads_with_all_it_says() -> None:
    """The shipped example.toml gives every value it names and the defaults for the rest."""
    config = load(SHIPPED / "example.toml", ENVIRON)
    assert config.engine == EngineConfig(
        name="engine-a", host="127.0.0.1", port=7400, journal=(SHIPPED / "var/journal").resolve()
    )
    (lot,) = config.lots
    assert (lot.id, lot.name, lot.timezone, lot.currency) == ("north", "North Garage", "Europe/Berlin", "EUR")
    assert (lot.assign, lot.confirm_s) == ("spot", 120)
    assert [(area.id, area.parent) for area in lot.areas] == [("north", None), ("vip", "north")]
    assert lot.areas[0].spots == (
        SpotsConfig(level="P1", prefix="A", spot_class="standard", count=120),
        SpotsConfig(level="P1", prefix="W", spot_class="accessible", count=4),
    )
    assert [(gate.id, gate.nearest) for gate in lot.gates] == [("west", ("P1-A", "P1-W"))]
    (reader,) = config.readers
    assert (reader.id, reader.key, reader.lot) == ("north-entry-1", KEY, "north")
    assert reader.lanes == (
        LaneConfig(
            number=0,
            direction="entry",
            area="north",
            gate="west",
            confirm=True,
            cards="open",
            kinds=("qr", "card", "sun", "plate"),
        ),
    )
    (service,) = config.services
    assert (service.id, service.key, service.lots) == ("api", KEY, None)
    assert service.may == ("read_credential", "query", "subscribe", "open_lane", "correct_count")


def test_the_demo_loads_without_any_environment() -> None:
    """`liftgate up` needs nothing from outside; the city has the recorded lots, the visitor his own."""
    config = load(SHIPPED / "demo.toml", {})
    assert [lot.id for lot in config.lots] == ["north", "P1", "P7", "P8"]
    assert {"city", "screen", "tail", "console"} == {service.id for service in config.services}
    assert any(area.parent for area in config.lots[0].areas)


def test_the_demo_with_services_has_the_same_lots_and_readers() -> None:
    """What is driven there is what `liftgate up` alone drives; behind it stand Cassandra and Kafka."""
    demo, config = load(SHIPPED / "demo.toml", {}), load(SHIPPED / "services.toml", {})
    assert (config.lots, config.readers) == (demo.lots, demo.readers)
    assert config.services[: len(demo.services)] == demo.services
    assert config.history is not None and config.history.cassandra is not None
    assert config.stream is not None and config.relay is not None
    assert config.relay.sinks == ("history", "stream")


def test_many_mistakes_are_all_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One file with dozens of mistakes gives one message for each, in the order of the file."""
    monkeypatch.chdir(HERE)
    told = [str(problem) for problem in check("mistakes.toml", {})]
    assert told == (HERE / "mistakes.txt").read_text(encoding="utf-8").splitlines()


def test_an_unset_variable_is_named() -> None:
    """A key_env that is not set says which variable to set, and where it is asked for."""
    path = str(SHIPPED / "example.toml")
    message = "environment variable LIFTGATE_API_KEY is not set"
    line = EXAMPLE[: EXAMPLE.index("key_env =")].count("\n") + 1
    assert check(path, {}) == [Problem(path, "service[0].key_env", message, line)]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"127.0.0.1:7400"',
            '"7400"',
            ['5: engine.listen: must be host:port with a port of 0..65535, such as "127.0.0.1:7400"'],
        ),
        (
            '"127.0.0.1:7400"',
            '"127.0.0.1:70000"',
            ['5: engine.listen: must be host:port with a port of 0..65535, such as "127.0.0.1:7400"'],
        ),
        (
            '"127.0.0.1:7400"',
            '"[::]:7400"',
            ["5: engine.listen: reaches beyond this machine: add [engine.tls] or set allow_plain = true"],
        ),
        (
            '"127.0.0.1:7400"',
            '"garage.example:1"',
            ["5: engine.listen: reaches beyond this machine: add [engine.tls] or set allow_plain = true"],
        ),
        (
            "readers_max = 10_000",
            "readers_max = true",
            ["7: engine.readers_max: must be a whole number, not true or false"],
        ),
        (
            "readers_max = 10_000",
            f"readers_max = 0x{'f' * 5000}",
            ["7: engine.readers_max: such a large number is not in 1..1000000"],
        ),
        ("readers_max = 10_000", "tls = 1", ["7: engine.tls: must be a table, not a whole number"]),
        (
            'journal = "var/journal"',
            'journal = "a\\u0000b"',
            ["6: engine.journal: must be 1 to 1024 printable characters"],
        ),
        (
            'journal = "var/journal"',
            'journal = ""',
            ["6: engine.journal: must be 1 to 1024 printable characters"],
        ),
        (
            'timezone = "Europe/Berlin"',
            'timezone = "/etc/passwd"',
            ['13: lot[0].timezone: no time zone "/etc/passwd": write it as in "Europe/Berlin"'],
        ),
        (
            'parent = "north"',
            'parent = "vip"',
            ["32: lot[0].area[1].parent: areas lie inside each other in a circle: vip in vip"],
        ),
        ('[[lot.area]]\nid = "vip"', '[lot.vip]\nid = "vip"', ["30: lot[0].vip: unknown key"]),
        (
            "[[lot.gate]]",
            "[lot.gate]",
            [
                "39: lot[0].gate: can be there several times: write [[lot.gate]], in two brackets",
                '51: reader[0].lane[0].gate: no gate "west" in lot "north"',
            ],
        ),
        ("count = 120", "count = 999_999", ["10: lot[0].area: 1000013 spots are more than 1000000"]),
        (
            "count = 120",
            "count = 1.5",
            ["23: lot[0].area[0].spots[0].count: must be a whole number, not a decimal number"],
        ),
        ('gate = "west"', "gate = []", ["51: reader[0].lane[0].gate: must be a string, not an array"]),
        (
            'key = "0',
            'kye = "0',
            [
                "43: reader[0].key: needs one of key, key_file and key_env, has none",
                '45: reader[0].kye: unknown key; did you mean "key"?',
            ],
        ),
        (
            '1e1f"',
            '1e1g"',
            ["45: reader[0].key: must be 64 hex digits (32 bytes), not other characters among them"],
        ),
        ('may = ["read_credential"', "may = [7", ["58: service[0].may[0]: must be a string"]),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, old: str, new: str, told: list[str]) -> None:
    """Each single mistake in the example gives exactly these messages, with line and key."""
    assert mistakes(tmp_path, old, new) == told


def test_lots_without_anything_are_told(tmp_path: Path) -> None:
    """An empty file and an empty lot say what is missing, not only that something is."""
    (tmp_path / "a.toml").write_text("")
    assert [str(p.message) for p in check(tmp_path / "a.toml")] == [
        "is missing: an engine has at least one [[lot]]",
        "is missing",
    ]
    hollow = EXAMPLE.replace("[[lot.area.spots]]", "[[ignored]]").replace('["P1-A", "P1-W"]', "[]")
    with pytest.raises(ConfigErrors, match="no area has spots: the lot could never let anybody in"):
        load_text(tmp_path, hollow)


def test_a_lot_that_fits_no_event_is_told(tmp_path: Path) -> None:
    """What could not be journalled as one event is refused here, with what to do; 700 blocks still fit."""
    block = '[[lot.area.spots]]\nlevel = "P{0}"\nprefix = "Q"\nclass = "standard"\ncount = 3\n'
    at = EXAMPLE.index("[[lot.area.spots]]")
    many = [
        EXAMPLE[:at] + "".join(block.format(n) for n in range(count)) + EXAMPLE[at:] for count in (700, 1100)
    ]
    assert len(load_text(tmp_path, many[0]).lots[0].areas[0].spots) > 700
    with pytest.raises(ConfigErrors, match="more than 50000: make blocks larger"):
        load_text(tmp_path, many[1])


def test_beyond_loopback_plain_needs_saying_so(tmp_path: Path) -> None:
    """allow_plain = true is what lets an engine listen beyond this machine without TLS."""
    text = EXAMPLE.replace('"127.0.0.1:7400"', '"0.0.0.0:7400"\nallow_plain = true')
    assert load_text(tmp_path, text).engine.host == "0.0.0.0"


def test_tls_files_are_found_beside_the_file(tmp_path: Path) -> None:
    """Certificate and key are relative to the file, and one that cannot be read is told."""
    (tmp_path / "cert.pem").write_text("made up")
    tls = '"[::]:7400"\ntls = { cert = "cert.pem", key = "key.pem" }'
    assert mistakes(tmp_path, '"127.0.0.1:7400"', tls) == [
        '6: engine.tls.key: cannot read "key.pem": No such file or directory'
    ]
    (tmp_path / "key.pem").write_text("made up")
    found = load_text(tmp_path, EXAMPLE.replace('"127.0.0.1:7400"', tls)).engine
    assert found.host == "::"
    assert found.tls is not None
    assert (found.tls.cert, found.tls.client_ca) == (tmp_path / "cert.pem", None)


def test_a_key_may_lie_in_a_file_of_its_own(tmp_path: Path) -> None:
    """key_file holds the same 64 digits, with or without a line end."""
    (tmp_path / "reader.key").write_text(KEY.hex() + "\n")
    text = EXAMPLE.replace(f'key = "{KEY.hex()}"', 'key_file = "reader.key"')
    assert load_text(tmp_path, text).readers[0].key == KEY


def test_the_registry_key_is_given_like_other_secrets(tmp_path: Path) -> None:
    """Itself, in a file or in the environment; none is needed, two are one too many, and none is shown."""
    assert load_text(tmp_path, EXAMPLE).engine.registry_key is None
    (tmp_path / "registry.key").write_text(KEY.hex() + "\n")
    for line in (f'registry_key = "{KEY.hex()}"', 'registry_key_file = "registry.key"'):
        found = load_text(tmp_path, EXAMPLE.replace("[engine]\n", f"[engine]\n{line}\n", 1)).engine
        assert found.registry_key == KEY and "Key(…)" in repr(found)
    both = '[engine]\nregistry_key_file = "registry.key"\nregistry_key_env = "X"\n'
    (told,) = mistakes(tmp_path, "[engine]\n", both)
    assert "needs one of registry_key, registry_key_file and registry_key_env, has " in told
    (told,) = mistakes(tmp_path, "[engine]\n", f'[engine]\nregistry_key_env = "{KEY.hex()}"\n')
    assert told.endswith("engine.registry_key_env: is a key itself: write it as registry_key")


def test_no_key_is_ever_shown(tmp_path: Path) -> None:
    """Neither a loaded configuration nor a message about a mistaken key contains any of the key."""
    secret = KEY.hex()
    assert secret not in f"{load_text(tmp_path, EXAMPLE)!r}"
    assert "Key(…)" in f"{load_text(tmp_path, EXAMPLE)}"
    assert repr(KEY)[2:-1] not in f"{load_text(tmp_path, EXAMPLE)!r}"
    for place in ("key_env", "key_file"):
        told = mistakes(tmp_path, f'key = "{secret}"', f'{place} = "{secret}"')
        assert told == [f"45: reader[0].{place}: is a key itself: write it as key"]
    (told_short,) = mistakes(tmp_path, f'key = "{secret}"', f'key = "{secret[:-1]}"')
    assert secret[:8] not in told_short


def test_a_file_that_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    """Broken TOML, other bytes and a missing file are problems of the file, not tracebacks."""
    path = tmp_path / "a.toml"
    path.write_bytes(b"[engine]\nname = \n")
    assert str(check(path)[0]) == f"{path}:2: is not TOML: Invalid value"
    path.write_bytes(b"[engine]\nname = '\xff'\n")
    assert str(check(path)[0]) == f"{path}:2: is not UTF-8 text"
    path.write_text("a = " + "[" * 100_000)
    assert str(check(path)[0]) == f"{path}: nests tables or arrays too deeply"
    assert (
        str(check(tmp_path / "b.toml")[0])
        == f"{tmp_path / 'b.toml'}: cannot be read: No such file or directory"
    )


ODD_VALUES = st.sampled_from(
    """0 -1 true 1.5 nan 1979-05-27 "" "north" "vip" "\\u0000" "../.." "Europe" [] [1] ["P1-A"] [[]] [{}] {}
    {a.b=1} 0xffffffffffffffffffff "spot" "[::1]:1" 'x' \"\"\"a\"\"\" [engine] [[lot]] [[lot.area]]
    [[reader.lane]]""".split()
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The example with a few lines dropped, doubled, moved, or given an odd value or some odd text."""
    lines = EXAMPLE.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "double", "move", "value", "text", "line"]))
        name = lines[at].partition("=")[0]
        if change in ("drop", "move"):
            moved = lines.pop(at)
            if change == "move":
                lines.insert(draw(st.integers(0, len(lines))), moved)
        elif change == "double":
            lines.insert(at, lines[at])
        elif change == "line":
            lines.insert(at, draw(ODD_VALUES))
        else:
            lines[at] = f"{name}= {draw(ODD_VALUES if change == 'value' else st.text(max_size=20))}"
        lines = lines or [""]
    return "\n".join(lines)


@given(mutated() | st.text())
@example(f"[engine]\nreaders_max = {'9' * 5000}\n")
@example('engine = {tls = {cert = "' + "a" * 1000 + '"}}\n')
def test_no_file_does_more_than_load_or_be_refused(text: str) -> None:
    """Whatever a file holds, it loads or ConfigErrors says why not, each problem with a message."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.toml"
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        try:
            config = load(path, ENVIRON)
        except ConfigErrors as errors:
            assert errors.problems
            assert all(problem.message and problem.file == str(path) for problem in errors.problems)
        else:
            assert config.lots
