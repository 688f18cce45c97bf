"""Finds products: which ones match a text and filters, and in which order.

Products in stock come before others, better matches before worse ones (`matching.py`), and equally good ones
by what sells. A list is therefore a sequence of sections, of which each is one query that is sorted by one
stored key. A page begins behind the key of the last product of the page before, so pages stay stable while
the index changes.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import orjson
import tantivy
from tantivy import FieldType, Order, Query

from common.cursor import INT64, decode_cursor, encode_cursor
from serving.kit.product_filters import Filters
from serving.products.search.documents import SCHEMA, CardOffer
from serving.products.search.filters import (
    Conditions,
    FacetCounter,
    Facets,
    count,
    variant_keys_in,
)
from serving.products.search.index import EVERYTHING, all_of, any_of, but_not
from serving.products.search.matching import Matching, SearchStep, match, nearest_category
from serving.products.search.text import fold, split

Sort = Literal["best", "relevance", "newest", "cheapest", "dearest", "rating"]
"""`best` has products in stock first, then the best match, then what sells, then the newest.

`relevance` is the order of `best`, of which the shop makes a personal one for visitors whom it knows. The
others sort all that matches by one property.
"""

_KEYS: Mapping[Sort, tuple[str, bool]] = {
    "best": ("by_sales", True),
    "relevance": ("by_sales", True),
    "newest": ("by_moment", True),
    "cheapest": ("by_price", False),
    "dearest": ("by_price", True),
    "rating": ("by_rating", True),
}

SAME_KEY = 8
"""More products than ever have the same key; these are sorted by their ids."""


@dataclass(frozen=True, slots=True)
class Position:
    """The place of a product in a list: its section, its key there, its document.

    `steps` is how far the text was widened for the first page, so that the following ones have the same list.
    """

    steps: int
    section: int
    key: int
    document: str

    def encode(self) -> str:
        """Return the position as opaque, URL-safe text."""
        return encode_cursor(self.steps, self.section, self.key, self.document)

    @classmethod
    def decode(cls, cursor: str) -> Self:
        """Return the position that `encode` wrote.

        Raises:
            BadCursor: the text is not a cursor of such a list.
        """
        steps, section, key, document = decode_cursor(cursor, (int, int, int, str))
        return cls(int(steps), int(section), int(key), str(document))


@dataclass(frozen=True, slots=True)
class Hit:
    """A product of a list, and what the index has of it (`card` in `documents.py`)."""

    section: int
    key: int
    card: Mapping[str, Any]

    @property
    def document(self) -> str:
        """The key of its document."""
        return str(self.card["document"])

    @property
    def offers(self) -> list[CardOffer]:
        """Its offers, as they were when it was indexed."""
        return [CardOffer(*offer) for offer in self.card["offers"]]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a list.

    `products` counts those on all pages. `tried` says how the text was widened, `did_you_mean` what may have
    been meant. `instead` has popular products of the nearest category if nothing was found.
    """

    products: int
    hits: Sequence[Hit]
    end: Position | None
    tried: Sequence[SearchStep] = ()
    did_you_mean: str | None = None
    facets: Facets | None = None
    instead: Sequence[Hit] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for; "" and empty filters stand for any."""

    text: str = ""
    filters: Filters = field(default_factory=Filters)
    sort: Sort = "best"


INSTEAD = 8
"""How many products are offered if a search finds nothing."""


def find(
    searcher: tantivy.Searcher,
    search: Search,
    limit: int,
    after: Position | None = None,
    with_facets: bool = False,
) -> Found:
    """Return the page of `limit` products behind `after`. `end` is None if it is the last one."""
    matching = _match(searcher, search, after)
    listing = _Listing(searcher, search, matching)
    hits = listing.hits(after, None, limit + 1)
    page, products = hits[:limit], listing.count()
    counter = FacetCounter(searcher, matching.any_level, listing.conditions)
    return Found(
        products,
        page,
        listing.position(page[-1]) if len(hits) > limit else None,
        matching.tried,
        _as_written(matching.did_you_mean, page),
        counter.facets() if with_facets else None,
        () if products else _instead(searcher, search),
    )


def window(searcher: tantivy.Searcher, search: Search, limit: int, until: Position | None = None) -> Found:
    """Return the first `limit` products; with `until`, those up to this position that come first.

    `end` is the position of the last one, None if no product follows.
    """
    matching = _match(searcher, search, until)
    listing = _Listing(searcher, search, matching)
    hits = listing.hits(None, until, limit if until else limit + 1)
    has_more = until is not None or len(hits) > limit
    page = hits[:limit]
    end = until or (listing.position(page[-1]) if has_more else None)
    return Found(listing.count(), page, end, matching.tried, _as_written(matching.did_you_mean, page))


def listed(searcher: tantivy.Searcher, query: Query, limit: int) -> list[Hit]:
    """Return the first `limit` products that a query finds, in the order `best`."""
    return _Listing(searcher, Search(), Matching([query], query)).hits(None, None, limit)


def _match(searcher: tantivy.Searcher, search: Search, position: Position | None) -> Matching:
    return match(
        searcher, search.text, position.steps if position else None, search.sort in ("best", "relevance")
    )


class _Listing:
    """The sections of one list."""

    def __init__(self, searcher: tantivy.Searcher, search: Search, matching: Matching) -> None:
        self._searcher, self._matching = searcher, matching
        self.conditions = Conditions(search.filters, variant_keys_in(searcher))
        self._filters = self.conditions.query()
        self._field, self._descending = _KEYS[search.sort]
        self._by_match = search.sort in ("best", "relevance")

    def count(self) -> int:
        return count(self._searcher, all_of(self._matching.any_level, self._filters))

    def position(self, hit: Hit) -> Position:
        return Position(self._matching.steps, hit.section, hit.key, hit.document)

    def hits(self, after: Position | None, until: Position | None, limit: int) -> list[Hit]:
        """Return the first `limit` products behind `after` and up to `until`."""
        hits: list[Hit] = []
        for section, query in enumerate(self._sections()):
            if after and section < after.section:
                continue
            if len(hits) == limit or (until and section > until.section):
                break
            behind = after if after and section == after.section else None
            up_to = until if until and section == until.section else None
            hits += self._of_section(section, query, behind, up_to, limit - len(hits))
        return hits

    def _sections(self) -> Iterator[Query]:
        """Yield the queries of the sections, each without the products of the sections before it."""
        if not self._by_match:
            yield from self._by_property()
            return
        in_stock, levels = self.conditions.in_stock(), self._matching.levels
        stocks = [all_of(self._filters, in_stock), but_not(self._filters, in_stock)]
        for stocked in stocks[:1] if self.conditions.filters.in_stock else stocks:
            for at, level in enumerate(levels):
                yield but_not(all_of(stocked, level), *levels[:at])

    def _by_property(self) -> Iterator[Query]:
        """Yield everything. With a filter on prices, a list by price ends with the products of which only
        another offer than the best one passes it: their keys have the price of the best one."""
        everything = all_of(self._matching.any_level, self._filters)
        best = self.conditions.best_price() if self._field == "by_price" else None
        if best is None:
            yield everything
        else:
            yield all_of(everything, best)
            yield but_not(everything, best)

    def _of_section(
        self, section: int, query: Query, after: Position | None, until: Position | None, limit: int
    ) -> list[Hit]:
        bounds = [
            self._bound(position, is_start)
            for position, is_start in ((after, True), (until, False))
            if position
        ]
        order = Order.Desc if self._descending else Order.Asc
        result = self._searcher.search(
            all_of(query, *bounds), limit + SAME_KEY, count=False, order_by_field=self._field, order=order
        )
        hits = [Hit(section, int(key), _card(self._searcher, address)) for key, address in result.hits]
        hits.sort(key=self._place)
        first = self._place_of(after) if after else None
        last = self._place_of(until) if until else None
        return [
            hit
            for hit in hits
            if (first is None or self._place(hit) > first) and (last is None or self._place(hit) <= last)
        ][:limit]

    def _place(self, hit: Hit) -> tuple[int, str]:
        return (-hit.key if self._descending else hit.key), hit.document

    def _place_of(self, position: Position) -> tuple[int, str]:
        return (-position.key if self._descending else position.key), position.document

    def _bound(self, position: Position, is_start: bool) -> Query:
        """Return the query for keys not before this position (`is_start`), or not behind it."""
        key = min(max(0, position.key), INT64 - 1)
        if is_start != self._descending:
            return Query.range_query(SCHEMA, self._field, FieldType.Unsigned, lower_bound=key)
        return Query.range_query(SCHEMA, self._field, FieldType.Unsigned, upper_bound=key)


def _instead(searcher: tantivy.Searcher, search: Search) -> list[Hit]:
    """Return what sells of the nearest category: that of the words, else that of the filter, else any."""
    by_words = nearest_category(searcher, search.text)
    by_filter = any_of("category", [search.filters.category]) if search.filters.category else None
    for category in (by_words, by_filter, EVERYTHING):
        if category is not None:
            hits = listed(searcher, category, INSTEAD)
            if hits:
                return hits
    return []


def _as_written(suggestion: Sequence[str] | None, hits: Sequence[Hit]) -> str | None:
    """Return a suggestion, each word as names of found products have it: with its accents."""
    if suggestion is None:
        return None
    written = {fold(word): word for hit in hits for offer in hit.offers for word in split(offer.name or "")}
    return " ".join(written.get(word, word) for word in suggestion)


def every_offer(searcher: tantivy.Searcher) -> Iterator[CardOffer]:
    """Yield all offers of the index."""
    yield from _offers(searcher, EVERYTHING, searcher.num_docs)


def offers_of_products(searcher: tantivy.Searcher, product_ids: Collection[str]) -> Iterator[CardOffer]:
    """Yield all offers of these products."""
    wanted = set(product_ids)
    offers = _offers(searcher, any_of("exact", wanted), searcher.num_docs)
    yield from (offer for offer in offers if offer.product_id in wanted)


def offers_of_document(searcher: tantivy.Searcher, document: str) -> list[CardOffer]:
    """Return all offers of a document, with those of other variants."""
    return list(_offers(searcher, any_of("document", [document]), 1))


def _offers(searcher: tantivy.Searcher, query: Query, most: int) -> Iterator[CardOffer]:
    for _, address in searcher.search(query, max(1, most), count=False, order_by_field="by_price").hits:
        yield from Hit(0, 0, _card(searcher, address)).offers


def _card(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> Mapping[str, Any]:
    card: Mapping[str, Any] = orjson.loads(bytes(searcher.doc(address)["card"][0]))
    return card
