"""Which events a service acts on, and what it takes from a message."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from confluent_kafka import Message

from common.errors import Rejected
from producers.outbox.letters import storable
from producers.outbox.message import ORIGIN
from producers.outbox.trace import Trace
from producers.outbox.transaction import Transaction
from schemas.codec import Decoder, Record
from schemas.events import all_events

ONLY_FOR = "only_for"
"""The header of a dead letter that was sent again: the service that had rejected it."""

Handler = Callable[[Transaction, Record], Awaitable[None]]
"""Acts on an event in the transaction that notes it.

Raises `Retryable` (later it may work) or `Rejected` (it never can); both undo the transaction.
"""


@dataclass(frozen=True)
class Subscription:
    """One event that a service acts on.

    Events of the shop's own services carry their name as header `origin`. Without it a message is history (a
    replay, a back-fill) or another's, and is passed by: history moves no stock and no money.
    """

    event: str
    handler: Handler
    from_anyone: Callable[[str], bool] | None = None
    """Which keys also concern it without an origin: sellers' catalogues, carriers' shipments."""
    counts_twice: bool = False
    """Whether acting on it twice would count twice, whatever it finds: its notes are kept for ever."""
    hears: bool = False
    """Whether the handler's first statement notes the event, too (`Transaction.hear`): one trip less."""
    together: bool = False
    """Whether many may share a transaction: for what comes by the thousand, emits nothing, and locks nothing
    that others want."""

    def concerns(self, service: str, key: str, headers: dict[str, str]) -> bool:
        """Whether a service acts on a message of this topic; asked of each before it is decoded."""
        if headers.get(ONLY_FOR, service) != service:
            return False
        return bool(headers.get(ORIGIN)) or (self.from_anyone is not None and self.from_anyone(key))


@dataclass(frozen=True)
class Received:
    """One message as Kafka gave it, and what it says: a record, or why it can't be read."""

    message: Message
    headers: dict[str, str]
    record: Record | Rejected

    @property
    def topic(self) -> str:
        """The topic, which is the event's name."""
        return self.message.topic() or ""

    @property
    def place(self) -> str:
        """Where it lies: `topic/partition/offset`, which no other message has."""
        return f"{self.topic}/{self.message.partition()}/{self.message.offset()}"

    @property
    def event(self) -> tuple[str, str] | None:
        """What the inbox notes: the event's id and its topic; None of what can't be read."""
        return None if isinstance(self.record, Rejected) else (self.record["event_id"], self.topic)

    @property
    def trace(self) -> Trace:
        """What its effects carry on."""
        event_id = self.place if isinstance(self.record, Rejected) else self.record["event_id"]
        return Trace.caused_by(event_id, self.headers)


def any_key(_key: str) -> bool:
    """For `from_anyone`: whatever it is about."""
    return True


def key_of(message: Message) -> str:
    """The key as text."""
    key = message.key() or b""
    return key if isinstance(key, str) else key.decode(errors="replace")


def headers_of(message: Message) -> dict[str, str]:
    """Headers as text that PostgreSQL can keep; of two of one name the later."""
    pairs: list[tuple[str, str | bytes | None]] = list(message.headers() or ())  # type: ignore[arg-type]
    return {
        storable(name): storable(value.decode(errors="replace") if isinstance(value, bytes) else value or "")
        for name, value in pairs
    }


def receive(message: Message, headers: dict[str, str], decoder: Decoder) -> Received:
    """Read a message, resolved to the event's schema of today.

    Raises:
        PartUnavailable: the registry, which knows the writer's schema, does not answer.
    """
    try:
        record: Record | Rejected = decoder.decode(message.value(), all_events()[message.topic() or ""])
    except Rejected as reason:
        record = reason
    return Received(message, headers, record)
