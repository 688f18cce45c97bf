"""Looks into the dead-letter topics and sends letters again; what was sent again counts as dealt with."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from confluent_kafka import (
    OFFSET_BEGINNING,
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
from producers.inbox.subscription import ONLY_FOR, headers_of, key_of
from producers.outbox.letters import CAME_FROM, REASON, STAGE, TRUNCATED_FROM
from producers.outbox.publisher import PRODUCER
from schemas.events import all_events
from schemas.topics import JOB_OUTPUTS

GROUP = "souk_dlq"
"""The consumer group whose offsets say up to which letter a topic was dealt with."""

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
            low, high = bounds(self._consumer, TopicPartition(topic, _PARTITION), _TIMEOUT_S)
            (done,) = self._consumer.committed([TopicPartition(topic, _PARTITION)], _TIMEOUT_S)
            start = low if everything else max(low, done.offset)
            return list(self._read(topic, start)) if start < high else []

    def send_again(self, topic: str, letters: Sequence[Letter], mark: bool) -> int:
        """Put letters back into the topic that they came from, with the headers that they had there.

        Each concerns only the service that rejected it: of one message there is a letter from each that did.
        Jobs have one stage, though several read most topics: letters that say the same are sent once, or each
        replay would make twice as many. Returns how many were sent.

        `mark`: they and all before them count as dealt with from then on. Who acted on one before knows its
        event id, so sending it twice does no harm.

        Raises:
            UserError: a letter can't be sent: it is a row of a table, or was cut short.
            PartUnavailable: Kafka does not answer.
        """
        event = topic.removesuffix("_dlq")
        for letter in letters:
            _require_whole(event, letter)
        failed: list[KafkaError] = []
        with self._answering():
            producer = Producer(
                {
                    **PRODUCER,
                    "bootstrap.servers": self._bootstrap,
                    "message.timeout.ms": int(_TIMEOUT_S * 1000),
                }
            )
            again = {(one.stage, one.key, one.value): one for one in letters}.values()
            for letter in again:
                headers: dict[str, str | bytes | None] = {ONLY_FOR: letter.stage}
                headers |= {name: value for name, value in letter.headers.items() if name not in OURS}
                producer.produce(
                    event, letter.value, letter.key or None, headers=headers,
                    on_delivery=lambda error, _message: failed.append(error) if error else None,
                )  # fmt: skip
            producer.flush()
            if failed:
                raise KafkaException(failed[0])
            if mark and letters:
                place = TopicPartition(topic, _PARTITION, letters[-1].offset + 1)
                self._consumer.commit(offsets=[place], asynchronous=False)
        return len(again)

    def _read(self, topic: str, start: int) -> Iterator[Letter]:
        self._consumer.assign([TopicPartition(topic, _PARTITION, start if start >= 0 else OFFSET_BEGINNING)])
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


def _require_whole(event: str, letter: Letter) -> None:
    if job := JOB_OUTPUTS.get(event):
        raise UserError(
            f"letters of {event}_dlq are rows that a store refused, not events: once the cause is gone, job "
            f"`{job}` started afresh writes them (`python -m jobs.submit {job} --fresh`)"
        )
    if TRUNCATED_FROM in letter.headers:
        raise UserError(f"letter {letter.offset} of {event}_dlq was cut short: its event is still in {event}")


def _letter(message: Message) -> Letter:
    value = message.value()
    return Letter(
        offset=message.offset() or 0,
        written_at=from_millis(message.timestamp()[1]),
        key=key_of(message),
        value=value.encode() if isinstance(value, str) else value,
        headers=headers_of(message),
    )
