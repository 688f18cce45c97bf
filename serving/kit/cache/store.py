"""Reads and writes cache entries in Redis, in one round trip each."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import orjson
from redis.asyncio import Redis

from serving.kit.cache.keys import BYTES, FLOOR, INDEX, SEQUENCE, SIZES, WATCHED, lock_key, tag_key
from serving.kit.redis_client import run_redis

SCRIPTS = Path(__file__).parent / "scripts"

TIMEOUT_S = 0.2
"""Timeout of a read or write. Without an answer, the response is computed."""

MAX_AGE_MS = 60_000
"""The age at which an entry is deleted."""

MAX_AGE_UNWATCHED_MS = 2_000
"""The age at which an entry is no longer used while no process reads the events that drop entries."""

SETTLING_MS, MAX_AGE_SETTLING_MS = 10_000, 1_000
"""For this long after an event, the stores from which a response is computed may not have the change yet. An
entry that depends on it is deleted at this age."""

LOCK_TTL_MS = 5_000
"""The time after which another process may compute an entry, too."""

MAX_CONTENT_BYTES = 256 * 1024
"""A larger response is not stored."""

MAX_BYTES = 32 * 1024 * 1024
"""The largest total size of entries. The bundled Redis may use `redis_max_memory_mb`, 512 MB by default, and
refuses writes of the jobs once it is full; so a store that exceeds this size first deletes the entries that
expire next."""


@dataclass(frozen=True, slots=True)
class CacheReading:
    """An entry as it was read. `content` is None if there is none that may be used.

    With `has_lock`, the reader must compute the entry and call `store` or `release`. `sequence` is the number
    of the newest change at the time of the reading.
    """

    content: bytes | None
    old: bool
    has_lock: bool
    token: str
    sequence: int


class CacheStore:
    """Entries in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._begin = redis.register_script(script("begin"))
        self._store = redis.register_script(script("store"))
        self._release = redis.register_script(script("release"))

    async def begin(self, entry: str, refresh_after_ms: int) -> CacheReading:
        """Read an entry. An entry older than `refresh_after_ms` is `old`.

        Raises:
            RedisUnavailable: Redis does not answer within `TIMEOUT_S`.
        """
        token = token_hex(8)
        ages = (refresh_after_ms, MAX_AGE_MS, MAX_AGE_UNWATCHED_MS)
        reply: Any = self._begin(
            keys=(entry, lock_key(entry), SEQUENCE, FLOOR, WATCHED),
            args=(tag_key(""), *ages, token, LOCK_TTL_MS),
        )
        content, old, locked, sequence = await run_redis(reply, TIMEOUT_S)
        return CacheReading(content, old == 1, locked == 1, token, int(sequence))

    async def store(self, entry: str, reading: CacheReading, content: bytes, tags: Collection[str]) -> bool:
        """Store what was computed after `reading`, and return the lock.

        Returns whether it was stored: not if it is too large, or if one of the tags has changed meanwhile.

        Raises:
            RedisUnavailable: Redis does not answer within `TIMEOUT_S`, or is full.
        """
        if len(content) > MAX_CONTENT_BYTES:
            await self.release(entry, reading)
            return False
        ages = (MAX_AGE_MS, SETTLING_MS, MAX_AGE_SETTLING_MS)
        reply: Any = self._store(
            keys=(entry, lock_key(entry), FLOOR, INDEX, SIZES, BYTES),
            args=(
                *(tag_key(""), reading.token, reading.sequence, *ages, MAX_BYTES),
                *(orjson.dumps(sorted(tags)), content),
            ),
        )
        return bool(await run_redis(reply, TIMEOUT_S))

    async def release(self, entry: str, reading: CacheReading) -> None:
        """Return the lock without storing anything.

        Raises:
            RedisUnavailable: Redis does not answer within `TIMEOUT_S`. The lock expires.
        """
        reply: Any = self._release(keys=(lock_key(entry),), args=(reading.token,))
        await run_redis(reply, TIMEOUT_S)


def script(name: str) -> str:
    """Return the text of a script in `scripts/`."""
    return (SCRIPTS / f"{name}.lua").read_text()
