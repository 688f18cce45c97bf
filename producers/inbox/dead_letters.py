"""Dead letters: what a service can never use, kept with the reason, to be looked at and sent again."""

import orjson

from producers.inbox.subscription import Received
from producers.outbox.message import Message

REASON = "reason"
STAGE = "stage"
CAME_FROM = "came_from"
TRUNCATED_FROM = "truncated_from"
LONGEST_REASON = 1_000
LONGEST_VALUE = 900_000
"""Bytes; with its headers a letter must fit into what a broker takes (1 MiB)."""


def dead_letter(received: Received, service: str, reason: str) -> Message:
    """The message for `<topic>_dlq`: as it came, with the reason and the service that rejected it."""
    key, value = received.message.key(), received.message.value()
    headers = {
        **received.headers,
        REASON: reason[:LONGEST_REASON],
        STAGE: service,
        CAME_FROM: received.place,
    }
    if value is not None and len(value) > LONGEST_VALUE:
        headers[TRUNCATED_FROM] = str(len(value))
        value = value[:LONGEST_VALUE]
    key = key.encode() if isinstance(key, str) else key
    value = value.encode() if isinstance(value, str) else value
    return Message(f"{received.topic}_dlq", key, value, orjson.dumps(headers).decode())
