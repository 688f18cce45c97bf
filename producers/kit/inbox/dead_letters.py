"""Makes dead letters of the messages that a service rejects."""

from common.errors import Rejected
from producers.kit.inbox.subscription import InboundEvent, UnexpectedError
from producers.kit.outbox.dead_letter_message import dead_letter_message
from producers.kit.outbox.message import OutboxMessage


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
