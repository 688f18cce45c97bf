"""Reads the dead-letter topics, summarises them, and replays or discards their dead letters."""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from itertools import takewhile

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from common.clock import from_millis
from common.errors import PartUnavailable, UserError
from common.kafka import messages_and_ends, offset_range, reader_config
from common.kafka_errors import retry_while_retriable
from common.kafka_producer import producer_config
from common.resolved_offsets import RESOLVING_GROUP, ResolvedOffsets
from producers.kit.inbox.subscription import ONLY_FOR, headers_of, key_of
from producers.kit.outbox.dead_letter_message import CAME_FROM, REASON, STAGE, TRACEBACK, TRUNCATED_FROM
from schemas.events import all_events
from schemas.topics import JOB_OUTPUTS

DEAD_LETTER_HEADERS = frozenset(
    {REASON, STAGE, CAME_FROM, TRACEBACK, TRUNCATED_FROM, "content_type", ONLY_FOR}
)
"""Headers that a dead letter has in addition to those of its message."""

_PARTITION = 0
_TIMEOUT_S = 20.0
_MAX_BUFFERED_KB = 4_096
"""Kilobytes of messages that Kafka's client reads ahead, and of those that it has not sent yet."""

_MAX_PAUSE_S = 0.5
_BEGIN_AGAIN = (
    *(KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.PRODUCER_FENCED),
    KafkaError.UNKNOWN,  # the broker ends a transaction that another producer is fencing
)
"""Errors of a producer after another one has begun with the same transactional id."""

MAX_REASONS = 1_000
"""Different reasons of a topic that are counted. One that appears later can't become the most frequent."""


@dataclass(frozen=True)
class DeadLetter:
    """One dead letter."""

    offset: int
    written_at: datetime
    key: str
    value: bytes | None
    headers: dict[str, str]

    @property
    def stage(self) -> str:
        """What rejected the message: a service, or a job's `decode`, `clickhouse`, `redis` or `time`."""
        return self.headers.get(STAGE, "")

    @property
    def reason(self) -> str:
        """Why the message was rejected."""
        return self.headers.get(REASON, "")

    @property
    def is_truncated(self) -> bool:
        """Whether the message was too large and was truncated. Such a letter can't be replayed."""
        return TRUNCATED_FROM in self.headers


def dead_letter_topics() -> list[str]:
    """Return every dead-letter topic: those of the events, then those of the jobs' outputs."""
    return [f"{name}_dlq" for name in (*all_events(), *JOB_OUTPUTS)]


def dead_letter_topic(name: str) -> str:
    """Return the dead-letter topic for `order_placed` or `order_placed_dlq`.

    Raises:
        UserError: there is no such topic.
    """
    topic = f"{name.removesuffix('_dlq')}_dlq"
    if topic not in dead_letter_topics():
        raise UserError(f"there is no dead-letter topic of {name!r}: `./souk dlq list` shows the topics")
    return topic


class DeadLetterQueue(AbstractContextManager["DeadLetterQueue"]):
    """The dead-letter topics of one Kafka cluster. Use it as a context manager."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer = Consumer(
            {
                **reader_config(bootstrap, RESOLVING_GROUP),
                "fetch.wait.max.ms": 20,
                "queued.max.messages.kbytes": _MAX_BUFFERED_KB,
            }
        )

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def unresolved(self, topic: str, everything: bool = False) -> Iterator[DeadLetter]:
        """Yield the letters that are not resolved yet, oldest first; with `everything`, all letters.

        Only one such iterator of a queue may be in use.

        Raises:
            PartUnavailable: Kafka does not answer.
        """
        with self._kafka_errors():
            resolved = ResolvedOffsets(0) if everything else self._resolved(topic)
            for letter in self._letters(topic, resolved.before):
                if letter.offset not in resolved:
                    yield letter

    def replay(self, topic: str, offsets: Collection[int]) -> int:
        """Send letters to their original topic with their original headers; return how many were sent.

        Only the service that rejected a letter processes it again. Several jobs read one topic and share one
        stage, so their letters with the same stage, key and value are sent once. Truncated letters are
        skipped. All other letters are then resolved.

        A repeated replay is safe, because a service skips an event whose id it has recorded.

        Raises:
            UserError: the letters are rows of a table, not events; or the resolved offsets would form too
                many ranges.
            PartUnavailable: Kafka does not answer.
        """
        event = topic.removesuffix("_dlq")
        _require_event(event)
        with self._kafka_errors():
            letters = self._chosen(topic, frozenset(offsets))
            replayable = frozenset(letter.offset for letter in letters if not letter.is_truncated)
            if not replayable:
                return 0
            self._with_resolved(topic, replayable)  # raises before anything is sent
            sent = self._send(event, self._chosen(topic, replayable))
            self._resolve(topic, replayable)
        return sent

    def discard(self, topic: str, offsets: Collection[int]) -> None:
        """Mark letters as resolved without sending them. Their retention in Kafka does not change.

        Raises:
            UserError: the resolved offsets would form too many ranges.
            PartUnavailable: Kafka does not answer.
        """
        if offsets:
            with self._kafka_errors():
                self._resolve(topic, offsets)

    def _chosen(self, topic: str, offsets: Collection[int]) -> Iterator[DeadLetter]:
        """Yield the letters at these offsets."""
        if offsets:
            last = max(offsets)
            up_to_last = takewhile(lambda each: each.offset <= last, self._letters(topic, min(offsets)))
            yield from (letter for letter in up_to_last if letter.offset in offsets)

    def _resolved(self, topic: str) -> ResolvedOffsets:
        partitions = [TopicPartition(topic, _PARTITION)]
        (committed,) = retry_while_retriable(
            lambda: self._consumer.committed(partitions, _TIMEOUT_S), _TIMEOUT_S
        )
        return ResolvedOffsets.parse(committed.offset, committed.metadata)

    def _with_resolved(self, topic: str, offsets: Collection[int]) -> TopicPartition:
        """Return the offset and metadata to commit so that these letters become resolved."""
        resolved = self._resolved(topic)
        present = (letter.offset for letter in self._letters(topic, resolved.before))
        resolved = resolved.with_resolved(offsets, present)
        return TopicPartition(topic, _PARTITION, resolved.before, resolved.metadata)

    def _resolve(self, topic: str, offsets: Collection[int]) -> None:
        commit_exclusively(
            self._consumer, self._bootstrap, f"{RESOLVING_GROUP}_{topic}",
            lambda: self._with_resolved(topic, offsets), _TIMEOUT_S,
        )  # fmt: skip

    def _send(self, event: str, letters: Iterable[DeadLetter]) -> int:
        """Send letters, each distinct one once, and return how many were sent."""
        failed: list[KafkaError] = []
        sent: set[bytes] = set()
        config = producer_config(self._bootstrap, linger_ms=1, delivery_timeout_s=_TIMEOUT_S)
        producer = Producer(config | {"queue.buffering.max.kbytes": _MAX_BUFFERED_KB})
        for letter in letters:
            digest = _digest(letter)
            if digest in sent:
                continue
            sent.add(digest)
            headers: dict[str, str | bytes | None] = {ONLY_FOR: letter.stage}
            headers |= {
                name: value for name, value in letter.headers.items() if name not in DEAD_LETTER_HEADERS
            }
            produce = partial(
                producer.produce, event, letter.value, letter.key or None, headers=headers,
                on_delivery=lambda error, _message: failed.append(error) if error else None,
            )  # fmt: skip
            try:
                produce()
            except BufferError:
                producer.flush()
                produce()
        producer.flush()
        if failed:
            raise KafkaException(failed[0])
        return len(sent)

    def _letters(self, topic: str, start: int) -> Iterator[DeadLetter]:
        """Yield the letters from an offset on."""
        low, high = offset_range(self._consumer, TopicPartition(topic, _PARTITION), _TIMEOUT_S)
        if max(low, start) >= high:
            return
        self._consumer.assign([TopicPartition(topic, _PARTITION, max(low, start))])
        try:
            for message, is_end in messages_and_ends(self._consumer, _TIMEOUT_S):
                if is_end:
                    return
                yield _letter(message)
        finally:
            self._consumer.unassign()

    @contextmanager
    def _kafka_errors(self) -> Iterator[None]:
        try:
            yield
        except KafkaException as error:
            raise PartUnavailable(
                f"Kafka at {self._bootstrap} does not answer ({error.args[0].str()}): start it with "
                "`./souk up`, or set SOUK_KAFKA_BOOTSTRAP"
            ) from error


def _require_event(event: str) -> None:
    if job := JOB_OUTPUTS.get(event):
        raise UserError(
            f"dead letters of {event} are rows that ClickHouse or Redis refused, not events. Remove the "
            f"cause, start job `{job}` again from the first event, which writes the rows again "
            "(docs/decisions/restarting-jobs.md, `Not covered`), and run "
            f"`./souk dlq discard {event} --all`"
        )


def _digest(letter: DeadLetter) -> bytes:
    """Return what is equal for letters of which one is sent. A topic may have more than memory holds."""
    digest = sha256(repr((letter.stage, letter.key, letter.value is None)).encode())
    digest.update(letter.value or b"")
    return digest.digest()


def _letter(message: Message) -> DeadLetter:
    value = message.value()
    return DeadLetter(
        offset=message.offset() or 0,
        written_at=from_millis(message.timestamp()[1]),
        key=key_of(message),
        value=value.encode() if isinstance(value, str) else value,
        headers=headers_of(message),
    )


def commit_exclusively(
    consumer: Consumer,
    bootstrap: str,
    transactional_id: str,
    changed: Callable[[], TopicPartition],
    timeout_s: float,
) -> None:
    """Commit what `changed` returns, which reads the committed offset, for the consumer's group.

    All processes that change the same offset use the same id. If another one begins meanwhile, `changed` is
    called again.

    Raises:
        KafkaException: Kafka does not answer.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            _commit(consumer, bootstrap, transactional_id, changed, timeout_s)
            return
        except KafkaException as error:
            if error.args[0].code() not in _BEGIN_AGAIN or time.monotonic() >= deadline:
                raise
        time.sleep(random.uniform(0, _MAX_PAUSE_S))  # by chance, so that two do not end each other again


def _commit(
    consumer: Consumer,
    bootstrap: str,
    transactional_id: str,
    changed: Callable[[], TopicPartition],
    timeout_s: float,
) -> None:
    """Read, change and commit in a transaction.

    `init_transactions` ends the transactions of others with the same id, or waits for one that commits. So
    nobody else can commit between this reading and this commit.
    """
    producer = Producer(
        {"bootstrap.servers": bootstrap, "transactional.id": transactional_id, "log_level": 0}
    )
    retry_while_retriable(lambda: producer.init_transactions(timeout_s), timeout_s)
    producer.begin_transaction()
    offsets, group = [changed()], consumer.consumer_group_metadata()
    retry_while_retriable(lambda: producer.send_offsets_to_transaction(offsets, group, timeout_s), timeout_s)
    retry_while_retriable(lambda: producer.commit_transaction(timeout_s), timeout_s)


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """The unresolved dead letters of an event or a table, with the most frequent stage and reason."""

    name: str
    letters: int
    oldest: datetime
    newest: datetime
    stage: str
    reason: str


def summaries(queue: DeadLetterQueue) -> list[TopicSummary]:
    """Return a summary of each topic that has unresolved dead letters.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    found = (summary(topic.removesuffix("_dlq"), queue.unresolved(topic)) for topic in dead_letter_topics())
    return [each for each in found if each]


def summary(name: str, letters: Iterable[DeadLetter]) -> TopicSummary | None:
    """Return the summary of letters, oldest first; None without any. Any number of them fits into memory."""
    reasons: Counter[tuple[str, str]] = Counter()
    oldest = newest = None
    count = 0
    for letter in letters:
        count += 1
        oldest, newest = oldest or letter.written_at, letter.written_at
        reason = (letter.stage, letter.reason)
        if reason in reasons or len(reasons) < MAX_REASONS:
            reasons[reason] += 1
    if oldest is None or newest is None:
        return None
    return TopicSummary(name, count, oldest, newest, *reasons.most_common(1)[0][0])
