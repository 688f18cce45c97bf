"""Stores the newest answer to each question of a dashboard in Redis, for the time when ClickHouse is away.

An answer is stored in the background, at most every `WRITE_INTERVAL_S` a question and a few a second in each
process, so that requests don't wait for it. Who may read an answer is decided before the question is asked.
"""

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Sequence
from hashlib import blake2b
from time import monotonic
from typing import Any, Generic, ParamSpec, TypeVar

import orjson
import structlog
from pydantic import TypeAdapter
from redis.asyncio import Redis

from common.metrics import LAST_ANSWERS
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.cache.store import TIMEOUT_S, script
from serving.kit.domain import stop_task
from serving.kit.newest_entries import put_newest
from serving.kit.problems import ClickHouseUnavailable, RedisUnavailable
from serving.kit.redis_client import OPTIONAL_TIMEOUT_S, run_redis

PREFIX = "last:1:"
"""The prefix of all keys. The number is the version of the format: raise it with each change."""

INDEX, SIZES, BYTES = (PREFIX + name for name in ("index", "sizes", "bytes"))

TTL_MS = 7 * 24 * 3600 * 1000
"""The age at which an answer is deleted."""

MAX_ANSWER_BYTES, MAX_BYTES = 64 * 1024, 16 * 1024 * 1024
"""The largest size of one compressed answer, and of all: thousands of answers. An answer to a question about
30 days has about 2 KB. Those that were stored first are deleted first."""

WRITE_INTERVAL_S = 10.0
"""The shortest interval between two writes of the same answer by a process."""

BATCH, PAUSE_S = 20, 1.0
"""The largest number of answers that a process writes at once, and its pause after each batch."""

MAX_PENDING, MAX_TRACKED = 200, 10_000
"""The largest numbers of answers to be written, and of questions whose time of writing is known."""

T = TypeVar("T")
P = ParamSpec("P")
log = structlog.get_logger()


class Question(Generic[T]):
    """A kind of question, and the type of its answers. `name` becomes a metric's label."""

    def __init__(self, name: str, answers: Any) -> None:
        """`answers` is the type `T`; not every type is a value for mypy."""
        self.name = name
        self._adapter: TypeAdapter[T] = TypeAdapter(answers)
        self.format = _digest(self._adapter.json_schema())
        """Changes with the type. An answer that was stored in another format is not used."""

    def pack(self, answer: T) -> bytes:
        """Return an answer as compressed JSON."""
        return zlib.compress(self._adapter.dump_json(answer, warnings=False), 1)

    def unpack(self, packed: bytes) -> T:
        """Return the answer that `pack` wrote. Its times have the same offsets, but no name of a zone."""
        return self._adapter.validate_json(zlib.decompress(packed))


class LastAnswers:
    """The last answers of all processes.

    `version` is what all answers depend on besides their questions, such as the definitions of the metrics.
    An answer of another version is not used.
    """

    def __init__(self, redis: Redis, version: str) -> None:
        self._redis, self._version = redis, version
        self._script = redis.register_script(script("remember"))
        self._written_at: dict[str, float] = {}
        self._pending: dict[str, Callable[[], bytes]] = {}
        self._writer: asyncio.Task[None] | None = None

    async def ask(
        self, question: Question[T], compute: Callable[P, Awaitable[T]], *asked: P.args, **_none: P.kwargs
    ) -> T:
        """Return what `compute` returns for what is asked; while ClickHouse does not answer, the last answer.

        The answer depends on what is asked and `version` alone; `asked` are JSON values and dataclasses of
        them. With a last answer, the response is incomplete, and a member `stale` of the answer is true.

        Raises:
            ClickHouseUnavailable: ClickHouse does not answer, and no answer is known.
        """
        key = self._key(question, asked)
        try:
            content = await compute(*asked, **_none)
        except ClickHouseUnavailable:
            packed = await self._read(key)
            LAST_ANSWERS.labels(question.name, "unknown" if packed is None else "known").inc()
            if packed is None:
                raise
            mark_incomplete()
            last = question.unpack(packed)
            if isinstance(last, dict) and "stale" in last:
                last["stale"] = True
            return last
        self._store_soon(key, lambda: question.pack(content))
        return content

    async def aclose(self) -> None:
        """Cancel the writer. What it has not written is lost."""
        await stop_task(self._writer)

    def _key(self, question: Question[Any], asked: Sequence[object]) -> str:
        return f"{PREFIX}answer:{question.name}:{_digest((self._version, question.format, *asked))}"

    async def _read(self, key: str) -> bytes | None:
        try:
            packed: bytes | None = await run_redis(self._redis.get(key), OPTIONAL_TIMEOUT_S)
        except RedisUnavailable:
            return None
        return packed

    def _store_soon(self, key: str, pack: Callable[[], bytes]) -> None:
        if monotonic() - self._written_at.get(key, float("-inf")) < WRITE_INTERVAL_S:
            return
        if key in self._pending or len(self._pending) < MAX_PENDING:
            self._pending[key] = pack
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_pending(), name="last answers")

    async def _write_pending(self) -> None:
        while self._pending:
            for key in list(self._pending)[:BATCH]:
                packed = self._pending.pop(key)()
                put_newest(self._written_at, key, monotonic(), MAX_TRACKED)
                if len(packed) > MAX_ANSWER_BYTES:
                    continue
                reply: Any = self._script(keys=(key, INDEX, SIZES, BYTES), args=(TTL_MS, MAX_BYTES, packed))
                try:
                    await run_redis(reply, TIMEOUT_S)
                except RedisUnavailable as error:
                    log.warning("last answers were not stored", reason=str(error))
                    self._pending.clear()
                    return
            await asyncio.sleep(PAUSE_S)


def _digest(value: object) -> str:
    return blake2b(orjson.dumps(value), digest_size=16).hexdigest()
