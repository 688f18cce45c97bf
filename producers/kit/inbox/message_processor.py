"""Processes each message exactly once in effect: its id and its effect commit in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from time import perf_counter
from typing import Literal

import structlog

from common.correlation import bound_chain, span_id_of
from common.errors import Rejected
from common.metrics import INBOX_MESSAGES, INBOX_SECONDS, UNEXPECTED_ERRORS
from common.settings import Settings
from common.tracing import trace_span
from producers.kit.backoff import Backoff
from producers.kit.inbox.subscription import InboundEvent, Subscription, UnexpectedError
from producers.kit.outbox.dead_letter_message import dead_letter_message
from producers.kit.outbox.message import OutboxMessage
from producers.kit.outbox.transaction import AlreadyProcessed, Transaction, Transactions
from producers.kit.postgres.errors import INVALID, RETRYABLE
from producers.kit.postgres.pruning import prune
from producers.kit.postgres.statements import statement

log = structlog.get_logger()

EventOutcome = Literal["acted", "repeated", "rejected"]

MAX_ATTEMPTS = 5
"""A message is dead-lettered after this many unexpected errors; with back-off, after 1 to 2 s."""


class MessageProcessor:
    """Runs the handlers of one service's subscriptions on its database."""

    def __init__(
        self, service: str, subscriptions: Mapping[str, Subscription], transactions: Transactions
    ) -> None:
        self._service = service
        self._subscriptions = subscriptions
        self._transactions = transactions
        for topic in subscriptions:
            UNEXPECTED_ERRORS.labels(service, topic)  # creates the series with 0, which the alert needs

    async def process_batch(self, batch: Sequence[InboundEvent]) -> None:
        """Process messages of one partition in order, in one transaction if their subscription allows it."""
        if (
            len(batch) > 1
            and self._subscriptions[batch[0].topic].batchable
            and await self._process_in_one_transaction(batch)
        ):
            return
        for event in batch:
            trace, parent = event.trace, span_id_of(event.headers.get("traceparent"))
            with (
                bound_chain(trace.correlation_id, trace.trace_id),
                trace_span(
                    self._service, f"process {event.topic}", "consumer", trace.trace_id, parent
                ) as span,
            ):
                await self.process(event)
                if span is not None:
                    span.attributes |= event.attributes

    async def _process_in_one_transaction(self, batch: Sequence[InboundEvent]) -> bool:
        """Return True if all messages were processed; otherwise roll back and return False.

        The time of the transaction counts for its messages in equal parts.
        """
        started = perf_counter()
        try:
            async with self._transactions.begin(batch[0].trace) as tx:
                outcomes = []
                for event in batch:
                    tx.trace = event.trace
                    outcomes.append(await self._apply(tx, event))
        except Exception:
            return False  # `process` runs the messages one by one and handles the error
        seconds = (perf_counter() - started) / len(batch)
        for event, outcome in zip(batch, outcomes, strict=True):
            self._count_processed(event, outcome, seconds)
        return True

    async def process(self, event: InboundEvent) -> None:
        """Process one message. Later messages of its partition are processed after it.

        Transient errors are retried with back-off for as long as they last. A rejected message is
        dead-lettered at once. After an unexpected error, it is dead-lettered after `MAX_ATTEMPTS`.

        Raises:
            Exception: the dead letter can't be written either.
        """
        backoff = Backoff(f"{self._service} consumer")
        attempts, rejection = 0, None
        while True:
            started = perf_counter()
            try:
                if rejection is None:
                    outcome = await self._attempt(event)
                else:
                    outcome = await self._reject(event, rejection)
                break
            except RETRYABLE as error:
                self._count(event, "retried")
                await backoff.wait(error)
            except Exception as error:
                attempts += 1
                if attempts > MAX_ATTEMPTS:
                    raise
                log.exception("unexpected error", service=self._service, location=event.location)
                if attempts < MAX_ATTEMPTS:
                    self._count(event, "retried")
                    await backoff.wait(error)
                else:
                    rejection = UnexpectedError.after(attempts, error)
        backoff.reset()
        seconds = perf_counter() - started
        self._count_processed(event, outcome, seconds)
        log.info(
            "processed",
            service=self._service,
            location=event.location,
            outcome=outcome,
            duration_ms=round(seconds * 1000, 1),
        )

    async def _attempt(self, event: InboundEvent) -> EventOutcome:
        try:
            async with self._transactions.begin(event.trace, event.identity) as tx:
                return await self._apply(tx, event)
        except AlreadyProcessed:
            return "repeated"
        except Rejected as rejection:
            return await self._reject(event, rejection)
        except INVALID as error:
            return await self._reject(event, Rejected(f"PostgreSQL can't store its values: {error}"))

    async def _apply(self, tx: Transaction, event: InboundEvent) -> EventOutcome:
        """Record the event's id and run its handler."""
        record = event.record
        if isinstance(record, Rejected):
            raise record
        subscription = self._subscriptions[event.topic]
        if subscription.records_event:
            await subscription.handler(tx, record)
            if tx.event is not None:
                raise RuntimeError(
                    f"the handler of {event.topic} in {self._service} ended without recording it"
                )
        elif await _record_event(tx, record["event_id"], event.topic):
            await subscription.handler(tx, record)
        else:
            return "repeated"
        return "acted"

    async def _reject(self, event: InboundEvent, rejection: Rejected) -> EventOutcome:
        """Dead-letter a message once. Its event id is not recorded, so that a replay processes it."""
        log.warning("rejected", service=self._service, location=event.location, reason=str(rejection))
        try:
            outcome = await self._send(event, dead_letter(event, self._service, rejection))
        except RETRYABLE:
            raise
        except Exception:  # the message can't be stored: write a dead letter with its location only
            outcome = await self._send(event, dead_letter(event, self._service, rejection, minimal=True))
        if outcome == "rejected" and isinstance(rejection, UnexpectedError):
            UNEXPECTED_ERRORS.labels(self._service, event.topic).inc()
        return outcome

    async def _send(self, event: InboundEvent, letter: OutboxMessage) -> EventOutcome:
        async with self._transactions.begin(event.trace) as tx:
            is_new = await _record_event(tx, event.message_id, event.topic)
            if is_new:
                tx.send(letter)
        return "rejected" if is_new else "repeated"

    def _count_processed(self, event: InboundEvent, outcome: str, seconds: float) -> None:
        INBOX_SECONDS.labels(self._service, event.topic).observe(seconds)
        self._count(event, outcome)

    def _count(self, event: InboundEvent, outcome: str) -> None:
        INBOX_MESSAGES.labels(self._service, event.topic, outcome).inc()


def dead_letter(
    event: InboundEvent, service: str, rejection: Rejected, *, minimal: bool = False
) -> OutboxMessage:
    """Return the message for `<topic>_dlq`: the original with the reason and the service as headers.

    A `minimal` one has no key, value and headers of the message, for one that can't be stored.
    """
    return dead_letter_message(
        event.topic,
        None if minimal else _bytes(event.message.key()),
        None if minimal else _bytes(event.message.value()),
        {} if minimal else event.headers,
        reason=str(rejection),
        stage=service,
        came_from=event.location,
        traceback=rejection.traceback if isinstance(rejection, UnexpectedError) else "",
    )


def _bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text


@statement("""
    INSERT INTO inbox (id, topic) VALUES ($event_id::text, $topic::text)
    ON CONFLICT (id) DO NOTHING
    RETURNING true
""")
async def _record_event(tx: Transaction, event_id: str, topic: str) -> bool:
    """Return whether the event is new. Waits for another transaction that is processing the same event."""


PRUNE_INBOX = """
DELETE FROM inbox
WHERE id IN (
    SELECT id FROM inbox WHERE acted_at < now() - $1::interval AND topic <> ALL($3::text[]) LIMIT $2::integer
)
"""
"""A DELETE for `producers.kit.postgres.pruning.prune`; `$3` are topics whose ids stay."""


async def prune_inbox(
    service: str, subscriptions: Iterable[Subscription], transactions: Transactions, settings: Settings
) -> None:
    """Delete ids of processed events once Kafka can't deliver the events again, until cancelled.

    They are older than the setting `inbox_days`. Ids of `never_prune` events stay.
    """
    age = timedelta(days=settings.inbox_days)
    await prune(f"{service} inbox", transactions, PRUNE_INBOX, age, never_pruned_topics(subscriptions))


def never_pruned_topics(subscriptions: Iterable[Subscription]) -> list[str]:
    """Return the topics whose event ids are never deleted."""
    return [each.event for each in subscriptions if each.never_prune]
