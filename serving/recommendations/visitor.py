"""What is known of whoever asks: what they looked at, put into the cart and bought, in one round trip."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import floor
from typing import Any

from redis.asyncio import Redis

from serving.products import Cards
from serving.redis_client import answered

Moments = Mapping[str, float]
"""product_id → when, in Unix seconds; newest first, without what was taken back since."""


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
    purchases = _moments(bought)
    return Visitor(_moments(viewed), in_cart(_moments(carted), purchases), purchases, moment)


def in_cart(changed: Moments, bought: Moments) -> Moments:
    """When what is still in the cart was put there: without what was taken out, or bought at or after that.

    Args:
        changed: product → when it was last put into the cart, to the millisecond, or taken out: then it is
            half a millisecond more (jobs/recommendations/views/carts.sql).
        bought: product → when it was last bought, to the second: in whichever order both came in one second,
            it counts as bought after.
    """
    return {
        product_id: floor(moment)
        for product_id, moment in changed.items()
        if not _taken_out(moment) and (product_id not in bought or bought[product_id] < floor(moment))
    }


def _taken_out(moment: float) -> bool:
    return round(moment * 2_000) % 2 == 1


def _moments(members: list[tuple[bytes, float]]) -> Moments:
    """Without what is 0: `bought` is where each order was cancelled."""
    return {member.decode(): moment for member, moment in members if moment > 0}
