"""A real Kafka: it keeps what it took through kill -9, stop and restart, and comes back where it was."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaConnectionError

from deploy.services import Service
from tests.services.clients import consume, make_topic, produce, unique
from tests.services.proxy import Proxy

pytestmark = pytest.mark.long

VALUES = [b"value %d" % number for number in range(500)]


def test_a_transaction_is_written_and_read(kafka: Service) -> None:
    """The server that others may use too takes a transaction, and a read_committed consumer sees it."""
    topic = unique("t")
    make_topic(kafka, topic)
    produce(kafka.address, topic, VALUES)
    assert consume(kafka.address, topic) == VALUES


def test_messages_survive_kill_and_restart(own_kafka: Service) -> None:
    """After kill -9 nothing answers; started again, it has the same port and every committed message, and
    takes more."""
    topic = unique("t")
    make_topic(own_kafka, topic)
    produce(own_kafka.address, topic, VALUES)
    address, pid = own_kafka.address, own_kafka.pid
    own_kafka.kill()
    assert own_kafka.pid is None
    assert not own_kafka.is_ready()
    own_kafka.start()
    assert (own_kafka.address, own_kafka.pid != pid) == (address, True)
    produce(address, topic, [b"after"])
    assert consume(address, topic) == [*VALUES, b"after"]


def test_a_paused_broker_answers_nobody_until_it_goes_on(own_kafka: Service) -> None:
    """SIGSTOP leaves the process there and its port open, but no request is answered; SIGCONT ends that."""
    own_kafka.pause()
    assert own_kafka.pid is not None
    assert not own_kafka.is_ready()
    own_kafka.resume()
    own_kafka.wait_ready()


def test_clients_stay_behind_the_proxy(own_kafka: Service) -> None:
    """Metadata asked for through the proxy name the proxy: every byte of every client passes it."""
    topic = unique("t")
    make_topic(own_kafka, topic)
    with Proxy(own_kafka.ports["behind_proxy"], own_kafka.ports["proxy"]) as proxy:
        produce(proxy.address, topic, VALUES)
        assert proxy.bytes_out > sum(map(len, VALUES))
        assert consume(proxy.address, topic) == VALUES
        proxy.refuse()
        with pytest.raises(KafkaConnectionError):
            consume(proxy.address, topic)
