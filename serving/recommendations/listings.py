"""Sorts the list of a search or a category for a visitor, from what goes with the visitor's products."""

import base64
import binascii
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from math import exp, log, log1p
from statistics import fmean
from typing import Annotated, NamedTuple, Self

from pydantic import Field
from typing_extensions import TypedDict

from common.cursor import BadCursor, decode_cursor, encode_cursor
from schemas.published_model.weights import DEFAULT_WEIGHTS, NEIGHBOUR_SOURCES
from serving.kit.problems import RedisUnavailable
from serving.kit.product_lists import ListingWindow, Product
from serving.kit.response_types import AsOf
from serving.recommendations.product_cache import InterestCache
from serving.recommendations.proposal import Proposal, blend
from serving.recommendations.ranker import count_sources, version_that_answered
from serving.recommendations.reasons import reason_of_cause
from serving.recommendations.recommender import Recommender, ask_source
from serving.recommendations.request_builder import KnownVisitor, KnownVisitors
from serving.recommendations.rules.checks import offer_to_show, refusal
from serving.recommendations.rules.context import category_key
from serving.recommendations.schemas import AskedSource, ModelVersion, Reason


class PersonalProduct(Product):
    """A product of a list, and the product of the visitor from which its place follows most."""

    reason: Annotated[
        Reason | None,
        Field(description="Null if no product of the visitor is the main reason for its place."),
    ]


class PersonalProducts(TypedDict):
    """A page of a search or a category."""

    personalised: Annotated[
        bool,
        Field(
            description="Whether the order fits the visitor. If not, it is that of `/v1/products`, because "
            "the visitor has no history or belongs to the hold-out, or because Redis does not answer."
        ),
    ]
    model_version: ModelVersion
    as_of: AsOf
    parts: Annotated[list[AskedSource], Field(description="The sources that were asked, in this order.")]
    found: Annotated[int, Field(description="The number of products on all pages.")]
    products: list[PersonalProduct]
    next_cursor: Annotated[
        str | None, Field(description="The `cursor` of the next page; null on the last page.")
    ]


DIGEST_BYTES = 5
"""Of a product's id. In a window of 240 products, two have the same digest once in 38 million windows."""

MAX_CURSOR = 2_500
"""The largest length of a cursor: 240 digests, and a position with a product id of 128 characters."""


@dataclass(frozen=True, slots=True)
class PersonalCursor:
    """The position of the last product of the window, and the digests of its products that were shown.

    `until` is None if the window has all products of the list. The next page is read again up to `until`, and
    leaves out what was shown. So no product is shown twice or is missing, although the order changes with
    every click. Products that were listed since are in the next page.
    """

    until: str | None
    shown: frozenset[bytes]

    def encode(self) -> str:
        """Return the cursor as opaque, URL-safe text."""
        return encode_cursor(self.until or "", base64.b64encode(b"".join(sorted(self.shown))).decode())

    @classmethod
    def decode(cls, cursor: str) -> Self:
        """Return what `encode` wrote.

        Raises:
            BadCursor: the text is not a cursor of a personal list.
        """
        until, digests = (str(each) for each in decode_cursor(cursor, (str, str)))
        try:
            packed = base64.b64decode(digests, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadCursor from error
        if not packed or len(packed) % DIGEST_BYTES:
            raise BadCursor
        found = (packed[start : start + DIGEST_BYTES] for start in range(0, len(packed), DIGEST_BYTES))
        return cls(until or None, frozenset(found))

    @classmethod
    def is_one(cls, cursor: str) -> bool:
        """Return whether a text is such a cursor, and not that of the list of everybody."""
        try:
            cls.decode(cursor)
        except BadCursor:
            return False
        return True

    def has_shown(self, product_id: str) -> bool:
        """Return whether a product of the window was shown."""
        return digest(product_id) in self.shown

    def after(self, product_ids: Iterable[str]) -> Self:
        """Return the cursor after further products were shown."""
        return type(self)(self.until, self.shown | {digest(each) for each in product_ids})


def digest(product_id: str) -> bytes:
    """Return the digest of a product's id."""
    return blake2b(product_id.encode(), digest_size=DIGEST_BYTES).digest()


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
        is_refused = hit.product_id in refused
        parts = [0.0, 0.0] if is_refused else taste.parts(hit, popularity.get(hit.product_id, 0.0))
        scored.append((sum(parts), PlacedHit(hit, follows=parts[0] > max(parts[1:]))))
    return [placed for _, placed in sorted(scored, key=lambda one: (one[1].hit.rank, -one[0]))]


WINDOW = 240
"""The first products of a list, ten pages of the shop, have a personal order. Those behind have that of
everybody."""

SCORED = 320
"""A source returns twice as many products: the 32 neighbours of 20 products."""


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The products of a window in the visitor's order, and what the sources did."""

    products: Sequence[PersonalProduct]
    parts: list[AskedSource]
    model_version: str | None


class PersonalListings:
    """Sorts lists for visitors."""

    def __init__(
        self, visitors: KnownVisitors, sources: Mapping[str, Recommender], interest: InterestCache
    ) -> None:
        self.visitors, self._sources, self._interest = visitors, sources, interest

    async def known(self, visitor_id: str, category: str = "") -> KnownVisitor | None:
        """Return a visitor for whom a list, of `category` unless it is "", has an order of its own."""
        known = await self.visitors.of(visitor_id)
        if known is None:
            return None
        return replace(known, allowed=replace(known.allowed, page_category=category_key(category)))

    async def page(
        self, known: KnownVisitor | None, window: ListingWindow, after: PersonalCursor | None, limit: int
    ) -> PersonalProducts:
        """Return the next `limit` products of a window that were not shown before `after`."""
        at = after or PersonalCursor(window["until"], frozenset())
        left = [
            (product, rank)
            for product, rank in zip(window["products"], window["ranks"], strict=True)
            if not at.has_shown(product["product_id"])
        ]
        arranged = await self._arranged(known, left)
        shown = (arranged.products if arranged else [_without_reason(product) for product, _ in left])[:limit]
        has_more = len(left) > limit
        cursor = at.after(product["product_id"] for product in shown).encode() if has_more else at.until
        return {
            "personalised": arranged is not None,
            "model_version": arranged.model_version if arranged else None,
            "as_of": known.as_of if known else None,
            "parts": arranged.parts if arranged else [],
            "found": window["found"],
            "products": list(shown),
            "next_cursor": cursor,
        }

    async def _arranged(
        self, known: KnownVisitor | None, found: Sequence[tuple[Product, int]]
    ) -> Arrangement | None:
        if known is None or not found:
            return None
        try:
            arrangement = await self._arrange(known, found)
        except RedisUnavailable:
            return None
        count_sources(arrangement.parts)
        return arrangement

    async def _arrange(self, known: KnownVisitor, found: Sequence[tuple[Product, int]]) -> Arrangement:
        request, cards = known.request, known.request.cards
        product_of = {product["product_id"]: product for product, _ in found}
        own = {*request.history, *(seed.product_id for seed in request.seeds)}
        await cards.load([*product_of, *own])
        asked = {name: await ask_source(self._sources[name], request, SCORED) for name in NEIGHBOUR_SOURCES}
        scored = _blended({name: proposals for name, (proposals, _) in asked.items()}, product_of)
        viewed = (cards.get(product_id) for product_id in request.history)
        taste = Taste.of(
            {product_id: one.score for product_id, one in scored.items()},
            [Hit(one.product_id, 0, one.seller_id, one.category, one.price_minor) for one in viewed if one],
        )
        hits = [
            Hit(each["product_id"], rank, each["seller_id"], each["category"], each["price_minor"])
            for each, rank in found
        ]
        refused = {
            product_id
            for product_id in product_of
            if refusal(offer_to_show(cards.offers(product_id), known.allowed), known.allowed)
        }
        placed = by_taste(hits, taste, await self._interest.of(product_of, cards.prefix), refused)
        products: list[PersonalProduct] = [
            {
                **product_of[hit.product_id],
                "reason": reason_of_cause(scored[hit.product_id].main_cause(), request) if follows else None,
            }
            for hit, follows in placed
        ]
        parts = [part for _, part in asked.values()]
        return Arrangement(products, parts, version_that_answered(request.model, parts))


def _blended(
    proposals_of: Mapping[str, Sequence[Proposal]], product_of: Mapping[str, Product]
) -> dict[str, Proposal]:
    """Return the proposed products of the list by id.

    Scores are relative to the best product of each source in the whole shop. Relative to the best one of the
    list, weak scores would count as much as strong ones, which chooses worse (docs/recommendations.md).
    """
    every = blend(proposals_of, DEFAULT_WEIGHTS["home"], sum(map(len, proposals_of.values())))
    return {one.product_id: one for one in every if one.product_id in product_of}


def _without_reason(product: Product) -> PersonalProduct:
    return {**product, "reason": None}
