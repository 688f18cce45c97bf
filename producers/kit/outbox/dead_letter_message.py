"""The format of dead letters: the rejected message, the reason, and a size that Kafka accepts."""

from collections.abc import Mapping

import orjson

from producers.kit.outbox.message import ORIGIN, OutboxMessage

REASON = "reason"
STAGE = "stage"
CAME_FROM = "came_from"
TRACEBACK = "traceback"
TRUNCATED_FROM = "truncated_from"

MAX_REASON_CHARS = 1_000
MAX_TRACEBACK_CHARS = 8_000
"""The end of a longer traceback is kept: it names the error."""
MAX_HEADERS_BYTES = 32_000
"""JSON bytes of the original headers. Headers that do not fit are left out."""
MAX_KEY_BYTES = 16_000
MAX_VALUE_BYTES = 900_000
"""All of these together must fit into the producer's `message.max.bytes`."""


def storable(text: str) -> str:
    """Return the text without NUL characters, which PostgreSQL can store neither in text nor in JSON."""
    return text.replace("\x00", "\ufffd")


def dead_letter_message(
    event: str,
    key: bytes | None,
    value: bytes | None,
    headers: Mapping[str, str],
    *,
    reason: str,
    stage: str,
    came_from: str,
    traceback: str = "",
) -> OutboxMessage:
    """Return the message for `<event>_dlq`: the original message, with reason, stage and location as headers.

    `stage` is the service or job that rejected the message. `came_from` is the location of the message. If a
    part had to be truncated, the header `truncated_from` has the original length of the value in bytes.
    """
    fitting = _fitting(headers)
    added = {REASON: _encodable(reason)[:MAX_REASON_CHARS], STAGE: stage, CAME_FROM: came_from}
    if traceback:
        added[TRACEBACK] = _encodable(traceback)[-MAX_TRACEBACK_CHARS:]
    if len(key or b"") > MAX_KEY_BYTES or len(value or b"") > MAX_VALUE_BYTES or len(fitting) < len(headers):
        added[TRUNCATED_FROM] = str(len(value or b""))
    return OutboxMessage(
        f"{event}_dlq",
        key[:MAX_KEY_BYTES] if key else key,
        value[:MAX_VALUE_BYTES] if value else value,
        {**fitting, **added},
    )


def oversized_dead_letter(message: OutboxMessage, position: int) -> OutboxMessage:
    """Return the dead letter of an outbox message that is too large for Kafka."""
    event = message.topic.removesuffix("_dlq")
    return dead_letter_message(
        event,
        message.key,
        message.value,
        message.headers,
        reason="larger than Kafka accepts",
        stage=message.headers.get(ORIGIN, ""),
        came_from=f"outbox/{event}/{position}",
    )


def _encodable(text: str) -> str:
    """Replace characters that JSON or PostgreSQL can't store: NUL characters and lone surrogates."""
    return storable(text).encode(errors="replace").decode()


def _fitting(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that fit into `MAX_HEADERS_BYTES`, in their order."""
    fitting, free_bytes = {}, MAX_HEADERS_BYTES
    for name, text in headers.items():
        needed = len(orjson.dumps([name, text]))
        if needed <= free_bytes:
            free_bytes -= needed
            fitting[name] = text
    return fitting
