"""`[stream]`: what it takes, and every mistake with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from liftgate.configs.loader import check, load
from liftgate.configs.schema import Key
from liftgate.configs.secrets import Password
from liftgate.configs.stream import StreamConfig, StreamSasl, StreamTls

EXAMPLE = (Path(load.__code__.co_filename).parent / "example.toml").read_text(encoding="utf-8")
KEY = Key(bytes(range(32)))
ENVIRON = {"LIFTGATE_API_KEY": bytes(32).hex(), "KAFKA_PASSWORD": "from outside", "STREAM_KEY": KEY.hex()}


def stream(folder: Path, text: str) -> StreamConfig | None:
    path = folder / "a.toml"
    path.write_text(f"{EXAMPLE}\n{text}", encoding="utf-8")
    return load(path, ENVIRON).stream


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "a.toml"
    path.write_text(f'{EXAMPLE}\n[stream]\nkey_env = "STREAM_KEY"\n{text}', encoding="utf-8")
    return [f"{problem.key}: {problem.message}" for problem in check(path, ENVIRON)]


def test_without_the_table_there_is_no_stream(tmp_path: Path) -> None:
    """And with nothing but brokers in it the rest is as documented."""
    assert stream(tmp_path, "") is None
    assert stream(tmp_path, '[stream]\nkey_env = "STREAM_KEY"\nbrokers = ["127.0.0.1:9092"]') == StreamConfig(
        brokers=("127.0.0.1:9092",),
        key=KEY,
        topic="liftgate.events",
        cursors="liftgate.cursors",
        partitions=12,
        replicas=0,
        format="json",
        compression="none",
        timeout_s=30,
        transaction_timeout_s=60,
    )


def test_every_key_is_read(tmp_path: Path) -> None:
    """Files are looked for beside the configuration, and the password is shown nowhere."""
    (tmp_path / "ca.pem").write_text("a certificate")
    (tmp_path / "word").write_text("secret-word\n")
    found = stream(
        tmp_path,
        """
        [stream]
        brokers = ["k1:9093", "[::1]:9093"]
        key_env = "STREAM_KEY"
        topic = "events"
        cursors = "cursors"
        partitions = 3
        replicas = 2
        format = "msgpack"
        compression = "gzip"
        timeout_s = 5
        transaction_timeout_s = 20
        tls = { ca = "ca.pem", check_hostname = false }
        sasl = { mechanism = "SCRAM-SHA-512", user = "relay", password_file = "word" }
        """,
    )
    assert found == StreamConfig(
        brokers=("k1:9093", "[::1]:9093"),
        key=KEY,
        topic="events",
        cursors="cursors",
        partitions=3,
        replicas=2,
        format="msgpack",
        compression="gzip",
        timeout_s=5,
        transaction_timeout_s=20,
        tls=StreamTls(ca=tmp_path / "ca.pem", check_hostname=False),
        sasl=StreamSasl(mechanism="SCRAM-SHA-512", user="relay", password=Password("secret-word")),
    )
    assert "secret-word" not in repr(found)


def test_the_history_s_key_serves_the_stream_too(tmp_path: Path) -> None:
    """So that a card is the same hash in both; without either, or with a key of its own, it says so."""
    history = '[history]\nkey_env = "STREAM_KEY"\n'
    found = stream(tmp_path, f'{history}[stream]\nbrokers = ["k1:9093"]')
    assert found is not None and found.key == KEY
    other = stream(tmp_path, f'{history}[stream]\nkey_env = "LIFTGATE_API_KEY"\nbrokers = ["k1:9093"]')
    assert other is not None and other.key == bytes(32)
    (tmp_path / "b.toml").write_text(f'{EXAMPLE}\n[stream]\nbrokers = ["k1:9093"]', encoding="utf-8")
    (problem,) = check(tmp_path / "b.toml", ENVIRON)
    assert problem.message == "needs one of key, key_file and key_env, has none"


def test_a_password_may_come_from_outside(tmp_path: Path) -> None:
    """As keys do."""
    sasl = 'sasl = { mechanism = "SCRAM-SHA-256", user = "relay", password_env = "KAFKA_PASSWORD" }'
    found = stream(tmp_path, f'[stream]\nkey_env = "STREAM_KEY"\nbrokers = ["k1:9093"]\n{sasl}')
    assert found is not None and found.sasl is not None
    assert found.sasl.password == "from outside"


GOOD = 'brokers = ["k1:9092"]\n'
SCRAM = 'mechanism = "SCRAM-SHA-256", user = "relay"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "stream.brokers: is missing"),
        ("brokers = []", "stream.brokers: names no broker"),
        ('brokers = ["k1"]', 'stream.brokers[0]: must be host:port, such as "127.0.0.1:9092"'),
        ('brokers = ["k1:70000"]', 'stream.brokers[0]: must be host:port, such as "127.0.0.1:9092"'),
        (GOOD + "partitions = 0", "stream.partitions: 0 is not in 1..10000"),
        (GOOD + 'format = "avro"', 'stream.format: "avro" is not known here, only json, msgpack'),
        (
            GOOD + 'topic = "a b"',
            "stream.topic: \"a b\" is not a topic of Kafka: 1 to 249 letters, digits, '.', '_' or '-'",
        ),
        (
            GOOD + 'cursors = "liftgate.events"',
            "stream.cursors: is the events' topic: cursors are compacted, so they need one of their own",
        ),
        (
            GOOD + "transaction_timeout_s = 10",
            "stream.transaction_timeout_s: is less than timeout_s (30)",
        ),
        (GOOD + "topics = 1", 'stream.topics: unknown key; did you mean "topic"?'),
        (GOOD + 'tls = { ca = "no.pem" }', 'stream.tls.ca: cannot read "no.pem": No such file or directory'),
        (GOOD + 'tls = { cert = "a.toml" }', "stream.tls.key: is missing: cert is of no use without it"),
        (
            GOOD + 'sasl = { mechanism = "PLAIN", user = "relay", password = "p" }',
            "stream.sasl.mechanism: PLAIN sends the password as it stands: add [stream.tls], or use SCRAM",
        ),
        (
            GOOD + f"sasl = {{ {SCRAM} }}",
            "stream.sasl.password: needs one of password, password_file, password_env, has none",
        ),
        (
            GOOD + f'sasl = {{ {SCRAM}, password_env = "NOT_THERE" }}',
            "stream.sasl.password_env: environment variable NOT_THERE is not set",
        ),
        (
            GOOD + f'sasl = {{ {SCRAM}, password_file = "no" }}',
            'stream.sasl.password_file: cannot read "no": No such file or directory',
        ),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, said: str) -> None:
    """Each with its key and what to do."""
    assert mistakes(tmp_path, text) == [said]
