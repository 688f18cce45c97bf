"""Sends messages to Kafka and waits until all in-sync replicas have stored them."""

import asyncio
import threading
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import structlog
from confluent_kafka import KafkaError, Producer

from common.kafka_producer import producer_config
from common.timeouts import PEER_TIMEOUT_S
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.registry import SchemaRegistry
from serving.kit.circuit_breaker import BreakerOpen, CircuitBreaker
from serving.kit.problems import KafkaUnavailable

NOT_ACKNOWLEDGED = (
    f"Kafka did not accept all events within {PEER_TIMEOUT_S:g} seconds. Send the same events again, with an "
    "event_id each, so that an event that was accepted already counts once."
)
_POLL_S = 0.1
_FLUSH_S = PEER_TIMEOUT_S + 1

log = structlog.get_logger()


def registered_encoders(registry_url: str, names: Iterable[str]) -> dict[str, Encoder]:
    """Return the encoder of each of these events, whose schemas are registered. It blocks.

    Raises:
        SoukError: the registry does not answer.
    """
    events = [all_events()[name] for name in names]
    with SchemaRegistry(registry_url) as registry:
        return {event.name: Encoder(event, registry.register(event.subject, event.text)) for event in events}


class EventMessage(NamedTuple):
    """A Kafka message."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, str | bytes | None]]


class EventProducer:
    """A producer with a thread that polls delivery reports. It connects when the first message is sent."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Producer | None = None
        self.breaker = CircuitBreaker("kafka", (KafkaUnavailable,))
        self._closing = threading.Event()
        self._poller = threading.Thread(target=self._poll, name="event-producer", daemon=True)

    async def send(self, messages: Sequence[EventMessage]) -> None:
        """Send all messages, and return once Kafka has acknowledged each.

        Raises:
            KafkaUnavailable: Kafka did not acknowledge all of them in time. It may have stored some.
        """
        if not messages:
            return
        try:
            with self.breaker.attempt():
                await self._send(messages)
        except BreakerOpen as error:
            raise KafkaUnavailable(
                f"Kafka does not accept events. Send the same events again in {error.retry_after_s} s.",
                error.retry_after_s,
            ) from error

    async def _send(self, messages: Sequence[EventMessage]) -> None:
        producer = self._connected()
        batch = _DeliveryBatch(asyncio.get_running_loop(), len(messages))
        produce, delivered = producer.produce, batch.delivered
        try:
            for topic, key, value, headers in messages:
                produce(topic, value, key, on_delivery=delivered, headers=headers)
        except BufferError as error:
            raise KafkaUnavailable(NOT_ACKNOWLEDGED) from error
        error_text = await batch.outcome
        if error_text:
            log.error("events were not accepted", reason=error_text)
            raise KafkaUnavailable(NOT_ACKNOWLEDGED)

    async def aclose(self) -> None:
        """Wait for messages that are in flight, and stop."""
        if self._producer is None:
            return
        if left := await asyncio.to_thread(self._producer.flush, _FLUSH_S):
            log.error("events were not accepted", reason="stopped before Kafka had stored them", left=left)
        self._closing.set()
        await asyncio.to_thread(self._poller.join)

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer(
                {
                    **producer_config(self._bootstrap, linger_ms=5, delivery_timeout_s=PEER_TIMEOUT_S),
                    "queue.buffering.max.messages": 50_000,
                }
            )
            self._poller.start()
        return self._producer

    def _poll(self) -> None:
        while self._producer and not self._closing.is_set():
            self._producer.poll(_POLL_S)


class _DeliveryBatch:
    """Counts the delivery reports of one `send` in the polling thread. The last report resolves `outcome`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self._loop = loop
        self._left = size
        self._error_text = ""
        self.outcome: asyncio.Future[str] = loop.create_future()
        """The text of the last error; empty if Kafka acknowledged all messages."""

    def delivered(self, error: KafkaError | None, _message: Any) -> None:
        """Count the delivery report of one message."""
        if error is not None:
            self._error_text = error.str()
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon_threadsafe(self._resolve)

    def _resolve(self) -> None:
        if not self.outcome.done():  # it is cancelled if the client has disconnected
            self.outcome.set_result(self._error_text)
