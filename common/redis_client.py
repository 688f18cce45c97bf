"""Opens a client of the Redis in which jobs store their results and versions."""

from collections.abc import Iterator
from contextlib import contextmanager

import redis

from common.errors import PartUnavailable
from common.settings import Settings
from common.urls import redact_password

_TIMEOUT_S = 10.0


@contextmanager
def redis_client(settings: Settings) -> Iterator["redis.Redis"]:
    """Yield a client; errors of Redis are raised as PartUnavailable."""
    with (
        redis.Redis.from_url(
            settings.redis,
            decode_responses=True,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
        ) as client,
        as_part_unavailable(settings),
    ):
        yield client


@contextmanager
def as_part_unavailable(settings: Settings) -> Iterator[None]:
    """Raise errors of Redis as PartUnavailable."""
    try:
        yield
    except redis.RedisError as error:
        raise PartUnavailable(
            f"Redis at {redact_password(settings.redis)} does not answer: {error}"
        ) from error


def require_redis(settings: Settings) -> None:
    """Check that Redis answers.

    Raises:
        PartUnavailable: it does not.
    """
    with redis_client(settings) as client:
        client.ping()
