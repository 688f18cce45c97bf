"""Events of sellers' and carriers' systems, which speak to Kafka directly."""

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, Message, Producer

from common.clock import Clock, to_millis
from common.ids import new_id
from producers.feed.feed import PRODUCER
from producers.feed.messages import headers_of
from producers.simulator.status import Status
from schemas.codec import Encoder
from schemas.events import all_events


class Outside:
    """Sends events one by one. Call `look` now and then, so that deliveries are heard of."""

    def __init__(self, bootstrap: str, schema_ids: Mapping[str, int], status: Status, clock: Clock) -> None:
        self._producer = Producer({**PRODUCER, "bootstrap.servers": bootstrap})
        self._encoders = {name: Encoder(event, schema_ids[name]) for name, event in all_events().items()}
        self._status, self._clock = status, clock

    def send(self, name: str, correlation: str, **fields: Any) -> None:
        """An event that happens now; `fields` are the schema's after `occurred_at`."""
        event_id = new_id()
        record = {"event_id": event_id, "occurred_at": to_millis(self._clock()), **fields}
        try:
            self._producer.produce(
                name,
                self._encoders[name].encode(record),
                fields[all_events()[name].key].encode(),
                on_delivery=self._delivered,
                headers=[*headers_of(correlation, event_id, None)],
            )
        except BufferError:
            self._status.failed("kafka", "given up while Kafka was away")

    def look(self) -> None:
        """Hear what became of events."""
        self._producer.poll(0)

    def close(self, timeout_s: float) -> None:
        """Wait that long for what is on its way."""
        left = self._producer.flush(timeout_s)
        if left:
            self._status.failed("kafka", "not delivered before the end", left)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._status.sent(str(message.topic()), "kafka")
        else:
            self._status.failed("kafka", error.str())
