"""Looks into the dead-letter topics, sends letters again or sets them aside; then they are dealt with."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

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
from common.kafka import bounds
from producers.inbox.dealt_with import DealtWith
from producers.inbox.subscription import ONLY_FOR, headers_of, key_of
from producers.outbox.letters import CAME_FROM, REASON, STAGE, TRUNCATED_FROM
from producers.outbox.publisher import PRODUCER
from schemas.events import all_events
from schemas.topics import JOB_OUTPUTS

GROUP = "souk_dlq"
"""The consumer group whose offsets say which letters were dealt with: `DealtWith`, with its note beside."""

OURS = frozenset({REASON, STAGE, CAME_FROM, TRUNCATED_FROM, "content_type", ONLY_FOR})
"""Headers of a letter that the message did not have."""

_PARTITION = 0
_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Letter:
    """One dead letter."""

    offset: int
    written_at: datetime
    key: str
    value: bytes | None
    headers: dict[str, str]

    @property
    def stage(self) -> str:
        """Who could not use it: a service, or a job's `decode`, `clickhouse`, `redis` or `time`."""
        return self.headers.get(STAGE, "")

    @property
    def reason(self) -> str:
        """Why."""
        return self.headers.get(REASON, "")

    @property
    def is_cut_short(self) -> bool:
        """Whether it is not the whole message, which was too large: then it can't be sent again."""
        return TRUNCATED_FROM in self.headers


def dead_letter_topics() -> list[str]:
    """Every dead-letter topic: the events', then those of what the jobs write."""
    return [f"{name}_dlq" for name in (*all_events(), *JOB_OUTPUTS)]


def dead_letter_topic(name: str) -> str:
    """The dead-letter topic that someone means by `order_placed` or `order_placed_dlq`.

    Raises:
        UserError: there is no such topic.
    """
    topic = f"{name.removesuffix('_dlq')}_dlq"
    if topic not in dead_letter_topics():
        raise UserError(f"there are no dead letters of {name!r}: `./souk dlq list` shows which there are")
    return topic


class Letterbox:
    """The dead-letter topics of one Kafka. Use it in a `with`."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": GROUP,
                "enable.auto.commit": False,
                "enable.partition.eof": True,
                "fetch.wait.max.ms": 20,
                "log_level": 0,
            }
        )

    def __enter__(self) -> "Letterbox":
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def open_letters(self, topic: str, everything: bool = False) -> list[Letter]:
        """The letters that were not dealt with yet, oldest first; `everything`: those too that were.

        Raises:
            PartUnavailable: Kafka does not answer.
        """
        with self._answering():
            done = DealtWith(0) if everything else self._dealt_with(topic)
            return [letter for letter in self._lying(topic, done.before) if letter.offset not in done]

    def send_again(self, topic: str, letters: Sequence[Letter]) -> int:
        """Put letters back into the topic that they came from, with the headers that they had there.

        Each concerns only the service that rejected it: of one message there is a letter from each that did.
        Jobs have one stage, though several read most topics: letters that say the same are sent once, or each
        replay would make twice as many. Those that are cut short are passed over. Returns how many were sent.

        What was sent counts as dealt with from then on. Who acted on one before knows its event id, so
        sending it twice does no harm.

        Raises:
            UserError: the topic's letters are rows of a table, not events, or they lie too far apart from
                each other.
            PartUnavailable: Kafka does not answer.
        """
        event = topic.removesuffix("_dlq")
        _require_event(event)
        whole = [letter for letter in letters if not letter.is_cut_short]
        again = {(one.stage, one.key, one.value): one for one in whole}.values()
        if not again:
            return 0
        with self._answering():
            dealt_with = self._with(topic, whole)
            self._send(event, again)
            self._note(dealt_with)
        return len(again)

    def set_aside(self, topic: str, letters: Sequence[Letter]) -> None:
        """Have letters count as dealt with; they lie in Kafka for as long as any others.

        Raises:
            UserError: they lie too far apart from each other.
            PartUnavailable: Kafka does not answer.
        """
        if letters:
            with self._answering():
                self._note(self._with(topic, letters))

    def _dealt_with(self, topic: str) -> DealtWith:
        (done,) = self._consumer.committed([TopicPartition(topic, _PARTITION)], _TIMEOUT_S)
        return DealtWith.noted(done.offset, done.metadata)

    def _with(self, topic: str, letters: Sequence[Letter]) -> TopicPartition:
        """What is to be committed once these letters, too, were dealt with."""
        done = self._dealt_with(topic)
        lying = [letter.offset for letter in self._lying(topic, done.before)]
        done = done.and_also([letter.offset for letter in letters], lying)
        return TopicPartition(topic, _PARTITION, done.before, done.note)

    def _note(self, dealt_with: TopicPartition) -> None:
        self._consumer.commit(offsets=[dealt_with], asynchronous=False)

    def _send(self, event: str, letters: Iterable[Letter]) -> None:
        failed: list[KafkaError] = []
        producer = Producer(
            {**PRODUCER, "bootstrap.servers": self._bootstrap, "message.timeout.ms": int(_TIMEOUT_S * 1000)}
        )
        for letter in letters:
            headers: dict[str, str | bytes | None] = {ONLY_FOR: letter.stage}
            headers |= {name: value for name, value in letter.headers.items() if name not in OURS}
            producer.produce(
                event, letter.value, letter.key or None, headers=headers,
                on_delivery=lambda error, _message: failed.append(error) if error else None,
            )  # fmt: skip
        producer.flush()
        if failed:
            raise KafkaException(failed[0])

    def _lying(self, topic: str, start: int) -> Iterator[Letter]:
        """The letters from an offset on."""
        low, high = bounds(self._consumer, TopicPartition(topic, _PARTITION), _TIMEOUT_S)
        return self._read(topic, max(low, start)) if max(low, start) < high else iter(())

    def _read(self, topic: str, start: int) -> Iterator[Letter]:
        self._consumer.assign([TopicPartition(topic, _PARTITION, start)])
        try:
            while True:
                message = self._consumer.poll(_TIMEOUT_S)
                if message is None:
                    raise PartUnavailable(
                        f"Kafka at {self._bootstrap} stopped sending {topic}: is it running?"
                    )
                error = message.error()
                if error is None:
                    yield _letter(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    return
                else:
                    raise KafkaException(error)
        finally:
            self._consumer.unassign()

    @contextmanager
    def _answering(self) -> Iterator[None]:
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
            f"letters of {event}_dlq are rows that a store refused, not events: once the cause is gone, job "
            f"`{job}` started afresh writes them (`python -m jobs.submit {job} --fresh`); "
            f"`./souk dlq discard {event} --all` then closes the list"
        )


def _letter(message: Message) -> Letter:
    value = message.value()
    return Letter(
        offset=message.offset() or 0,
        written_at=from_millis(message.timestamp()[1]),
        key=key_of(message),
        value=value.encode() if isinstance(value, str) else value,
        headers=headers_of(message),
    )
