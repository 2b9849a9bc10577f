"""Migrations as files, and what is said of a schema or a node that does not fit."""

from __future__ import annotations

import re

import pytest

from liftgate.configs.cassandra import CassandraConfig
from liftgate.history.cassandra.node import check_copies, release_of
from liftgate.history.cassandra.schema import check_version, migrations, statements
from liftgate.history.cassandra.tables import QUERIES, STATEMENTS
from liftgate.history.port import StoreMisfit

TABLE = re.compile(r"(?:FROM|INTO|UPDATE) \$keyspace\.(\w+)")


def test_migrations_are_numbered_and_name_the_keyspace() -> None:
    """Each statement says which keyspace it means, so none can go astray, and can be run again."""
    for _, text in migrations():
        for statement in statements(text, "elsewhere"):
            assert re.match(r"CREATE TABLE IF NOT EXISTS elsewhere\.\w+ \(", statement), statement


def test_comments_and_empty_statements_are_left_out() -> None:
    """What is left stands for itself."""
    text = "-- a; comment\nCREATE TABLE $keyspace.a (b int); -- another\n\n;SELECT 1;\n"
    assert statements(text, "k") == ["CREATE TABLE k.a (b int)", "SELECT 1"]


def test_every_table_in_use_is_made() -> None:
    """By the migrations, all of them together."""
    made = {
        name
        for _, text in migrations()
        for name in re.findall(r"TABLE IF NOT EXISTS \$keyspace\.(\w+)", text)
    }
    used = {name for text in [*QUERIES.values(), *STATEMENTS.values()] for name in TABLE.findall(text)}
    assert used == made


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (0, 'keyspace "k" has no schema yet: run `liftgate history migrate`'),
        (1, 'keyspace "k" has schema 1, this program needs 2: run `liftgate history migrate`'),
        (3, 'keyspace "k" has schema 3, this program knows 2: use the newer program that made it'),
    ],
)
def test_another_schema_is_named_with_what_to_do(found: int, said: str) -> None:
    """Older and none: migrate; newer: this program must not touch it."""
    with pytest.raises(StoreMisfit) as caught:
        check_version(found, 2, 'keyspace "k"')
    assert str(caught.value) == said


def test_the_same_schema_is_fine() -> None:
    """Nothing is raised."""
    check_version(2, 2, 'keyspace "k"')


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("5.0.9", (5, 0)),
        ("4.1.3-SNAPSHOT", (4, 1)),
        ("5.0-rc1", (5, 0)),
        ("10.11.1", (10, 11)),
        ("?", (0, 0)),
    ],
)
def test_releases_are_compared_by_their_first_two_numbers(text: str, release: tuple[int, int]) -> None:
    """As numbers: 10 comes after 5."""
    assert release_of(text) == release


def test_a_keyspace_that_only_others_have_is_a_misfit() -> None:
    """Every write would wait for a majority of none. A cluster of one datacenter takes no such keyspace."""
    config = CassandraConfig(contact_points=("a",), keyspace="k", datacenter="south")
    strategy = "org.apache.cassandra.locator.NetworkTopologyStrategy"
    with pytest.raises(StoreMisfit) as caught:
        check_copies({"class": strategy, "north": "3", "west": "2"}, config)
    said = 'keyspace "k" has no copies in datacenter "south", only in "north", "west"'
    assert str(caught.value) == said
    check_copies({"class": strategy, "north": "3", "south": "1"}, config)
    check_copies({"class": "org.apache.cassandra.locator.SimpleStrategy", "replication_factor": "1"}, config)
