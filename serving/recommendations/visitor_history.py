"""Reads what a visitor viewed, put into the cart and bought, in one round trip to Redis."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import floor
from typing import Any

from redis.asyncio import Redis

from serving.kit.product_cards import ProductCardLoader
from serving.kit.redis_client import run_redis
from serving.recommendations.trained_models import TrainedModels

ProductTimes = Mapping[str, float]
"""product_id → time of the last action in Unix seconds, newest first.

Of purchases, those in cancelled orders do not count, and the time has half a second more once the order is
confirmed (jobs/recommendations/bought.sql).
"""


@dataclass(frozen=True, slots=True)
class VisitorHistory:
    """What a shopper or an anonymous session did. It is empty for a new visitor.

    `as_of` is the time of the newest browsing event that was read; None before the first.
    """

    viewed: ProductTimes
    carted: ProductTimes
    bought: ProductTimes
    as_of: datetime | None

    def has_paid(self, product_id: str) -> bool:
        """Return whether the newest purchase of a product was confirmed, which is after its payment.

        Until then the payment may be declined, so nothing may say that the visitor bought the product.
        """
        return self.bought.get(product_id, 0.0) % 1.0 > 0.0


async def read_visitor_history(
    redis: Redis,
    visitor_id: str,
    cards: ProductCardLoader,
    product_id: str | None,
    models: TrainedModels,
) -> tuple[VisitorHistory, Sequence[bytes | None]]:
    """Return the history of a shopper or session, and the reply to `models.queue`.

    The same round trip reads the card of `product_id`.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    pipeline: Any = redis.pipeline(transaction=False)
    for kind in ("recent", "carted", "bought"):
        pipeline.zrange(f"{cards.prefix}{kind}:{visitor_id}", 0, -1, desc=True, withscores=True)
    pipeline.hget(f"{cards.prefix}recommendations_as_of", "product_viewed")
    models.queue(pipeline)
    missing = cards.queue(pipeline, [product_id] if product_id else [])
    viewed, carted, bought, as_of, model, *card_replies = await run_redis(pipeline.execute())
    cards.store(missing, card_replies)
    moment = datetime.fromtimestamp(int(as_of), UTC) if as_of else None
    purchases = _product_times(bought)
    cart = in_cart(_product_times(carted), purchases)
    return VisitorHistory(_product_times(viewed), cart, purchases, moment), model


def with_cart(visitor: VisitorHistory, cart: Collection[str], now_s: float) -> VisitorHistory:
    """Return the history of a visitor whose browser has exactly these products in its cart.

    A browser stores its own cart, so events of other browsers and late events don't tell what is in it. A
    product whose event is not read yet counts as added now (`now_s`, Unix seconds).
    """
    carted = {product_id: visitor.carted.get(product_id, now_s) for product_id in cart}
    return replace(visitor, carted=dict(sorted(carted.items(), key=lambda each: -each[1])))


def in_cart(changed: ProductTimes, bought: ProductTimes) -> ProductTimes:
    """Return product → when it was put into the cart, without products taken out or bought since.

    Args:
        changed: product → when it was last put into the cart or taken out, to the millisecond. The time of a
            removal has half a millisecond added (jobs/recommendations/views/carts.sql).
        bought: product → when it was last bought, to the second, and half a second if it was confirmed. If
            both happened in the same second, the product counts as bought afterwards.
    """
    return {
        product_id: floor(moment)
        for product_id, moment in changed.items()
        if round(moment * 2_000) % 2 == 0 and (product_id not in bought or bought[product_id] < floor(moment))
    }


def _product_times(members: list[tuple[bytes, float]]) -> ProductTimes:
    """Return the members whose time is not 0. It is 0 for a product whose every order was cancelled."""
    return {member.decode(): moment for member, moment in members if moment > 0}
