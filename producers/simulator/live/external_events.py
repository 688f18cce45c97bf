"""Sends events of external systems (sellers, carriers, reviews) to Kafka directly."""

from collections.abc import Mapping
from random import Random
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from common.clock import Clock, to_millis
from common.ids import new_id
from producers.feed.timeline_sender import FeedMessage, bulk_producer_config, event_headers
from producers.simulator.delivery import draw_delays
from producers.simulator.live.held_back import HeldBack
from producers.simulator.status import SimulatorStatus
from schemas.codec import Encoder
from schemas.events import all_events


class ExternalEventProducer:
    """A producer of single events, which sends some late and some twice.

    Call `poll` regularly: it sends the events that are due and processes delivery reports.
    """

    def __init__(
        self,
        bootstrap: str,
        schema_ids: Mapping[str, int],
        status: SimulatorStatus,
        clock: Clock,
        random: Random,
    ) -> None:
        self._producer = Producer(bulk_producer_config(bootstrap))
        self._encoders = {name: Encoder(event, schema_ids[name]) for name, event in all_events().items()}
        self._status, self._clock, self._random = status, clock, random
        self._held_back: HeldBack[tuple[str, FeedMessage]] = HeldBack()

    def send(self, name: str, correlation: str, **fields: Any) -> None:
        """Send an event with the current time. `fields` are the schema's fields after `occurred_at`."""
        event_id = new_id()
        record = {"event_id": event_id, "occurred_at": to_millis(self._clock()), **fields}
        message = FeedMessage(
            fields[all_events()[name].key].encode(),
            self._encoders[name].encode(record),
            event_headers(correlation, event_id, None),
        )
        for delay_s in draw_delays(name, self._random):
            if delay_s:
                self._held_back.add((name, message), delay_s)
            else:
                self._produce(name, message)

    def poll(self) -> None:
        """Send the events that are due, and process delivery reports."""
        for topic, message in self._held_back.due():
            self._produce(topic, message)
        self._producer.poll(0)

    def close(self, timeout_s: float) -> None:
        """Send the events that were held back, and wait up to `timeout_s` for the delivery of all."""
        for topic, message in self._held_back.all():
            self._produce(topic, message)
        left = self._producer.flush(timeout_s)
        if left:
            self._status.record_error("kafka", "not delivered before the end", left)

    def _produce(self, topic: str, message: FeedMessage) -> None:
        try:
            self._producer.produce(
                topic, message.value, message.key, on_delivery=self._delivered, headers=[*message.headers]
            )
        except BufferError:
            self._status.record_error("kafka", "dropped while Kafka was unavailable")

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._status.record_sent(str(message.topic()), "kafka")
        else:
            self._status.record_error("kafka", error.str())
