"""How much products of one category are alike, by what their listings say. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from heapq import nlargest
from math import exp, log, sqrt
from sys import intern
from typing import NamedTuple

from serving.kit.offers import Offer
from serving.recommendations.scoring import Neighbours

WORD = 0.5
"""The weight of a shared word of the names; a shared attribute weighs 1."""

PRICE, POPULARITY = 0.25, 0.5
"""The weights of a near price and of popularity beside what is shared, each from 0 to 1. They decide among
products that share about equally much, and all where nothing is shared (docs/decisions/cold-start.md)."""

SIMILAR = 0.1
"""A product that shares less than this is not similar: it is popular in the category, at about the price."""

_WORDS = re.compile(r"[^\W_]{2,}")


class ProductContent(NamedTuple):
    """What the card of a product says of it.

    `traits` are its attributes, as `colour=blue`, and the words of its name, all folded. Imported products
    have no attributes, so that their words decide.
    """

    category: str | None
    group_id: str | None
    traits: tuple[str, ...]
    log_price: float


class AlikeProducts(NamedTuple):
    """The products of a category that are most like one of them, with their scores, best first.

    `similar` are those of `scores` that share attributes or words with it.
    """

    scores: Neighbours
    similar: Neighbours
    category: str | None


def words(text: str) -> list[str]:
    """Return the words of a text without capitals and accents, in their order, without single letters."""
    plain = "".join(each for each in unicodedata.normalize("NFKD", text) if not unicodedata.combining(each))
    return _WORDS.findall(plain.casefold())


def content_of(card: Offer) -> ProductContent:
    """Return the content of a product by its card."""
    attributes = (f"{key}={value}".casefold() for key, value in card.attributes.items())
    traits = dict.fromkeys((*attributes, *words(card.name or "")))
    return ProductContent(
        card.category and intern(card.category),
        card.group_id,
        tuple(map(intern, traits)),
        log(max(1, card.price_minor)),
    )


def most_alike(
    own: ProductContent,
    others: Mapping[str, ProductContent],
    popularity: Mapping[str, float],
    limit: int,
) -> AlikeProducts:
    """Return the `limit` products that are most like one of the same category.

    The score is shared + `PRICE` · near + `POPULARITY` · √popular. `shared` is the weight of the traits that
    both have, relative to that of all traits which the product shares with any other. A trait weighs the
    logarithm of how rare it is among the others (Spärck Jones 1972, inverse document frequency), so that a
    brand says more than a frequent colour. A product with more traits is not more alike for that: what it
    shares is divided by the root of how many times as many it has. `near` is exp(−|ln(price / own price)|).

    Args:
        own: the content of the product.
        others: product → its content. Those of another category and variants of the product are left out.
        popularity: product → its popularity in the category, from 0 to 1; a missing product has 0.
        limit: the largest number of products to return.
    """
    candidates = {
        product_id: each
        for product_id, each in others.items()
        if each.category == own.category and (not own.group_id or each.group_id != own.group_id)
    }
    weights = _trait_weights(own, candidates)
    whole = sum(weights.values())
    shared: dict[str, float] = {}
    scores: dict[str, float] = {}
    for product_id, each in candidates.items():
        excess = max(1.0, len(each.traits) / len(own.traits)) if own.traits else 1.0
        common = sum(weights.get(trait, 0.0) for trait in each.traits)
        shared[product_id] = common / whole / sqrt(excess) if whole > 0.0 else 0.0
        near = exp(-abs(each.log_price - own.log_price))
        popular = sqrt(popularity.get(product_id, 0.0))
        scores[product_id] = shared[product_id] + PRICE * near + POPULARITY * popular
    best = dict(nlargest(limit, scores.items(), key=lambda scored: (scored[1], scored[0])))
    similar = {product_id: score for product_id, score in best.items() if shared[product_id] >= SIMILAR}
    return AlikeProducts(best, similar, own.category)


def _trait_weights(own: ProductContent, candidates: Mapping[str, ProductContent]) -> dict[str, float]:
    """Return trait → weight of those that any candidate has, too."""
    own_traits = frozenset(own.traits)
    having = Counter(trait for each in candidates.values() for trait in each.traits if trait in own_traits)
    return {
        trait: (1.0 if "=" in trait else WORD) * log((len(candidates) + 1) / count)
        for trait, count in having.items()
    }
