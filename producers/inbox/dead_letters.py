"""Dead letters: what a service can never use, kept with the reason, to be looked at and sent again."""

from producers.inbox.subscription import Received
from producers.outbox.letters import letter
from producers.outbox.message import Message


def dead_letter(received: Received, service: str, reason: str) -> Message:
    """The message for `<topic>_dlq`: as it came, with the reason and the service that rejected it."""
    return letter(
        received.topic,
        _bytes(received.message.key()),
        _bytes(received.message.value()),
        received.headers,
        reason=reason,
        stage=service,
        came_from=received.place,
    )


def bare_letter(received: Received, service: str, reason: str) -> Message:
    """A letter of which only the reason and the place are left: for what can't even be stored."""
    return letter(received.topic, None, None, {}, reason=reason, stage=service, came_from=received.place)


def _bytes(text: str | bytes | None) -> bytes | None:
    return text.encode() if isinstance(text, str) else text
