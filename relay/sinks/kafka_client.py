"""What every client of Kafka is given, and what its exceptions mean to us."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition, errors
from aiokafka.conn import AIOKafkaConnection

from liftgate.configs.stream import StreamConfig, StreamTls
from liftgate.relay.sink import SinkMisfit, SinkUnavailable

# It warns of each request that it tries again; what it gives up is raised, and said by us. Who wants all of
# it configures logging.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())

REQUEST_TIMEOUT_MS = 10_000
"""Of one request; a broker that is silent for so long is as good as gone, and the batch is tried again."""

RETRY_BACKOFF_MS = 20
"""A transaction begun right after another's commit is refused until the marker is written, which takes a few
milliseconds; the library's own 100 ms took a third of the rate in batches of 100."""

CLOSE_S = 2.0
"""TLS says goodbye and waits for the same; a broker that doesn't say it is not waited for."""

FENCED = (errors.ProducerFenced, errors.InvalidProducerEpoch)
REFUSED = (
    errors.AuthenticationFailedError,
    errors.AuthenticationMethodNotSupported,
    errors.SaslAuthenticationFailed,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.ClusterAuthorizationFailedError,
    errors.TopicAuthorizationFailedError,
    errors.GroupAuthorizationFailedError,
    errors.TransactionalIdAuthorizationFailed,
    errors.IncompatibleBrokerVersion,
    errors.UnsupportedVersionError,
    errors.InvalidTransactionTimeout,
    errors.PolicyViolationError,
    ssl.SSLError,
)
"""What waiting does not mend."""


class Fenced(SinkUnavailable):
    """Another relay with the same name writes to the topic; of this one's batch nothing stays."""


def client_options(config: StreamConfig, name: str) -> dict[str, Any]:
    """Arguments that producer, consumer and admin client share. name: shown in the brokers' logs.

    Raises SinkMisfit where the files for TLS cannot be used.
    """
    return {"bootstrap_servers": list(config.brokers), **_options(config, name)}


def _options(config: StreamConfig, name: str) -> dict[str, Any]:
    secured = {(False, False): "PLAINTEXT", (True, False): "SSL", (False, True): "SASL_PLAINTEXT"}
    protocol = secured.get((config.tls is not None, config.sasl is not None), "SASL_SSL")
    options: dict[str, Any] = {
        "client_id": name,
        "request_timeout_ms": min(REQUEST_TIMEOUT_MS, config.timeout_s * 1000),
        "security_protocol": protocol,
        "ssl_context": None if config.tls is None else _ssl_context(config.tls),
    }
    if config.sasl is not None:
        options.update(
            sasl_mechanism=config.sasl.mechanism,
            sasl_plain_username=config.sasl.user,
            # As a plain str: the library formats it, and ours hides itself.
            sasl_plain_password=str.__str__(config.sasl.password),
        )
    return options


def _ssl_context(tls: StreamTls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        if tls.cert is not None:
            context.load_cert_chain(tls.cert, tls.key)
    except (OSError, ssl.SSLError) as error:
        raise SinkMisfit(f"the files of [stream.tls] cannot be used: {error}") from error
    context.check_hostname = tls.check_hostname
    return context


@asynccontextmanager
async def consumer(isolation: str, options: dict[str, Any]) -> AsyncIterator[AIOKafkaConsumer]:
    """A started one that commits nothing. isolation: "read_committed" or "read_uncommitted"."""
    made = AIOKafkaConsumer(isolation_level=isolation, enable_auto_commit=False, **options)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def very_ends(places: Sequence[TopicPartition], options: dict[str, Any]) -> dict[TopicPartition, int]:
    """By partition the offset behind its last record, committed or not."""
    async with consumer("read_uncommitted", options) as behind:
        return dict(await behind.end_offsets(places))


async def reach_broker(config: StreamConfig, name: str) -> None:
    """Connect to the first broker that can be had, and let it go again.

    The library's own start tells "unreachable" for every failure, a wrong password too. Raises
    SinkUnavailable with each broker's reason, SinkMisfit if one refused us.
    """
    options = _options(config, name)
    reasons = []
    for broker in config.brokers:
        host, _, port = broker.rpartition(":")
        connection = AIOKafkaConnection(host.strip("[]"), int(port), **options)
        try:
            await connection.connect()
        except REFUSED as error:
            await _let_go(connection, error)
            raise SinkMisfit(f"Kafka at {broker} refuses the relay: {said(error)}") from error
        except (OSError, errors.KafkaError) as error:
            await _let_go(connection, error)
            reasons.append(f"{broker}: {said(error)}")
        else:
            await _let_go(connection, None)
            return
    raise SinkUnavailable(f"no broker of Kafka can be reached: {'; '.join(reasons)}")


async def _let_go(connection: Any, error: Exception | None) -> None:
    """Close it, and wait for that, or its loop ends before and leaves the socket open."""
    closed = connection.close()
    if not isinstance(error, OSError):  # which says that there was no connection yet
        await asyncio.wait([closed], timeout=CLOSE_S)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn the library's exceptions into the port's; what: "write to Kafka", for the text."""
    try:
        yield
    except FENCED as error:
        raise Fenced(f"cannot {what}: another relay took over") from error
    except REFUSED as error:
        raise SinkMisfit(f"cannot {what}: {said(error)}") from error
    except TimeoutError as error:
        raise SinkUnavailable(f"cannot {what}: no answer in time") from error
    # The library asserts on its transaction's state, or calls a step illegal, where a background task failed.
    except (errors.KafkaError, errors.IllegalOperation, OSError, AssertionError) as error:
        raise SinkUnavailable(f"cannot {what}: {said(error)}") from error


def said(error: BaseException) -> str:
    """The error in one line, named where its text says nothing."""
    text = str(error).strip()
    name = type(error).__name__
    return text if name in text else f"{name}: {text}" if text else name
