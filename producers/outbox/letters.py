"""What a dead letter looks like: a message that nobody can use, the reason, and a size that Kafka takes."""

from collections.abc import Mapping

import orjson

from producers.outbox.message import ORIGIN, Message

REASON = "reason"
STAGE = "stage"
CAME_FROM = "came_from"
TRUNCATED_FROM = "truncated_from"

LONGEST_REASON = 1_000
LONGEST_HEADERS = 32_000
"""Bytes of JSON that the headers which a message came with may take; the rest of them is left out."""
LONGEST_KEY = 16_000
LONGEST_VALUE = 900_000
"""Bytes; the four together must fit into `message.max.bytes` of the producer."""


def storable(text: str) -> str:
    """Text without NUL characters, which PostgreSQL takes in no text and no JSON."""
    return text.replace("\x00", "\ufffd")


def letter(
    event: str,
    key: bytes | None,
    value: bytes | None,
    headers: Mapping[str, str],
    *,
    reason: str,
    stage: str,
    came_from: str,
) -> Message:
    """The message for `<event>_dlq`: as it came as far as that fits, and why, from whom and whence.

    One that was cut in any place has the header `truncated_from`, the bytes of the whole value.
    """
    kept = _fitting(headers)
    why = {REASON: storable(reason)[:LONGEST_REASON], STAGE: stage, CAME_FROM: came_from}
    cut = len(key or b"") > LONGEST_KEY or len(value or b"") > LONGEST_VALUE or len(kept) < len(headers)
    if cut:
        why[TRUNCATED_FROM] = str(len(value or b""))
    return Message(
        f"{event}_dlq",
        key[:LONGEST_KEY] if key else key,
        value[:LONGEST_VALUE] if value else value,
        orjson.dumps({**kept, **why}).decode(),
    )


def too_large(message: Message, position: int) -> Message:
    """The letter for a message of the outbox that Kafka can't take; the books have what it told of."""
    headers: dict[str, str] = orjson.loads(message.headers)
    event = message.topic.removesuffix("_dlq")
    return letter(
        event,
        message.key,
        message.value,
        headers,
        reason="larger than Kafka takes",
        stage=headers.get(ORIGIN, ""),
        came_from=f"outbox/{event}/{position}",
    )


def _fitting(headers: Mapping[str, str]) -> dict[str, str]:
    """Those headers that have room, in their order."""
    kept, room = {}, LONGEST_HEADERS
    for name, text in headers.items():
        needed = len(orjson.dumps([name, text]))
        if needed <= room:
            room -= needed
            kept[name] = text
    return kept
