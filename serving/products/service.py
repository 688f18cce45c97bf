"""Reads products on offer: a search, one product, the categories.

Lists come from the search index. While there is none, they come from ClickHouse, which finds words as they
are written and knows no filters; while that does not answer, from what Redis has, without names of sellers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log2
from typing import Annotated, Any, Self

from pydantic import Field
from typing_extensions import TypedDict

from common.cursor import INT64, BadCursor, decode_cursor, encode_cursor
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.cache.last_answers import LastAnswers, Question
from serving.kit.clickhouse import ClickHouseQueries, Row
from serving.kit.live_versions import LiveVersions, VersionedJob
from serving.kit.names import Names, SellerNames
from serving.kit.offers import Offer, Stock, card_order, choose_offer
from serving.kit.problems import SEARCH_UNAVAILABLE, UNKNOWN_PRODUCT, ClickHouseUnavailable, RedisUnavailable
from serving.kit.product_cards import ProductCardLoader, open_cards, read_known_stock
from serving.kit.product_filters import ANY, Filters
from serving.kit.product_lists import Categories, ListingWindow, Product, Products, product_of
from serving.kit.rankings import HALF_LIFE_DAYS, KEYS
from serving.kit.redis_client import OPTIONAL_TIMEOUT_S, run_redis
from serving.kit.response_types import Minor
from serving.products.indexed import FoundProducts, IndexedProducts, ProductVariant, Suggestions
from serving.products.popular_searches import PopularSearches
from serving.products.search.query import Position, Search, Sort


class ProductOffer(TypedDict):
    """One seller's offer of a product."""

    seller_id: Annotated[str, Field(examples=["seller-0001"])]
    seller_name: str | None
    price_minor: Minor
    currency: str
    available: Annotated[
        int | None, Field(description="Units of this seller; null if the stock was never counted.")
    ]
    sold_out: bool
    on_offer: Annotated[bool, Field(description="False once the seller has delisted the product.")]
    condition: Annotated[str, Field(description="`new`, `used` or `refurbished`.")]
    handling_days: Annotated[
        int | None, Field(description="Working days until it is handed over, at most; null if not said.")
    ]


@dataclass(frozen=True, slots=True)
class SellersListing:
    """A seller's newest listing of a product: the offer, and what else it says. Redis has only the offer."""

    offer: Offer
    description: str | None = None
    group_id: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    pictures: Sequence[str] = ()
    condition: str = "new"
    handling_days: int | None = None

    @classmethod
    def of(cls, product_id: str, row: Row, stock: Stock) -> Self:
        """Return the listing of one row of the query `product`."""
        offer = Offer(
            product_id=product_id,
            seller_id=row["seller_id"],
            name=row["name"],
            category=row["category"],
            currency=row["currency"],
            price_minor=int(row["price_minor"]),
            listed=bool(row["on_offer"]),
            available=stock.get(row["seller_id"]),
        )
        return cls(
            offer,
            row["description"],
            row["group_id"],
            row["attributes"],
            row["pictures"],
            row["condition"] or "new",
            row["handling_days"],
        )


class ProductInDetail(Product):
    """A product as its best offer shows it, and the offers of all its sellers."""

    description: Annotated[str | None, Field(description="Plain text, whose line breaks count.")]
    attributes: Annotated[dict[str, str], Field(examples=[{"colour": "blue"}])]
    pictures: Annotated[
        list[str],
        Field(description="The `sha256` of each (GET /v1/pictures/{sha256}/{size}), the first one first."),
    ]
    variants: Annotated[
        list[ProductVariant],
        Field(description="All variants of it on offer, with itself; empty if it has none."),
    ]

    on_offer: Annotated[bool, Field(description="Whether at least one seller offers it.")]
    offers: Annotated[
        list[ProductOffer],
        Field(
            description="Listed offers first, then those in stock, then by price. The first in the shop's "
            "currency is the best offer."
        ),
    ]


MAX_WORDS = 8
"""The largest number of words in a search. Further words are ignored."""


@dataclass(frozen=True, slots=True)
class ProductCursor:
    """The position of the last product of a page."""

    rank: int = -1
    key: int = -INT64
    product_id: str = ""

    def encode(self) -> str:
        """Return the position as opaque, URL-safe text."""
        return encode_cursor(self.rank, self.key, self.product_id)

    @classmethod
    def decode(cls, cursor: str) -> Self:
        """Return the position that `encode` wrote.

        Raises:
            BadCursor: the text is not a cursor of this list.
        """
        rank, key, product_id = decode_cursor(cursor, (int, int, str))
        return cls(int(rank), int(key), str(product_id))


END_OF_LIST = ProductCursor(INT64 - 1)
"""A position behind every product."""


def search_words(text: str) -> list[str]:
    """Return the words of a search: `São  Lâmpada` → `["São", "Lâmpada"]`. The query folds them."""
    return text.replace("_", " ").split()[:MAX_WORDS]


MAX_RANKED = 200
"""The number of products that a list shows first. Job `recommendations` keeps as many of a category."""

_BEFORE_OTHERS = 2**60
"""More than any time in milliseconds, by which the other products are sorted."""

_STEPS = 2**20
"""The steps of a key while a popularity doubles. So keys differ if popularities differ by a millionth."""


async def popularity_of_best(versions: LiveVersions, category: str) -> dict[str, float]:
    """Return the popularity of up to `MAX_RANKED` products of a category, the largest first; "" is the shop.

    It is the logarithm to base 2 of the decayed units ordered, and in a category of the decayed interest
    (docs/architecture.md). Newer events count more instead of older ones less, so time alone changes none.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    job: VersionedJob = "recommendations" if category else "rankings"
    key = f"popular:{category}" if category else KEYS["popular"]
    prefix = await versions.prefix(job, OPTIONAL_TIMEOUT_S)
    reply: Any = versions.redis.zrange(prefix + key, 0, MAX_RANKED - 1, desc=True, withscores=True)
    scores = {member.decode(): float(score) for member, score in await run_redis(reply, OPTIONAL_TIMEOUT_S)}
    if category:
        return {product_id: log2(score) for product_id, score in scores.items() if score > 0.0}
    half_life_s = HALF_LIFE_DAYS["popular"] * 86_400
    return {product_id: score / half_life_s for product_id, score in scores.items()}


def popular_keys(popularity: Mapping[str, float]) -> dict[str, int]:
    """Return the sort key of each product: the smaller, the more popular; smaller than that of any other."""
    return {product_id: -_BEFORE_OTHERS - round(each * _STEPS) for product_id, each in popularity.items()}


async def popular_cards(
    versions: LiveVersions, category: str, currency: str, sort: Sort, limit: int
) -> list[Offer]:
    """Return up to `limit` listed products of a category, the most popular first; "" is every category.

    Only products that somebody viewed or bought are ranked. Redis does not know which are the newest.

    Raises:
        RedisUnavailable: Redis does not answer.
    """
    loader = await open_cards(versions, OPTIONAL_TIMEOUT_S)
    cards = await loader.read(await popularity_of_best(versions, category), OPTIONAL_TIMEOUT_S)
    listed = [card for card in cards.values() if card.listed and card.currency == currency]
    if sort in ("cheapest", "dearest"):
        listed.sort(key=lambda card: card.price_minor, reverse=sort == "dearest")
    return listed[:limit]


MAX_WINDOW = 1_000
"""The largest number of products up to the end of an earlier window."""

_CATEGORIES = Question[Categories]("categories", Categories)


@dataclass(frozen=True, slots=True)
class ProductsService:
    """Reads listings from the index or ClickHouse, and stock from Redis; it is unknown while that is away."""

    clickhouse: ClickHouseQueries
    versions: LiveVersions
    names: Names
    currency: str
    last: LastAnswers
    indexed: IndexedProducts
    popular_searches: PopularSearches

    @property
    def lists_version(self) -> str:
        """What stored lists and suggestions depend on besides their parameters and the events."""
        return self.indexed.index.tree_version

    async def find(
        self,
        text: str,
        category: str,
        sort: Sort,
        cursor: str | None,
        limit: int,
        filters: Filters = ANY,
        with_facets: bool = False,
    ) -> FoundProducts:
        """Return a page of the products on offer in a category that match `text`; "" means any.

        A page begins behind the place that the last product of the page before had. A product that moves up
        past this place meanwhile is on no page, one that moves down past it is on two. Time alone moves none.

        Raises:
            BadCursor: `cursor` is not a `next_cursor` of this list.
            SEARCH_UNAVAILABLE: there is no index, and ClickHouse does not answer or can't continue the list.
        """
        wanted = replace(filters, category=category)
        after = _read_cursor(cursor)
        if not isinstance(after, ProductCursor):
            search = Search(text, wanted, sort)
            if (page := await self.indexed.find(search, limit, after, with_facets)) is not None:
                return page
            if with_facets:
                mark_incomplete()
            if after is not None or wanted.needs_index:
                raise SEARCH_UNAVAILABLE()
        products = await self._find_by_scan(text, category, sort, after, limit)
        return {**products, "tried": [], "did_you_mean": None, "facets": None, "instead": []}

    async def suggestions(self, text: str, limit: int) -> Suggestions:
        """Return what a shopper may be typing; nothing while there is no index."""
        popular = await self.popular_searches.counts()
        if (found := await self.indexed.suggestions(text, popular, limit)) is not None:
            return found
        mark_incomplete()
        return {"searches": [], "products": [], "categories": [], "sellers": []}

    async def _find_by_scan(
        self, text: str, category: str, sort: Sort, after: ProductCursor | None, limit: int
    ) -> Products:
        """Return a page from ClickHouse.

        While Redis does not answer, popular products have no places of their own. While ClickHouse does not
        answer, the list without a text has popular products, on one page.
        """
        try:
            return await self._find(text, category, sort, after or ProductCursor(), limit)
        except ClickHouseUnavailable as error:
            mark_incomplete()
            if text.strip() or after:
                raise SEARCH_UNAVAILABLE() from error
            cards = await popular_cards(self.versions, category, self.currency, sort, limit)
            return {
                "found": len(cards),
                "products": [product_of(card, None) for card in cards],
                "next_cursor": None,
            }

    async def _find(self, text: str, category: str, sort: Sort, after: ProductCursor, limit: int) -> Products:
        rows = await self._rows(text, category, sort, after, END_OF_LIST, limit + 1)
        page = rows[:limit]
        return {
            "found": int(rows[0]["found"]) if rows else 0,
            "products": await self._products(page),
            "next_cursor": _position(page[-1]).encode() if len(rows) > limit else None,
        }

    async def window(self, text: str, filters: Filters, until: str | None, limit: int) -> ListingWindow:
        """Return the first products of the list in the order `best`, for a personal order of them.

        Args:
            text: the words of a search; "" means any.
            filters: what the products must have besides.
            until: the `until` of an earlier window, up to which all products are returned, also those that
                have come since; None for the first `limit` products.
            limit: the number of products of a new window.

        Raises:
            BadCursor: `until` is not that of a window.
            ClickHouseUnavailable: there is no index, and ClickHouse does not answer.
            SEARCH_UNAVAILABLE: there is no index, which knows filters, or of which the window is.
        """
        position, most = _read_cursor(until), MAX_WINDOW if until else limit
        if not isinstance(position, ProductCursor):
            if (found := await self.indexed.window(Search(text, filters), most, position)) is not None:
                return found
            if position is not None or filters.needs_index:
                raise SEARCH_UNAVAILABLE()
        last, most = position or END_OF_LIST, MAX_WINDOW if until else limit + 1
        rows = await self._rows(text, filters.category, "best", ProductCursor(), last, most)
        hits = rows if until else rows[:limit]
        positions = [_position(row) for row in hits]
        return {
            "found": int(rows[0]["found"]) if rows else 0,
            "products": await self._products(hits),
            "ranks": [position.rank for position in positions],
            "until": until or (positions[-1].encode() if len(rows) > limit else None),
        }

    async def _rows(
        self, text: str, category: str, sort: Sort, after: ProductCursor, until: ProductCursor, limit: int
    ) -> Sequence[Row]:
        words = search_words(text)
        popular = {} if words or sort not in ("best", "relevance") else await self._popular(category)
        return await self.clickhouse.rows(
            "products_found",
            words=words,
            category=category,
            popular_ids=list(popular),
            popular_keys=list(popular.values()),
            sort="best" if sort in ("relevance", "rating") else sort,
            currency=self.currency,
            after_rank=after.rank,
            after_key=after.key,
            after_id=after.product_id,
            until_rank=until.rank,
            until_key=until.key,
            until_id=until.product_id,
            limit=limit,
        )

    async def _popular(self, category: str) -> dict[str, int]:
        try:
            return popular_keys(await popularity_of_best(self.versions, category))
        except RedisUnavailable:
            mark_incomplete()
            return {}

    async def _products(self, rows: Sequence[Row]) -> list[Product]:
        """Return the cards of rows of the query `products_found`, which always have an offer."""
        stock = await self._stock([row["product_id"] for row in rows])
        cards = [card for row in rows if (card := choose_offer(_found_offers(row, self.currency, stock)))]
        names = await self.names.of_sellers(card.seller_id for card in cards)
        return [product_of(card, names.get(card.seller_id)) for card in cards]

    async def product(self, product_id: str) -> ProductInDetail:
        """Return a product with all its offers, even if every seller has delisted it.

        Raises:
            UNKNOWN_PRODUCT: it was never listed, or an administrator has blocked it.
            ClickHouseUnavailable: ClickHouse does not answer, and Redis does not have the product.
        """
        listings = sorted(await self._listings(product_id), key=lambda listing: card_order(listing.offer))
        own_currency = [listing for listing in listings if listing.offer.currency == self.currency]
        best = next(iter(own_currency or listings), None)
        if best is None:
            raise UNKNOWN_PRODUCT(product_id=product_id)
        names = await self.names.of_sellers(listing.offer.seller_id for listing in listings)
        # The offers of a product have the same contents, except imported ones: those may have none.
        pictures = list(next((each.pictures for each in listings if each.pictures), ()))
        seller_name = names.get(best.offer.seller_id)
        return {
            **product_of(best.offer, seller_name, pictures[0] if pictures else None),
            "on_offer": best.offer.listed,
            "description": next((each.description for each in listings if each.description), None),
            "attributes": dict(next((each.attributes for each in listings if each.attributes), {})),
            "pictures": pictures,
            "variants": await self.indexed.variants(best.group_id) if best.group_id else [],
            "offers": [_product_offer(listing, names) for listing in listings],
        }

    async def _listings(self, product_id: str) -> list[SellersListing]:
        """Return the listings of all sellers of a product; from Redis while ClickHouse does not answer."""
        try:
            rows = await self.clickhouse.rows("product", product_id=product_id)
        except ClickHouseUnavailable:
            mark_incomplete()
            loader = await open_cards(self.versions, OPTIONAL_TIMEOUT_S)
            await loader.load([product_id], OPTIONAL_TIMEOUT_S)
            if offers := list(loader.offers(product_id)):
                return [SellersListing(offer) for offer in offers]
            raise
        stock = (await self._stock([product_id])).get(product_id, {})
        return [SellersListing.of(product_id, row, stock) for row in rows]

    async def categories(self) -> Categories:
        """Return the categories that have products on offer, the largest first.

        While ClickHouse does not answer, they are the last ones that are known.
        """
        return await self.last.ask(_CATEGORIES, self._categories)

    async def _categories(self) -> Categories:
        rows = await self.clickhouse.rows("categories", currency=self.currency)
        return {
            "categories": [{"category": row["category"], "products": int(row["products"])} for row in rows]
        }

    async def card_loader(self) -> ProductCardLoader:
        """Return a loader of product cards for one request.

        Raises:
            RedisUnavailable: Redis does not answer.
        """
        return await open_cards(self.versions)

    async def _stock(self, product_ids: Sequence[str]) -> Mapping[str, Stock]:
        return await read_known_stock(self.versions, product_ids)


def _read_cursor(cursor: str | None) -> Position | ProductCursor | None:
    """Return the position in a list of the index, or in one of ClickHouse.

    Raises:
        BadCursor: the text is not a cursor of either.
    """
    if not cursor:
        return None
    try:
        return Position.decode(cursor)
    except BadCursor:
        return ProductCursor.decode(cursor)


def _position(row: Row) -> ProductCursor:
    """Return the position of a row of the query `products_found`."""
    return ProductCursor(int(row["rank"]), int(row["sort_key"]), row["product_id"])


def _found_offers(row: Row, currency: str, stock: Mapping[str, Stock]) -> list[Offer]:
    """Return the offers of one row of the query `products_found`."""
    product_id = row["product_id"]
    available = stock.get(product_id, {})
    return [
        Offer(product_id, seller_id, name, category, currency, int(price), True, available.get(seller_id))
        for seller_id, name, category, price in row["offers"]
    ]


def _product_offer(listing: SellersListing, names: SellerNames) -> ProductOffer:
    offer = listing.offer
    return {
        "seller_id": offer.seller_id,
        "seller_name": names.get(offer.seller_id),
        "price_minor": offer.price_minor,
        "currency": offer.currency,
        "available": offer.available,
        "sold_out": offer.sold_out,
        "on_offer": offer.listed,
        "condition": listing.condition,
        "handling_days": listing.handling_days,
    }
