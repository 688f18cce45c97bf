"""Makes dead letters of the messages that a service rejects."""

from common.errors import Rejected
from producers.kit.inbox.subscription import InboundEvent, UnexpectedError
from producers.kit.outbox.dead_letter_message import dead_letter_message
from producers.kit.outbox.message import OutboxMessage


def dead_letter(event: InboundEvent, service: str, rejection: Rejected) -> OutboxMessage:
    """Return the message for `<topic>_dlq`: the original with the reason and the service as headers."""
    return dead_letter_message(
        event.topic,
        _bytes(event.message.key()),
        _bytes(event.message.value()),
        event.headers,
        reason=str(rejection),
        stage=service,
        came_from=event.location,
        traceback=_traceback(rejection),
    )


def minimal_dead_letter(event: InboundEvent, service: str, rejection: Rejected) -> OutboxMessage:
    """Return a dead letter without key, value and headers, for a message that can't be stored."""
    return dead_letter_message(
        event.topic,
        None,
        None,
        {},
        reason=str(rejection),
        stage=service,
        came_from=event.location,
        traceback=_traceback(rejection),
    )


def _traceback(rejection: Rejected) -> str:
    return rejection.traceback if isinstance(rejection, UnexpectedError) else ""


def _bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text
