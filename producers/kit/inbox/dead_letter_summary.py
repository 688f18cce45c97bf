"""Summarises the unresolved dead letters of each topic. Any number of them fits into memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from producers.kit.inbox.dead_letter_queue import DeadLetter, DeadLetterQueue, dead_letter_topics

MAX_REASONS = 1_000
"""Different reasons of a topic that are counted. One that appears later can't become the most frequent."""


@dataclass(frozen=True, slots=True)
class TopicSummary:
    """The unresolved dead letters of an event or a table, with the most frequent stage and reason."""

    name: str
    letters: int
    oldest: datetime
    newest: datetime
    stage: str
    reason: str


def summaries(queue: DeadLetterQueue) -> list[TopicSummary]:
    """Return a summary of each topic that has unresolved dead letters.

    Raises:
        PartUnavailable: Kafka does not answer.
    """
    found = (summary(topic.removesuffix("_dlq"), queue.unresolved(topic)) for topic in dead_letter_topics())
    return [each for each in found if each]


def summary(name: str, letters: Iterable[DeadLetter]) -> TopicSummary | None:
    """Return the summary of letters, oldest first; None without any."""
    reasons: Counter[tuple[str, str]] = Counter()
    oldest = newest = None
    count = 0
    for letter in letters:
        count += 1
        oldest, newest = oldest or letter.written_at, letter.written_at
        reason = (letter.stage, letter.reason)
        if reason in reasons or len(reasons) < MAX_REASONS:
            reasons[reason] += 1
    if oldest is None or newest is None:
        return None
    return TopicSummary(name, count, oldest, newest, *reasons.most_common(1)[0][0])
