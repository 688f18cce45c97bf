"""The popular products that were read last, for answers while Redis is away."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.clock import Clock
from common.ids import new_id
from common.timeouts import PEER_TIMEOUT_S
from serving.kit.polled import PolledValue
from serving.recommendations.recommender import Popular
from serving.recommendations.schemas import AskedSource, Item, Recommendations
from serving.recommendations.strategies import STRATEGIES

READ_EVERY_S = 10.0
READ_ITEMS = 50
"""The number of products that are kept: the longest list that can be asked for."""

MAX_AGE = timedelta(minutes=15)
"""Older products are not shown: their prices and their stock may have changed."""


@dataclass(frozen=True, slots=True)
class PopularItems:
    """Popular products that the rules of the shop allow for anybody, and when they were read."""

    read_at: datetime
    items: Sequence[Item]


def polled_popular_items(
    read: Callable[[int], Awaitable[Sequence[Item]]], clock: Clock
) -> PolledValue[PopularItems | None]:
    """Return the popular products, read again and again by `read`, which takes their number."""

    async def read_now() -> PopularItems | None:
        return PopularItems(clock(), await read(READ_ITEMS))

    return PolledValue("popular products", None, read_now, READ_EVERY_S, PEER_TIMEOUT_S)


def answer_without_redis(
    last: PopularItems | None, n: int, left_out: Collection[str], now: datetime
) -> Recommendations | None:
    """Return at most `n` of the products that were read last; None if there are none, or only old ones.

    Nothing is known of the visitor, and whether a product was sold since: the checkout checks it.
    """
    items = [] if last is None or now - last.read_at > MAX_AGE else last.items
    shown = [item for item in items if item["product_id"] not in left_out][:n]
    if not shown:
        return None
    parts: list[AskedSource] = [
        {"source": name, "answered": known, "reason": None if known else "no_redis"}
        for name in dict.fromkeys(STRATEGIES["blend"].sources)
        for known in (name == Popular.strategy,)
    ]
    return {
        "recommendation_id": new_id(),
        "strategy": "popular",
        "model_version": None,
        "experiment": None,
        "variant": None,
        "as_of": None,
        "parts": parts,
        "items": shown,
    }
