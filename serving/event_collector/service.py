"""Accepts a batch of browsing events: validates each, and returns once Kafka has stored the valid ones."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence, Set
from typing import Any

from common.clock import Clock
from common.correlation import trace_id_of
from common.errors import SoukError
from common.ids import new_id
from common.metrics import EVENTS_TAKEN, RECOMMENDATION_CLICKS, RECOMMENDATION_IMPRESSIONS
from common.problems import PartProblem, describe_problem, problem
from common.settings import Settings
from producers.kit.outbox.trace import Trace
from schemas.codec import Encoder
from schemas.events import all_events
from serving.event_collector.schemas import EventProblem, IntakeResult, RejectedEvent
from serving.event_collector.validation import (
    EVENT_TOO_LARGE,
    BadEvent,
    ValidEvent,
    check_visitor,
    is_about_own_offer,
    validate_event,
)
from serving.event_collector.validators import BROWSING
from serving.kit.event_producer import EventMessage, EventProducer, registered_encoders

REGISTRY_UNAVAILABLE = problem(
    503,
    "registry-unavailable",
    "Events can't be accepted right now",
    "{error}. Send the same events again.",
    retry_after_s=5,
    error=PartProblem,
)

MAX_EVENT_BYTES = 900_000
"""The largest encoded event. With its key and headers it stays below Kafka's limit of 1,000,000 bytes."""


def encode_event(checked: ValidEvent, encoder: Encoder, trace_id: str) -> EventMessage:
    """Return an event as a message. Its correlation id is the session id.

    `trace_id` is the trace id of the request. If it is empty, the event starts a new trace.

    Raises:
        EVENT_TOO_LARGE: the encoded event exceeds `MAX_EVENT_BYTES`.
    """
    record = checked.record
    value = encoder.encode(record)
    if len(value) > MAX_EVENT_BYTES:
        raise EVENT_TOO_LARGE(detail=f"{len(value):,} bytes; an event has at most {MAX_EVENT_BYTES:,}")
    headers = Trace(record["session_id"], None, trace_id).headers(record["event_id"])
    return EventMessage(
        checked.event, record[all_events()[checked.event].key].encode(), value, list(headers.items())
    )


YIELD_EVERY = 20
"""The number of events after which other requests run. Validating a batch of 500 takes about 10 ms."""


class EventIntake:
    """Accepts browsing events. It connects to Kafka and the registry with the first batch."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self.producer = EventProducer(settings.kafka)
        """The connection to Kafka, which the log of recommendations shares."""
        self._encoders: dict[str, Encoder] = {}
        self._registering = asyncio.Lock()

    async def aclose(self) -> None:
        """Wait for messages that are in flight, and stop."""
        await self.producer.aclose()

    async def take(
        self,
        events: Sequence[Any],
        traceparent: str | None = None,
        visitor_ids: Set[str] | None = None,
        own_seller_ids: Set[str] = frozenset(),
    ) -> IntakeResult:
        """Validate events and send the valid ones; `rejected` says what is wrong with the others.

        `visitor_ids` are the sessions and shoppers of which the sender may tell; None means all. Events about
        offers of `own_seller_ids`, for which the sender works, are left out.

        Raises:
            KafkaUnavailable: Kafka did not acknowledge them in time.
            REGISTRY_UNAVAILABLE: the registry does not return the ids of the schemas.
        """
        now, trace_id = self._clock(), trace_id_of(traceparent)
        messages: list[EventMessage] = []
        accepted: list[ValidEvent] = []
        rejected: list[RejectedEvent] = []
        left_out = 0
        for index, sent in enumerate(events):
            try:
                checked = validate_event(sent, now, new_id)
                if visitor_ids is not None:
                    check_visitor(checked, visitor_ids)
                if is_about_own_offer(checked, own_seller_ids):
                    left_out += 1
                    EVENTS_TAKEN.labels(checked.event, "left_out").inc()
                    continue
                encoders = self._encoders or await self._ready_encoders()
                messages.append(encode_event(checked, encoders[checked.event], trace_id))
                accepted.append(checked)
            except BadEvent as reason:
                rejected.append({"index": index, "problem": _event_problem(reason)})
                EVENTS_TAKEN.labels(_label(sent), "rejected").inc()
            if index % YIELD_EVERY == YIELD_EVERY - 1:
                await asyncio.sleep(0)
        await self.producer.send(messages)
        for event, count in Counter(message.topic for message in messages).items():
            EVENTS_TAKEN.labels(event, "accepted").inc(count)
        count_recommendations(accepted)
        return {
            "accepted": len(accepted),
            "event_ids": [each.record["event_id"] for each in accepted],
            "left_out": left_out,
            "rejected": rejected,
        }

    async def _ready_encoders(self) -> dict[str, Encoder]:
        async with self._registering:
            if not self._encoders:
                try:
                    self._encoders = await asyncio.to_thread(
                        registered_encoders, self._settings.registry, BROWSING
                    )
                except SoukError as error:
                    raise REGISTRY_UNAVAILABLE(error=error) from error
        return self._encoders


def _event_problem(reason: BadEvent) -> EventProblem:
    problem = describe_problem(reason)
    return EventProblem(type=problem.type, title=problem.title, status=problem.status, detail=problem.detail)


def _label(sent: Any) -> str:
    name = sent.get("event") if isinstance(sent, dict) else None
    return name if name in BROWSING else "other"


SURFACES = frozenset({"home", "product", "cart", "order", "search", "email"})
"""Where recommendations are shown, as the schema of `recommendation_shown` says. A client may send any text,
and each label stays in memory, so all others count as `other`."""


def count_recommendations(accepted: Iterable[ValidEvent]) -> None:
    """Count the products of lists that came into view, and clicks on them, by surface."""
    for each in accepted:
        if each.event == "recommendation_shown":
            RECOMMENDATION_IMPRESSIONS.labels(_surface(each)).inc(len(each.record["items"]))
        elif each.event == "recommendation_clicked":
            RECOMMENDATION_CLICKS.labels(_surface(each)).inc()


def _surface(event: ValidEvent) -> str:
    surface: str = event.record["surface"]
    return surface if surface in SURFACES else "other"
