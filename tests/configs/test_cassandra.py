"""`[history.cassandra]`: what it says, and every kind of mistake in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.configs.cassandra import CassandraConfig, CassandraTls
from liftgate.configs.loader import check, load
from liftgate.configs.secrets import Password
from tests.configs.test_loader import ENVIRON, EXAMPLE, KEY

HISTORY = f'\n[history]\nkey = "{KEY.hex()}"\nstore = "cassandra"\n'
TABLE = f'{HISTORY}[history.cassandra]\ncontact_points = ["10.0.0.11"]\n'
SECRET = {**ENVIRON, "CQL_PASSWORD": "open sesame\n"}


def loaded(folder: Path, table: str) -> CassandraConfig | None:
    path = folder / "a.toml"
    path.write_text(EXAMPLE + table, encoding="utf-8")
    history = load(path, SECRET).history
    assert history is not None and history.store == "cassandra"
    return history.cassandra


def test_its_defaults(tmp_path: Path) -> None:
    """One contact point will do; three copies, of which two must have a row."""
    assert loaded(tmp_path, TABLE) == CassandraConfig(
        contact_points=("10.0.0.11",),
        port=9042,
        keyspace="liftgate",
        datacenter="datacenter1",
        replication=3,
        user=None,
        password=None,
        consistency="local_quorum",
    )


def test_all_it_can_say(tmp_path: Path) -> None:
    """Every key with a value of its own; the password from the environment."""
    more = (
        'port = 19042\nkeyspace = "parking"\ndatacenter = "west-1"\nreplication = 5\nuser = "relay"\n'
        'password_env = "CQL_PASSWORD"\nconsistency = "quorum"\n'
    )
    table = TABLE.replace('"10.0.0.11"', '"a.example", "::1"')
    assert loaded(tmp_path, table + more) == CassandraConfig(
        contact_points=("a.example", "::1"),
        port=19042,
        keyspace="parking",
        datacenter="west-1",
        replication=5,
        user="relay",
        password=Password("open sesame"),
        consistency="quorum",
    )


def test_tls_needs_to_know_whom_to_trust(tmp_path: Path) -> None:
    """A CA, and a certificate with its key where the cluster asks for one; addresses are checked."""
    for name in ("ca.pem", "own.pem", "own.key"):
        (tmp_path / name).touch()
    tls = '[history.cassandra.tls]\nca = "ca.pem"\n'
    config = loaded(tmp_path, TABLE + tls)
    assert config is not None and config.tls == CassandraTls(ca=tmp_path / "ca.pem")
    more = 'cert = "own.pem"\nkey = "own.key"\ncheck_address = false\n'
    config = loaded(tmp_path, TABLE + tls + more)
    assert config is not None and config.tls == CassandraTls(
        ca=tmp_path / "ca.pem", cert=tmp_path / "own.pem", key=tmp_path / "own.key", check_address=False
    )


def test_a_password_may_lie_in_a_file_and_is_not_shown(tmp_path: Path) -> None:
    """Beside the configuration, without its line end; in no repr."""
    (tmp_path / "cql").write_text("ope:n sesame \n", encoding="utf-8")
    config = loaded(tmp_path, TABLE + 'user = "relay"\npassword_file = "cql"\n')
    assert config is not None and config.password == "ope:n sesame "
    assert "sesame" not in repr(config)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (HISTORY, "history.cassandra: is missing: this store needs [history.cassandra]"),
        (
            HISTORY + "[history.cassandra]\n",
            "history.cassandra.contact_points: is missing",
        ),
        (
            HISTORY + "[history.cassandra]\ncontact_points = []\n",
            "history.cassandra.contact_points: needs at least one",
        ),
        (
            HISTORY + '[history.cassandra]\ncontact_points = ["a b"]\n',
            'history.cassandra.contact_points[0]: "a b" is not a host name or address, without a port',
        ),
        (
            TABLE + 'keyspace = "a-b"\n',
            "history.cassandra.keyspace: \"a-b\" is not 1 to 48 small letters, digits or '_', a letter first",
        ),
        (TABLE + "replication = 0\n", "history.cassandra.replication: 0 is not in 1..9"),
        (
            TABLE + 'consistency = "one"\n',
            'history.cassandra.consistency: "one" is not known here, only local_quorum, quorum',
        ),
        (
            TABLE + 'user = "relay"\n',
            "history.cassandra.user: needs password_env or password_file beside it, and they need user",
        ),
        (
            TABLE + 'user = "relay"\npassword_env = "NOWHERE"\n',
            "history.cassandra.password_env: environment variable NOWHERE is not set",
        ),
        (
            TABLE + 'user = "relay"\npassword_file = "nowhere"\n',
            "history.cassandra.password_file: cannot be read: No such file or directory",
        ),
        (
            TABLE + 'user = "relay"\npassword_env = "CQL_PASSWORD"\npassword_file = "a.toml"\n',
            "history.cassandra.password_env: and password_file are both there: one of them is enough",
        ),
        (TABLE + "[history.cassandra.tls]\n", "history.cassandra.tls.ca: is missing"),
        (
            TABLE + '[history.cassandra.tls]\nca = "a.toml"\ncert = "a.toml"\n',
            "history.cassandra.tls.key: is missing: cert is of no use without it",
        ),
        (
            TABLE + '[history.cassandra.tls]\nca = "nowhere"\n',
            'history.cassandra.tls.ca: cannot read "nowhere": No such file or directory',
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, table: str, said: str) -> None:
    """Each once, with its place; what was found of a password is never in it."""
    path = tmp_path / "a.toml"
    path.write_text(EXAMPLE + table, encoding="utf-8")
    assert [f"{problem.key}: {problem.message}" for problem in check(path, SECRET)] == [said]
