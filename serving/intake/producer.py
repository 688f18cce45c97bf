"""Puts messages into Kafka and waits until every replica that must has them."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import structlog
from confluent_kafka import KafkaError, Producer

from common.patience import PATIENCE_S
from serving.intake.messages import Message
from serving.problems import KafkaUnavailable

CONFIG = {
    "enable.idempotence": True,  # acks=all, in order, no duplicate by retrying
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.timeout.ms": int(PATIENCE_S * 1000),
    "queue.buffering.max.messages": 50_000,
    "log_level": 0,
}
AWAY = (
    f"Kafka did not take all events within {PATIENCE_S:g} seconds. Send the same events again, with an "
    "event_id each: what was taken already then counts once."
)
_POLL_S = 0.1
_FLUSH_S = PATIENCE_S + 1

log = structlog.get_logger()


class EventProducer:
    """One producer with a thread that hears what became of its messages. Connects with the first message."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Producer | None = None
        self._closing = threading.Event()
        self._listener = threading.Thread(target=self._listen, name="event-producer", daemon=True)

    async def send(self, messages: Sequence[Message]) -> None:
        """Send all; returns when Kafka has acknowledged each.

        Raises:
            KafkaUnavailable: it did not take all of them in time; it may have taken some.
        """
        if not messages:
            return
        producer = self._connected()
        loop = asyncio.get_running_loop()
        batch = _Batch(loop, len(messages))
        produce, delivered = producer.produce, batch.delivered
        try:
            for topic, key, value, headers in messages:
                produce(topic, value, key, on_delivery=delivered, headers=headers)
        except BufferError as error:
            raise KafkaUnavailable(AWAY) from error
        failed = await batch.outcome
        if failed:
            log.error("events were not taken", reason=failed)
            raise KafkaUnavailable(AWAY)

    async def aclose(self) -> None:
        """Wait for what is on its way, and stop."""
        if self._producer is None:
            return
        if left := await asyncio.to_thread(self._producer.flush, _FLUSH_S):
            log.error("events were not taken", reason="stopped before Kafka had them", left=left)
        self._closing.set()
        await asyncio.to_thread(self._listener.join)

    def _connected(self) -> Producer:
        if self._producer is None:
            self._producer = Producer({**CONFIG, "bootstrap.servers": self._bootstrap})
            self._listener.start()
        return self._producer

    def _listen(self) -> None:
        while self._producer and not self._closing.is_set():
            self._producer.poll(_POLL_S)


class _Batch:
    """Counts the deliveries of one `send`, in the listener's thread, and wakes it at the last."""

    def __init__(self, loop: asyncio.AbstractEventLoop, size: int) -> None:
        self._loop = loop
        self._left = size
        self._failed = ""
        self.outcome: asyncio.Future[str] = loop.create_future()

    def delivered(self, error: KafkaError | None, _message: Any) -> None:
        """Called once for each message."""
        if error is not None:
            self._failed = error.str()
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        if not self.outcome.done():  # whoever asked may be gone
            self.outcome.set_result(self._failed)
