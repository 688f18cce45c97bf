"""Declares which events a service processes, and decodes them from Kafka's messages."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b
from traceback import format_exception
from typing import Self

from confluent_kafka import Message

from common.errors import PartUnavailable, Rejected, Retryable
from producers.kit.outbox.dead_letter_message import storable
from producers.kit.outbox.message import ORIGIN
from producers.kit.outbox.trace import Trace, order_attribute
from producers.kit.outbox.transaction import Transaction
from schemas.codec import Decoder, Record
from schemas.events import all_events

ONLY_FOR = "only_for"
"""The header of a replayed dead letter that names the service which rejected it. Other services skip it."""

Handler = Callable[[Transaction, Record], Awaitable[None]]
"""Processes an event in the transaction that records its id.

Raises `Retryable` (a later attempt may succeed) or `Rejected` (none will). Both roll back the transaction.
"""


class UnexpectedError(Rejected):
    """A message was rejected because of a bug. `traceback` is that of the error."""

    def __init__(self, reason: str, traceback: str) -> None:
        super().__init__(reason)
        self.traceback = traceback

    @classmethod
    def after(cls, attempts: int, error: Exception) -> Self:
        """Return the rejection for an error that was raised in each of `attempts` attempts."""
        times = "1 attempt" if attempts == 1 else f"{attempts} attempts"
        reason = f"unexpected error after {times}: {type(error).__name__}: {error}"
        return cls(reason, "".join(format_exception(error)))


@dataclass(frozen=True)
class Subscription:
    """One event that a service processes.

    Events of the commerce services have the service's name in the header `origin`. Messages without it are
    historical (a replay or a back-fill) or external. They are skipped, so that historical events change no
    stock and move no money.
    """

    event: str
    handler: Handler
    external_key: Callable[[str], bool] | None = None
    """Returns whether a message with this key is processed without the header `origin`.

    Listings of sellers and shipments of carriers come from outside.
    """
    never_prune: bool = False
    """Never delete the ids of processed events: nothing else prevents a second effect of a repeated event."""
    records_event: bool = False
    """The handler's first statement records the event's id (`Transaction.record_event`)."""
    batchable: bool = False
    """Whether several events may share a transaction.

    Set it for frequent events whose handlers lock only the rows of their event.
    """

    skips_own: bool = False
    """Whether the events that the service emits itself are skipped, because it reads those of others only."""

    def concerns(self, service: str, key: str, headers: dict[str, str]) -> bool:
        """Return whether a service processes a message of this topic, given its key and headers."""
        if headers.get(ONLY_FOR, service) != service or (self.skips_own and headers.get(ORIGIN) == service):
            return False
        return bool(headers.get(ORIGIN)) or (self.external_key is not None and self.external_key(key))


@dataclass(frozen=True)
class InboundEvent:
    """One message from Kafka with its decoded record, or with the reason why it can't be decoded."""

    message: Message
    headers: dict[str, str]
    record: Record | Rejected

    @property
    def topic(self) -> str:
        """The topic, which is the event's name."""
        return self.message.topic() or ""

    @property
    def location(self) -> str:
        """`topic/partition/offset`: unique within one Kafka cluster."""
        return f"{self.topic}/{self.message.partition()}/{self.message.offset()}"

    @property
    def message_id(self) -> str:
        """The id of the message itself, so that a service writes one dead letter for each message.

        The location is not enough: after Kafka's storage was recreated, other messages have the same offsets.
        So the id also has a digest of the message's timestamp, key and value. Its slashes distinguish it from
        an event id.
        """
        digest = blake2b(repr(self.message.timestamp()).encode(), digest_size=12)
        for part in (self.message.key(), self.message.value()):
            digest.update(repr(part).encode())
        return f"{self.location}/{digest.hexdigest()}"

    @property
    def identity(self) -> tuple[str, str] | None:
        """The event id and topic that the inbox records; None if the message can't be decoded."""
        return None if isinstance(self.record, Rejected) else (self.record["event_id"], self.topic)

    @property
    def attributes(self) -> dict[str, str | int]:
        """What the span of its processing says of the message."""
        return {
            "messaging.system": "kafka",
            "messaging.destination.name": self.topic,
            "messaging.destination.partition.id": str(self.message.partition()),
            "messaging.kafka.offset": self.message.offset() or 0,
            **order_attribute(self.topic, key_of(self.message)),
        }

    @property
    def trace(self) -> Trace:
        """The trace of the events that this one causes."""
        event_id = self.location if isinstance(self.record, Rejected) else self.record["event_id"]
        return Trace.caused_by(event_id, self.headers)


def any_key(_key: str) -> bool:
    """Accept every key; use it as `external_key`."""
    return True


def key_of(message: Message) -> str:
    """Return the message's key as text."""
    key = message.key() or b""
    return key if isinstance(key, str) else key.decode(errors="replace")


def headers_of(message: Message) -> dict[str, str]:
    """Return the headers as text that PostgreSQL can store. If a name occurs twice, the last value counts."""
    pairs: list[tuple[str, str | bytes | None]] = list(message.headers() or ())
    return {
        storable(name): storable(value.decode(errors="replace") if isinstance(value, bytes) else value or "")
        for name, value in pairs
    }


def decode_message(message: Message, headers: dict[str, str], decoder: Decoder) -> InboundEvent:
    """Decode a message with the current schema of its event.

    Raises:
        PartUnavailable, Retryable: the registry, which has the schema of the message, does not answer.
    """
    try:
        record: Record | Rejected = decoder.decode(message.value(), all_events()[message.topic() or ""])
    except Rejected as rejection:
        record = rejection
    except (PartUnavailable, Retryable):
        raise
    except Exception as error:
        record = UnexpectedError.after(1, error)
    return InboundEvent(message, headers, record)
