"""What is known of whoever asks: what they looked at, put into the cart and bought, in one round trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis

from serving.products import Cards
from serving.redis_client import answered

Moments = Mapping[str, float]
"""product_id → when, in Unix seconds; newest first, without what was taken back since (0 in Redis)."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """A shopper or an anonymous session. Nobody is unknown: of some there is just nothing to tell yet.

    `as_of` is the newest browsing event that the answer can know of; None while there was none.
    """

    viewed: Moments
    carted: Moments
    bought: Moments
    as_of: datetime | None


async def read_visitor(redis: Redis, visitor_id: str, cards: Cards, beside: str | None) -> Visitor:
    """What Redis holds of a shopper or session; the card of the product beside is read on the same way.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    pipeline: Any = redis.pipeline(transaction=False)
    for kind in ("recent", "carted", "bought"):
        pipeline.zrange(f"{kind}:{visitor_id}", 0, -1, desc=True, withscores=True)
    pipeline.hget("recommendations_as_of", "product_viewed")
    missing = cards.ask(pipeline, [beside] if beside else [])
    viewed, carted, bought, as_of, *answers = await answered(pipeline.execute())
    cards.keep(missing, answers)
    moment = datetime.fromtimestamp(int(as_of), UTC) if as_of else None
    return Visitor(_moments(viewed), _moments(carted), _moments(bought), moment)


def _moments(members: list[tuple[bytes, float]]) -> Moments:
    return {member.decode(): moment for member, moment in members if moment > 0}
