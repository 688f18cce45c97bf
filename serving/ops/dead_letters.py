"""Lists, replays and discards dead letters for administrators, in threads, because Kafka's client blocks."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from common.background import retrieve_error
from common.errors import PartUnavailable, Rejected, UserError
from common.problems import PartProblem, Problem, problem
from common.settings import Settings
from producers.kit.inbox.dead_letter_queue import (
    DeadLetter,
    DeadLetterQueue,
    TopicSummary,
    dead_letter_topic,
    summaries,
)
from schemas.codec import Decoder
from schemas.registry import SchemaRegistry
from schemas.topics import JOB_OUTPUTS

T = TypeVar("T")

MAX_RAW_BYTES = 2_000
"""Bytes shown of a value that is not an event."""


DEAD_LETTERS_UNAVAILABLE = problem(
    503,
    "kafka-unavailable",
    "The dead letters can't be read",
    "Kafka does not answer, so the dead letters can't be read. Try again in a moment.",
    retry_after_s=5,
    error=PartProblem,
)
UNKNOWN_TOPIC = problem(
    404, "unknown-topic", "Unknown topic", "No event or table has the name {name!r}. See /admin/dead-letters."
)


class NotReplayable(Problem):
    """The dead letters can't be replayed or marked."""

    status, kind, title = 409, "not-replayable", "This can't be done with these dead letters"


@dataclass(frozen=True, slots=True)
class ShownLetter:
    """A dead letter with its content as text: the event as JSON, else the beginning of the raw value."""

    letter: DeadLetter
    content: str


@dataclass(frozen=True, slots=True)
class LetterPage:
    """A page of the unresolved dead letters of a topic, oldest first.

    `total` counts all pages. `next_after` is the offset after which the next page begins; None at the end.
    """

    name: str
    letters: Sequence[ShownLetter]
    total: int
    next_after: int | None
    is_event: bool
    """Whether they are events, which can be replayed; else they are rows of a table."""


class DeadLetters:
    """The dead letters of the platform. One operation runs at a time in each process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = asyncio.Lock()

    async def summaries(self) -> list[TopicSummary]:
        """Return a summary of each topic that has unresolved dead letters.

        Raises:
            DEAD_LETTERS_UNAVAILABLE: Kafka does not answer.
        """
        return await self._run(summaries)

    async def page(self, name: str, after: int, length: int) -> LetterPage:
        """Return `length` unresolved dead letters whose offset exceeds `after` (-1: from the first).

        Raises:
            UNKNOWN_TOPIC: there is no such event or table.
            DEAD_LETTERS_UNAVAILABLE: Kafka does not answer.
        """
        topic = _topic(name)
        return await self._run(lambda queue: self._page(queue, topic, after, length))

    async def replay(self, name: str, offsets: Collection[int] | None) -> int:
        """Send the unresolved dead letters at these offsets again, or with None all; return how many.

        Raises:
            UNKNOWN_TOPIC: there is no such event.
            NotReplayable: they are rows of a table.
            DEAD_LETTERS_UNAVAILABLE: Kafka does not answer.
        """
        topic = _topic(name)
        return await self._run(lambda queue: queue.replay(topic, _chosen(queue, topic, offsets)))

    async def discard(self, name: str, offsets: Collection[int] | None) -> None:
        """Mark the dead letters at these offsets, or with None all, as resolved without sending them.

        Raises:
            UNKNOWN_TOPIC: there is no such event or table.
            NotReplayable: the resolved offsets would form too many ranges.
            DEAD_LETTERS_UNAVAILABLE: Kafka does not answer.
        """
        topic = _topic(name)
        await self._run(lambda queue: queue.discard(topic, _chosen(queue, topic, offsets)))

    async def _run(self, operation: Callable[[DeadLetterQueue], T]) -> T:
        def run() -> T:
            with DeadLetterQueue(self._settings.kafka) as queue:
                return operation(queue)

        async def run_alone() -> T:
            async with self._lock:
                return await asyncio.to_thread(run)

        # A thread can't be cancelled. If the request is, the lock stays taken until the thread has ended.
        task = asyncio.create_task(run_alone())
        task.add_done_callback(retrieve_error)
        try:
            return await asyncio.shield(task)
        except UserError as error:
            raise NotReplayable(str(error)) from error
        except PartUnavailable as error:
            raise DEAD_LETTERS_UNAVAILABLE() from error

    def _page(self, queue: DeadLetterQueue, topic: str, after: int, length: int) -> LetterPage:
        shown: list[DeadLetter] = []
        total, has_next = 0, False
        for letter in queue.unresolved(topic):
            total += 1
            if letter.offset > after and len(shown) < length:
                shown.append(letter)
            elif letter.offset > after:
                has_next = True
        with SchemaRegistry(self._settings.registry) as registry:
            decoder = Decoder(registry.schema)
            letters = [ShownLetter(letter, _content(letter, decoder)) for letter in shown]
        next_after = shown[-1].offset if has_next else None
        name = topic.removesuffix("_dlq")
        return LetterPage(name, letters, total, next_after, name not in JOB_OUTPUTS)


def _topic(name: str) -> str:
    try:
        return dead_letter_topic(name)
    except UserError as error:
        raise UNKNOWN_TOPIC(name=name) from error


def _chosen(queue: DeadLetterQueue, topic: str, offsets: Collection[int] | None) -> list[int]:
    unresolved = (letter.offset for letter in queue.unresolved(topic))
    return [each for each in unresolved if offsets is None or each in offsets]


def _content(letter: DeadLetter, decoder: Decoder) -> str:
    """Return the event as indented JSON; the beginning of the raw value if it can't be decoded."""
    try:
        event = decoder.decode(letter.value)
        return orjson.dumps(event, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2, default=str).decode()
    except (Rejected, PartUnavailable):
        return (letter.value or b"")[:MAX_RAW_BYTES].decode(errors="backslashreplace")
