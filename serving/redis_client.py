"""The client of Redis: redis-py with its packing in C, and one longest wait for all answers of a pipeline."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

from redis.asyncio import Connection, Redis
from redis.connection import HiredisRespSerializer
from redis.exceptions import RedisError
from redis.typing import EncodableT

from common.patience import PATIENCE_S
from common.settings import Settings
from serving.problems import RedisUnavailable

T = TypeVar("T")

SOON_S = 0.5
"""The longest wait for what can be had elsewhere, or done without."""


class PackedInC(Connection):
    """redis-py itself uses hiredis' packing only where it does not use asyncio; a pipeline is 60 commands."""

    _serializer: Any = HiredisRespSerializer()

    def pack_command(self, *args: EncodableT) -> list[bytes]:
        """A command as the protocol has it."""
        packed: list[bytes] = self._serializer.pack(*args)
        return packed


def open_redis(settings: Settings) -> Redis:
    """The Redis of these settings. What is asked of it belongs into `answered`: it has no limits."""
    redis: Redis = Redis.from_url(
        settings.redis, socket_connect_timeout=PATIENCE_S, connection_class=PackedInC
    )
    return redis


async def answered(asked: Awaitable[T], within_s: float = PATIENCE_S) -> T:
    """Redis's answer, be it to one command or to a pipeline.

    Raises:
        RedisUnavailable: there is none within `within_s`.
    """
    try:
        async with asyncio.timeout(within_s):
            return await asked
    except (RedisError, OSError) as error:
        raise RedisUnavailable(
            f"Redis does not answer ({type(error).__name__}). "
            "See ./souk status; ./souk up starts what is missing."
        ) from error
