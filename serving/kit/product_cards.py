"""Loads product cards (the offers that lists show) from Redis, many in one round trip."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from redis.asyncio import Redis

from common.timeouts import PEER_TIMEOUT_S
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.live_versions import LiveVersions
from serving.kit.offers import Offer, Stock, choose_offer, read_offers, read_stock
from serving.kit.problems import RedisUnavailable
from serving.kit.redis_client import OPTIONAL_TIMEOUT_S, run_redis

_FIELDS = (b"offers", b"stock")
"""The fields of the hash `product:{product_id}`. They are encoded once: encoding them for each read took a
fifth of the time of a recommendation."""

KEY = "product:{}"


async def open_cards(versions: LiveVersions, timeout_s: float = PEER_TIMEOUT_S) -> "ProductCardLoader":
    """Return a loader of cards for one request, which reads the live version of job `recommendations`.

    Raises:
        RedisUnavailable: Redis does not answer within `timeout_s`.
    """
    return ProductCardLoader(versions.redis, await versions.prefix("recommendations", timeout_s))


async def read_known_cards(versions: LiveVersions, product_ids: Iterable[str]) -> dict[str, Offer]:
    """Return the cards of these products that Redis has; none while Redis does not answer."""
    try:
        loader = await open_cards(versions, OPTIONAL_TIMEOUT_S)
        return await loader.read(product_ids, OPTIONAL_TIMEOUT_S)
    except RedisUnavailable:
        return {}


async def read_known_stock(versions: LiveVersions, product_ids: Sequence[str]) -> Mapping[str, Stock]:
    """Return the available units of each seller by product; none while Redis does not answer."""
    try:
        loader = await open_cards(versions, OPTIONAL_TIMEOUT_S)
        await loader.load(product_ids, OPTIONAL_TIMEOUT_S)
    except RedisUnavailable:
        mark_incomplete()
        return {}
    return {product_id: loader.stock(product_id) for product_id in product_ids}


class ProductCardLoader:
    """Loads the cards of one request. Each product is read once, and its offers are parsed when needed.

    `prefix` is that of the live version of job `recommendations`, for all that this request reads.
    """

    def __init__(self, redis: Redis, prefix: str) -> None:
        self._redis, self.prefix = redis, prefix
        self._replies: dict[str, Sequence[bytes | None]] = {}
        self._offers: dict[str, tuple[Offer, ...]] = {}
        self._cards: dict[str, Offer | None] = {}

    def queue(self, pipeline: Any, product_ids: Iterable[str]) -> list[str]:
        """Add a read of each product that was not read yet to a pipeline, and return these products."""
        missing = [each for each in dict.fromkeys(product_ids) if each not in self._replies]
        for product_id in missing:
            pipeline.hmget(self.prefix + KEY.format(product_id), _FIELDS)
        return missing

    def store(self, product_ids: Iterable[str], replies: Iterable[Sequence[bytes | None]]) -> None:
        """Store the pipeline's replies to the reads that `queue` added."""
        self._replies.update(zip(product_ids, replies, strict=True))

    async def load(self, product_ids: Iterable[str], timeout_s: float = PEER_TIMEOUT_S) -> None:
        """Read the products that were not read yet.

        Raises:
            RedisUnavailable: Redis does not answer within `timeout_s`.
        """
        pipeline: Any = self._redis.pipeline(transaction=False)
        if missing := self.queue(pipeline, product_ids):
            self.store(missing, await run_redis(pipeline.execute(), timeout_s))

    def offers(self, product_id: str) -> tuple[Offer, ...]:
        """Return the offers of a product that was loaded; none if it was never listed."""
        if product_id not in self._offers:
            self._offers[product_id] = read_offers(product_id, *self._replies[product_id])
        return self._offers[product_id]

    def stock(self, product_id: str) -> Stock:
        """Return the available units of each seller of a product that was loaded."""
        return read_stock(self._replies[product_id][1])

    def get(self, product_id: str) -> Offer | None:
        """Return the offer that the card of a loaded product shows; None if it was never listed."""
        if product_id not in self._cards:
            self._cards[product_id] = choose_offer(self.offers(product_id))
        return self._cards[product_id]

    async def read(self, product_ids: Iterable[str], timeout_s: float = PEER_TIMEOUT_S) -> dict[str, Offer]:
        """Return the cards of these products by id, in this order, without products that were never listed.

        Raises:
            RedisUnavailable: Redis does not answer within `timeout_s`.
        """
        ids = list(dict.fromkeys(product_ids))
        await self.load(ids, timeout_s)
        return {product_id: card for product_id in ids if (card := self.get(product_id))}
