"""The rankings that job `metrics` keeps in Redis."""

from typing import Literal

from redis.asyncio import Redis
from redis.exceptions import RedisError

from serving.problems import RedisUnavailable

Ranking = Literal["popular", "trending"]

HALF_LIFE_DAYS: dict[Ranking, int] = {"popular": 30, "trending": 7}
KEYS: dict[Ranking, str] = {"popular": "popular_products", "trending": "trending_products"}


async def ranking(redis: Redis, name: Ranking, n: int) -> list[tuple[str, float]]:
    """The first `n` product ids with their scores relative to the first one's, best first.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    try:
        entries = await redis.zrange(KEYS[name], 0, n - 1, desc=True, withscores=True)
    except (RedisError, OSError) as error:
        raise RedisUnavailable(
            f"Redis does not answer ({type(error).__name__}). "
            "See ./souk status; ./souk up starts what is missing."
        ) from error
    if not entries:
        return []
    best = float(entries[0][1])
    return [(member.decode(), round(float(score) / best, 6) if best else 0.0) for member, score in entries]
