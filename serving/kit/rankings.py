"""Reads the rankings that job `rankings` writes into Redis."""

from typing import Literal

from serving.kit.live_versions import LiveVersions
from serving.kit.redis_client import run_redis

Ranking = Literal["popular", "trending"]

HALF_LIFE_DAYS: dict[Ranking, int] = {"popular": 30, "trending": 7}
KEYS: dict[Ranking, str] = {"popular": "popular_products", "trending": "trending_products"}


async def ranking(versions: LiveVersions, name: Ranking, n: int) -> list[tuple[str, float]]:
    """Return the first `n` products with their weight relative to the first, best first.

    A score in Redis is a time in seconds. A product whose score is one half-life lower has half the weight
    (docs/architecture.md).

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    key = await versions.prefix("rankings") + KEYS[name]
    entries = await run_redis(versions.redis.zrange(key, 0, n - 1, desc=True, withscores=True))
    if not entries:
        return []
    best, half_life_s = float(entries[0][1]), HALF_LIFE_DAYS[name] * 86_400
    return [
        (member.decode(), round(2.0 ** ((float(score) - best) / half_life_s), 6)) for member, score in entries
    ]
