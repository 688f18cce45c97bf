"""Sorts the products of a list by what a visitor likes. Pure."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log, log1p
from statistics import fmean
from typing import NamedTuple

NEIGHBOURS, POPULARITY, SELLER, CATEGORY, PRICE = 0.5, 1.0, 0.02, 0.02, 0.02
"""The weight of each part of a score; each part is from 0 to 1 (measured: docs/recommendations.md)."""


class Hit(NamedTuple):
    """A product of a list. `rank` says how well it matches the search: 0 is best."""

    product_id: str
    rank: int
    seller_id: str
    category: str | None
    price_minor: int


@dataclass(frozen=True, slots=True)
class Taste:
    """What a visitor likes, from 0 to 1 each.

    `neighbours` has the blended scores of the products that go with those of the visitor. `sellers` and
    `categories` have their shares of the visitor's products, and `log_prices` the mean logarithm of the
    prices of these products by category.
    """

    neighbours: Mapping[str, float] = field(default_factory=dict)
    sellers: Mapping[str, float] = field(default_factory=dict)
    categories: Mapping[str, float] = field(default_factory=dict)
    log_prices: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, neighbours: Mapping[str, float], products: Sequence[Hit]) -> "Taste":
        """Return the taste of a visitor who viewed, carted or bought these products."""
        prices: dict[str, list[float]] = {}
        for hit in products:
            if hit.category:
                prices.setdefault(hit.category, []).append(log(max(1, hit.price_minor)))
        return cls(
            neighbours,
            _shares(hit.seller_id for hit in products),
            _shares(hit.category for hit in products if hit.category),
            {category: fmean(logarithms) for category, logarithms in prices.items()},
        )

    def parts(self, hit: Hit, popularity: float) -> Sequence[float]:
        """Return the weighted parts of a product's score, that of `NEIGHBOURS` first.

        Args:
            hit: the product.
            popularity: that of the product relative to the most popular one of the list.
        """
        typical = self.log_prices.get(hit.category or "")
        price = exp(-abs(log(max(1, hit.price_minor)) - typical)) if typical is not None else 0.0
        return (
            NEIGHBOURS * self.neighbours.get(hit.product_id, 0.0),
            POPULARITY * popularity,
            SELLER * self.sellers.get(hit.seller_id, 0.0),
            CATEGORY * self.categories.get(hit.category or "", 0.0),
            PRICE * price,
        )


def _shares(names: Iterable[str]) -> dict[str, float]:
    counts = Counter(names)
    return {name: count / counts.total() for name, count in counts.items()}


def relative_popularity(interest: Mapping[str, float]) -> dict[str, float]:
    """Return the logarithm of each product's interest relative to the largest, from 0 to 1."""
    most = max((log1p(each) for each in interest.values()), default=0.0)
    return {product: log1p(each) / most if most else 0.0 for product, each in interest.items()}


class PlacedHit(NamedTuple):
    """A product in the visitor's order. If it `follows`, the neighbours are the largest part of its score."""

    hit: Hit
    follows: bool


def by_taste(
    hits: Sequence[Hit], taste: Taste, interest: Mapping[str, float], refused: Collection[str] = ()
) -> list[PlacedHit]:
    """Return the products in the visitor's order.

    A better match stays before a worse one. Equally good matches are sorted by the sum of `Taste.parts`. A
    `refused` product has the score 0: it is not moved up. Products with equal scores keep their order.
    """
    popularity = relative_popularity(interest)
    scored: list[tuple[float, PlacedHit]] = []
    for hit in hits:
        if hit.product_id in refused:
            scored.append((0.0, PlacedHit(hit, follows=False)))
            continue
        parts = taste.parts(hit, popularity.get(hit.product_id, 0.0))
        scored.append((sum(parts), PlacedHit(hit, follows=parts[0] > max(parts[1:]))))
    return [placed for _, placed in sorted(scored, key=lambda one: (one[1].hit.rank, -one[0]))]
