"""Opens the Redis client, and runs commands with one timeout for all replies of a pipeline."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

from redis.asyncio import Connection, Redis
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisError
from redis.typing import EncodableT

from common.settings import Settings
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.circuit_breaker import BreakerOpen, CircuitBreaker
from serving.kit.problems import RedisUnavailable

T = TypeVar("T")

OPTIONAL_TIMEOUT_S = 0.5
"""Timeout of reads with a fallback: another store has the data, or the page is rendered without it."""


breaker = CircuitBreaker("redis", (RedisError, OSError))
"""The breaker of this process for all its reads through `run_redis`."""


class HiredisConnection(Connection):
    """A connection that packs commands in C. redis-py itself does so only in its synchronous client."""

    _serializer: Any = HiredisRespSerializer()

    def pack_command(self, *args: EncodableT) -> list[bytes]:
        """Return a command in the format of the Redis protocol."""
        packed: list[bytes] = self._serializer.pack(*args)
        return packed


def open_redis(settings: Settings) -> Redis:
    """Return the client for these settings. It has no timeouts: run its commands through `run_redis`."""
    redis: Redis = Redis.from_url(
        settings.redis, socket_connect_timeout=PEER_TIMEOUT_S, connection_class=HiredisConnection
    )
    return redis


async def run_redis(command: Awaitable[T], timeout_s: float = PEER_TIMEOUT_S) -> T:
    """Return the reply to one command, or the replies to a pipeline.

    Raises:
        RedisUnavailable: Redis does not answer within `timeout_s`, or failed too often just now.
    """
    try:
        with breaker.attempt():
            async with asyncio.timeout(timeout_s):
                return await command
    except BreakerOpen as error:
        if isinstance(command, Coroutine):
            command.close()  # otherwise Python warns that it was never awaited
        raise RedisUnavailable(
            f"Redis does not answer. It is tried again in {error.retry_after_s} s; see ./souk status.",
            error.retry_after_s,
        ) from error
    except (RedisError, OSError) as error:
        raise RedisUnavailable(
            f"Redis does not answer ({type(error).__name__}). "
            "See ./souk status; ./souk up starts what is missing."
        ) from error
