"""Product cards: what a page or a recommendation shows of a product, many in one round trip to Redis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from common.patience import PATIENCE_S
from serving.redis_client import answered

FIELDS = ("seller_id", "name", "category", "currency", "price_minor", "listed", "available")
"""The fields of the hash `product:{product_id}` that job `recommendations` keeps."""

_WIRE_FIELDS = [name.encode() for name in FIELDS]
"""As they are sent: encoding them for every card would take a fifth of a recommendation."""

KEY = "product:{}"

Field = bytes | str | None


@dataclass(frozen=True, slots=True)
class ProductCard:
    """One product as it is now.

    `available` is the units that nobody holds, None where nobody ever counted them.
    """

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    currency: str
    price_minor: int
    listed: bool
    available: int | None

    @property
    def for_sale(self) -> bool:
        """Whether it is listed and not sold out; what nobody counts is never sold out."""
        return self.listed and (self.available is None or self.available > 0)


class Cards:
    """The cards that one request needs: each is read once, and kept no longer than the request.

    What was read becomes a `ProductCard` when it is looked at.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._read: dict[str, Sequence[Field]] = {}
        self._cards: dict[str, ProductCard | None] = {}

    def ask(self, pipeline: Any, product_ids: Iterable[str]) -> list[str]:
        """Have a pipeline read those that were not read yet, and return them: its next answers are theirs."""
        missing = [each for each in dict.fromkeys(product_ids) if each not in self._read]
        for product_id in missing:
            pipeline.hmget(KEY.format(product_id), _WIRE_FIELDS)
        return missing

    def keep(self, product_ids: Iterable[str], answers: Iterable[Sequence[Field]]) -> None:
        """Keep what a pipeline answered to `ask`."""
        self._read.update(zip(product_ids, answers, strict=True))

    async def fetch(self, product_ids: Iterable[str], within_s: float = PATIENCE_S) -> None:
        """Ask Redis for those that were not read yet.

        Raises:
            RedisUnavailable: there is no answer within `within_s`.
        """
        pipeline: Any = self._redis.pipeline(transaction=False)
        if missing := self.ask(pipeline, product_ids):
            self.keep(missing, await answered(pipeline.execute(), within_s))

    def get(self, product_id: str) -> ProductCard | None:
        """A card that was read; None where nobody ever listed the product."""
        if product_id not in self._cards:
            self._cards[product_id] = card(product_id, self._read[product_id])
        return self._cards[product_id]

    async def read(self, product_ids: Iterable[str], within_s: float = PATIENCE_S) -> dict[str, ProductCard]:
        """The cards of these products by id, in the order asked; those that nobody ever listed are left out.

        Raises:
            RedisUnavailable: there is no answer within `within_s`.
        """
        asked = list(dict.fromkeys(product_ids))
        await self.fetch(asked, within_s)
        return {product_id: found for product_id in asked if (found := self.get(product_id))}


def card(product_id: str, fields: Sequence[Field]) -> ProductCard | None:
    """The card that these fields (in the order of `FIELDS`) hold; None where it was never listed."""
    if not _was_listed(fields):
        return None
    price: Any
    seller_id, name, category, currency, price, listed, available = fields
    return ProductCard(
        product_id=product_id,
        seller_id=_text(seller_id),
        name=_text(name) if name is not None else None,
        category=_text(category) if category is not None else None,
        currency=_text(currency),
        price_minor=int(price),
        listed=listed is None or int(listed) == 1,
        available=int(available) if available is not None else None,
    )


def _was_listed(fields: Sequence[Field]) -> bool:
    return fields[0] is not None and fields[3] is not None and fields[4] is not None


def _text(field: Field) -> str:
    return field.decode() if isinstance(field, bytes) else str(field)
