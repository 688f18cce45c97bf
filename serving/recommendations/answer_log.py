"""Logs each answer as an event, after it was sent: which products, by which strategy, with which chances.

The log never slows an answer down. While Kafka is away, or the queue is full, answers are dropped and
counted.
"""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter

import structlog

from common.errors import SoukError
from common.experiments.assignment import Assignment
from common.metrics import ANSWERS_LOGGED
from common.problems import Problem
from common.settings import Settings
from producers.kit.outbox.trace import Trace
from schemas.codec import Encoder, NotEncodable, Record
from schemas.published_model.weights import BLENDED
from schemas.services import OTHERS
from serving.kit.domain import stop_task
from serving.kit.event_producer import EventMessage, EventProducer, registered_encoders
from serving.recommendations.schemas import AskedSource, Item
from serving.recommendations.scoring import Seed

(EVENT,) = OTHERS["serving/recommendations"].emits

QUEUE_LENGTH = 5_000
"""The largest number of answers that wait; about 20 MB."""

BATCH = 200
"""The largest number of answers that are sent together."""

BATCH_DELAY_S = 0.2
YIELD_EVERY = 20
"""The number of answers after which other requests run. Encoding one takes about 60 µs."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to log.

    `propensities` has the chance with which each item has its place. `alternatives` is strategy → the ids of
    its list, best first; empty unless the answer explores. `answer_ms` is the time in milliseconds from the
    request until the list was chosen, and `parts` is what each source did that was asked.
    """

    recommendation_id: str
    answered_at: datetime
    visitor_id: str
    surface: str
    anchor_product_id: str | None
    assignment: Assignment
    strategy: str
    model_version: str | None
    seeds: Sequence[Seed]
    items: Sequence[Item]
    propensities: Sequence[float]
    alternatives: Mapping[str, Sequence[str]]
    answer_ms: float
    parts: Sequence[AskedSource]


def ms_since(started: float) -> float:
    """Return the milliseconds since a value of `perf_counter`."""
    return (perf_counter() - started) * 1_000


def record_of(answer: Answer) -> Record:
    """Return the event of an answer. Its id is that of the list, because each list is answered once."""
    return {
        "event_id": answer.recommendation_id,
        "occurred_at": answer.answered_at,
        "recommendation_id": answer.recommendation_id,
        "visitor_id": answer.visitor_id,
        "surface": answer.surface,
        "anchor_product_id": answer.anchor_product_id,
        "experiment": answer.assignment.experiment,
        "arm": answer.assignment.arm,
        "arm_propensity": answer.assignment.propensity,
        "strategy": answer.strategy,
        "model_version": answer.model_version,
        "is_explored": bool(answer.alternatives),
        "seeds": [{"product_id": seed.product_id, "weight": seed.weight} for seed in answer.seeds],
        "items": [
            {
                "position": position,
                "product_id": item["product_id"],
                "seller_id": item["seller_id"],
                "score": item["score"],
                "source": _source(item),
                "propensity": propensity,
                **{source: item["sources"].get(source) for source in BLENDED},
            }
            for position, (item, propensity) in enumerate(
                zip(answer.items, answer.propensities, strict=True), 1
            )
        ],
        "alternatives": [
            {"strategy": strategy, "position": position, "product_id": product_id}
            for strategy, product_ids in answer.alternatives.items()
            for position, product_id in enumerate(product_ids, 1)
        ],
        "answer_ms": round(answer.answer_ms, 3),
        "passed_over": [
            {"source": part["source"], "reason": part["reason"]}
            for part in answer.parts
            if part["reason"] is not None
        ],
    }


def _source(item: Item) -> str:
    """Return the sources that proposed a product, or the kind of the rule if it is sponsored or inserted."""
    if item["sponsored"] or not item["sources"]:
        return item["reason"]["kind"]
    return "+".join(item["sources"])


class AnswerLog:
    """A bounded queue of answers, and a task that sends them to Kafka."""

    def __init__(self, settings: Settings, producer: EventProducer, queue_length: int = QUEUE_LENGTH) -> None:
        self._registry = settings.registry
        self._producer = producer
        self._queue: deque[Answer] = deque()
        self._queue_length = queue_length
        self._filled = asyncio.Event()
        self._encoders: dict[str, Encoder] = {}
        self._is_failing = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to send."""
        self._task = asyncio.create_task(self._run(), name="log of recommendations")

    def put(self, answer: Answer) -> None:
        """Add an answer to the queue. Returns at once; a full queue drops the answer."""
        if len(self._queue) >= self._queue_length:
            ANSWERS_LOGGED.labels("dropped").inc()
            return
        self._queue.append(answer)
        self._filled.set()

    async def aclose(self) -> None:
        """Stop after one attempt to send what is in the queue."""
        await stop_task(self._task)
        while self._queue and not self._is_failing:
            await self._send_batch()

    async def _run(self) -> None:
        while True:
            await self._filled.wait()
            await asyncio.sleep(BATCH_DELAY_S)
            await self._send_batch()
            if not self._queue:
                self._filled.clear()

    async def _send_batch(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
        try:
            self._encoders = self._encoders or await asyncio.to_thread(
                registered_encoders, self._registry, (EVENT,)
            )
            messages = []
            for number, answer in enumerate(batch, 1):
                if message := message_of(answer, self._encoders[EVENT]):
                    messages.append(message)
                if number % YIELD_EVERY == 0:
                    await asyncio.sleep(0)
            await self._producer.send(messages)
        except (SoukError, Problem) as error:
            ANSWERS_LOGGED.labels("dropped").inc(len(batch))
            if not self._is_failing:
                log.warning("answers are not logged", reason=str(error), dropped=len(batch))
            self._is_failing = True
        else:
            ANSWERS_LOGGED.labels("logged").inc(len(messages))
            self._is_failing = False


def message_of(answer: Answer, encoder: Encoder) -> EventMessage | None:
    """Return the message of an answer; None if it does not fit the event, which is a defect of this code."""
    headers = Trace(answer.recommendation_id).headers(answer.recommendation_id)
    try:
        value = encoder.encode(record_of(answer))
    except NotEncodable as error:
        ANSWERS_LOGGED.labels("dropped").inc()
        log.error("an answer is not logged", reason=str(error), answer=answer.recommendation_id)
        return None
    return EventMessage(EVENT, answer.recommendation_id.encode(), value, list(headers.items()))
