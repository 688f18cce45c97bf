"""Product cards: what a page or a recommendation shows of a product, many in one round trip to Redis."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

from serving.redis_client import ANSWER_S, answered

FIELDS = ("seller_id", "name", "category", "currency", "price_minor", "listed", "available", "interest")
"""The fields of the hash `product:{product_id}` that job `recommendations` keeps."""

_WIRE_FIELDS = [name.encode() for name in FIELDS]
"""As they are sent: encoding them for every card would take a fifth of a recommendation."""

KEY = "product:{}"

Field = bytes | str | None


@dataclass(frozen=True, slots=True)
class ProductCard:
    """One product as it is now.

    `available` is the units that nobody holds, None where nobody ever counted them. `interest` is how often
    it was viewed, added and bought, in the same decayed units as the scores of `similar:{product_id}`.
    """

    product_id: str
    seller_id: str
    name: str | None
    category: str | None
    currency: str
    price_minor: int
    listed: bool
    available: int | None
    interest: float

    @property
    def for_sale(self) -> bool:
        """Whether it is listed and not sold out; what nobody counts is never sold out."""
        return self.listed and (self.available is None or self.available > 0)


async def read_cards(
    redis: Redis, product_ids: Iterable[str], within_s: float = ANSWER_S
) -> dict[str, ProductCard]:
    """The cards of these products by id, in the order asked; those that nobody ever listed are left out.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    asked = list(dict.fromkeys(product_ids))
    if not asked:
        return {}
    pipeline: Any = redis.pipeline(transaction=False)
    for product_id in asked:
        pipeline.hmget(KEY.format(product_id), _WIRE_FIELDS)
    answers: list[Any] = await answered(pipeline.execute(), within_s)
    cards = (card(product_id, fields) for product_id, fields in zip(asked, answers, strict=True))
    return {found.product_id: found for found in cards if found}


class Cards:
    """The cards that one request needs: each is read once, and kept no longer than the request."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._known: dict[str, ProductCard | None] = {}

    async def read(self, product_ids: Iterable[str]) -> dict[str, ProductCard]:
        """As `read_cards`; asks Redis only for those that it has not been asked for yet."""
        asked = list(product_ids)
        if missing := [product_id for product_id in asked if product_id not in self._known]:
            found = await read_cards(self._redis, missing)
            self._known |= {product_id: found.get(product_id) for product_id in missing}
        return {product_id: card for product_id in asked if (card := self._known[product_id])}


def card(product_id: str, fields: Sequence[Field]) -> ProductCard | None:
    """The card that these fields (in the order of `FIELDS`) hold; None where it was never listed."""
    seller_id, name, category, currency, price, listed, available, interest = fields
    if seller_id is None or currency is None or price is None:
        return None
    return ProductCard(
        product_id=product_id,
        seller_id=_text(seller_id),
        name=_text(name) if name is not None else None,
        category=_text(category) if category is not None else None,
        currency=_text(currency),
        price_minor=int(price),
        listed=listed is None or int(listed) == 1,
        available=int(available) if available is not None else None,
        interest=float(interest) if interest is not None else 0.0,
    )


def _text(field: Field) -> str:
    return field.decode() if isinstance(field, bytes) else str(field)
