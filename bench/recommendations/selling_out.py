"""Measures whether lists show a product a second after the order of its last unit was accepted."""

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson
from redis import Redis
from rich.console import Console

from bench.durations import Quantiles
from bench.recommendations.shop_client import ShopClient, await_true
from bench.recommendations.small_shop import product
from common.errors import SoukError
from common.job_versions import LIVE_FIELD, key_prefix, state_key
from common.settings import Settings
from serving.kit.product_cards import KEY

GRACE_S = 1.0
"""A product that sold out longer ago must not be recommended."""

VISITORS = 50
"""The visitors whose lists sell out at the same time."""

LINES = 100
"""The largest number of products that one order buys."""

SENDERS = 4

BUYER = "bench-buyer"
"""One shopper buys everything: an order of another one would add to the co-visits that the lists follow."""


@dataclass(frozen=True)
class SellingOutResult:
    """`tries` products of lists were sold out, and `shown` of them were in a list more than a second later.

    `gone` are the times from the acceptance of an order to the request, of one visitor of each round, whose
    answer is the first without its products.
    """

    tries: int
    shown: int
    gone: Quantiles


def measure(settings: Settings, client: ShopClient, tries: int, console: Console) -> SellingOutResult:
    """Buy the stock of products that are in lists, in rounds, until `tries` products of lists were sold out.

    Raises:
        SoukError: an order is cancelled, or the stock does not come back.
    """
    visitors = [f"bench-keeper-{uuid4().hex[:8]}-{number}" for number in range(VISITORS)]
    for number, visitor in enumerate(visitors):
        client.view(visitor, product(number))
    await_true(lambda: all(client.ids(visitor) for visitor in visitors), "answers to all")
    shown, done, gone = 0, 0, []
    with Redis.from_url(settings.redis) as redis, ThreadPoolExecutor(SENDERS) as senders:
        while done < tries:
            before = dict(zip(visitors, senders.map(client.ids, visitors), strict=True))
            chosen = _best(before, LINES)
            _restock(client, redis, chosen)
            order_id = client.order(BUYER, dict.fromkeys(chosen, 1))
            accepted = time.perf_counter()
            gone_at, late = _await_gone(client, visitors[0], chosen, accepted + GRACE_S)
            gone.append(gone_at - accepted)
            shown += late
            time.sleep(max(0.0, accepted + GRACE_S - time.perf_counter()))
            shown += sum(len(chosen.intersection(ids)) for ids in senders.map(client.ids, visitors))
            done += sum(len(chosen.intersection(ids)) for ids in before.values())
            _await_confirmation(client, order_id)
            _restock(client, redis, chosen)
            if len(gone) % 10 == 0:
                console.print(f"  {done:,} products of lists were sold out", highlight=False)
    return SellingOutResult(done, shown, Quantiles.of(gone))


def _best(lists: Mapping[str, list[str]], limit: int) -> set[str]:
    """Return at most `limit` products, those in the best places first."""
    by_place = (ids[place] for place in range(12) for ids in lists.values() if place < len(ids))
    return set(list(dict.fromkeys(by_place))[:limit])


def _await_confirmation(client: ShopClient, order_id: str) -> None:
    def is_confirmed() -> bool:
        status = client.order_status(order_id)
        if status == "cancelled":
            raise SoukError(f"order {order_id} was cancelled, so its products were never sold out")
        return status == "confirmed"

    await_true(is_confirmed, "the confirmation of an order", 0.05)


def _await_gone(
    client: ShopClient, visitor: str, product_ids: set[str], allowed_until: float
) -> tuple[float, int]:
    """Wait until a visitor's list has none of the products.

    Returns when the list that has none of them was requested, and how many of them were in a list that was
    requested after `allowed_until`.
    """
    late: set[str] = set()
    requested = 0.0

    def is_gone() -> bool:
        nonlocal requested
        requested = time.perf_counter()
        found = product_ids.intersection(client.ids(visitor))
        if requested > allowed_until:
            late.update(found)
        return not found

    await_true(is_gone, "a list without what was sold")
    return requested, len(late)


def _restock(client: ShopClient, redis: Redis, product_ids: Collection[str]) -> None:
    """Give each product one unit that can be bought, and wait until the cards say so.

    A unit that is still reserved, because its sale is not booked yet, will not be on hand afterwards. So the
    stock is set again until the cards have it.
    """

    def is_available() -> bool:
        return client.set_stock(1, product_ids) and _all_available(redis, product_ids)

    await_true(is_available, "the stock", 0.2)


def _all_available(redis: Redis, product_ids: Collection[str]) -> bool:
    """Return whether the cards of all products say that a unit is available."""
    live: Any = redis.hget(state_key("recommendations"), LIVE_FIELD)
    prefix = key_prefix(live.decode() if live else "")
    found: list[Any] = [redis.hget(prefix + KEY.format(each), "stock") for each in product_ids]
    return all(stock and max(orjson.loads(stock).values()) > 0 for stock in found)
