"""Sends events of external systems (sellers, carriers, reviews) to Kafka directly."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from common.clock import Clock, to_millis
from common.ids import new_id
from producers.feed.messages import event_headers
from producers.feed.timeline_producer import bulk_producer_config
from producers.simulator.status import SimulatorStatus
from schemas.codec import Encoder
from schemas.events import all_events


class ExternalEventProducer:
    """A producer of single events. Call `poll` regularly to process delivery reports."""

    def __init__(
        self, bootstrap: str, schema_ids: Mapping[str, int], status: SimulatorStatus, clock: Clock
    ) -> None:
        self._producer = Producer(bulk_producer_config(bootstrap))
        self._encoders = {name: Encoder(event, schema_ids[name]) for name, event in all_events().items()}
        self._status, self._clock = status, clock

    def send(self, name: str, correlation: str, **fields: Any) -> None:
        """Send an event with the current time. `fields` are the schema's fields after `occurred_at`."""
        event_id = new_id()
        record = {"event_id": event_id, "occurred_at": to_millis(self._clock()), **fields}
        try:
            self._producer.produce(
                name,
                self._encoders[name].encode(record),
                fields[all_events()[name].key].encode(),
                on_delivery=self._delivered,
                headers=[*event_headers(correlation, event_id, None)],
            )
        except BufferError:
            self._status.record_error("kafka", "dropped while Kafka was unavailable")

    def poll(self) -> None:
        """Process delivery reports."""
        self._producer.poll(0)

    def close(self, timeout_s: float) -> None:
        """Wait up to `timeout_s` for the delivery of queued events."""
        left = self._producer.flush(timeout_s)
        if left:
            self._status.record_error("kafka", "not delivered before the end", left)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._status.record_sent(str(message.topic()), "kafka")
        else:
            self._status.record_error("kafka", error.str())
