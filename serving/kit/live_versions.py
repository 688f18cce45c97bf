"""Reads from Redis which version of each Flink job is live. Readers use the keys of that version."""

from time import monotonic
from typing import Any, Literal

from redis.asyncio import Redis

from common.job_versions import LIVE_FIELD, VERSIONED_JOBS, key_prefix, state_key
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.redis_client import run_redis

MAX_AGE_S = 1.0
"""How long an answer is used. The keys of a dropped version are deleted much later."""

VersionedJob = Literal["rankings", "recommendations"]


class LiveVersions:
    """The live version of each job, at most `MAX_AGE_S` old.

    A list is read from one version: its code asks once, and uses the answer to its end.
    """

    def __init__(self, redis: Redis) -> None:
        self.redis = redis
        """The client."""
        self._prefixes: dict[str, str] = {}
        self._read_at = float("-inf")

    async def prefix(self, job: VersionedJob, timeout_s: float = PEER_TIMEOUT_S) -> str:
        """Return the prefix of the keys of a job's live version; empty if the job has no version yet.

        Raises:
            RedisUnavailable: Redis does not answer within `timeout_s`.
        """
        return (await self._current(timeout_s))[job]

    async def all_prefixes(self, timeout_s: float = PEER_TIMEOUT_S) -> tuple[str, ...]:
        """Return the prefixes of all jobs.

        Raises:
            RedisUnavailable: Redis does not answer within `timeout_s`.
        """
        return tuple((await self._current(timeout_s)).values())

    async def _current(self, timeout_s: float) -> dict[str, str]:
        if monotonic() - self._read_at > MAX_AGE_S:
            started = monotonic()
            pipeline: Any = self.redis.pipeline(transaction=False)
            for each in VERSIONED_JOBS:
                pipeline.hget(state_key(each), LIVE_FIELD)
            found = await run_redis(pipeline.execute(), timeout_s)
            self._prefixes = {
                each: key_prefix(version.decode() if version else "")
                for each, version in zip(VERSIONED_JOBS, found, strict=True)
            }
            self._read_at = started
        return self._prefixes
