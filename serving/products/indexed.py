"""Lists of products from the search index, with the stock that Redis knows."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, TypeVar

import tantivy
from pydantic import Field
from typing_extensions import TypedDict

from common.metrics import SEARCHES
from serving.kit.offers import Offer, Stock, choose_offer
from serving.kit.product_filters import Filters
from serving.kit.product_lists import ListingWindow, Product, Products, product_of
from serving.kit.response_types import Minor
from serving.products.search.documents import CATEGORY, SELLER, CardOffer, document_of
from serving.products.search.filters import Facets
from serving.products.search.index import IndexDamaged, LiveIndex
from serving.products.search.matching import Step
from serving.products.search.query import Hit, Position, Search, find, offers_of_document, window
from serving.products.search.suggestions import Completion, completions, products_begun, searches_begun

T = TypeVar("T")


class TriedSearch(TypedDict):
    """A way in which products were looked for."""

    step: Annotated[
        Step,
        Field(
            description="`words`: the words, their plurals and other forms, and synonyms. `spelling`: also "
            "words that are spelt alike, that begin so, or that are joined or split. `fewer_words`: without "
            "the last words."
        ),
    ]
    text: Annotated[str, Field(description="What was used of the text, folded.")]
    products: Annotated[
        int, Field(description="The products that this and the steps before find, unfiltered.")
    ]


class FoundProducts(Products):
    """A page of a search, and how it was found."""

    tried: Annotated[
        list[TriedSearch], Field(description="The steps, if there are words. Empty while the index is built.")
    ]
    did_you_mean: Annotated[
        str | None, Field(description="The text with other words, of which products were found.")
    ]
    facets: Annotated[Facets | None, Field(description="With `facets=true`; null while the index is built.")]
    instead: Annotated[
        list[Product], Field(description="If nothing was found: popular products of the nearest category.")
    ]


class SuggestedProduct(TypedDict):
    """A product that matches what was typed."""

    product_id: str
    name: str | None


class SuggestedName(TypedDict):
    """A category or a seller, and how many products on offer it has."""

    id: str
    name: str
    products: int


class Suggestions(TypedDict):
    """What a shopper may be typing."""

    searches: Annotated[list[str], Field(description="Searches of many visitors, the most popular first.")]
    products: list[SuggestedProduct]
    categories: list[SuggestedName]
    sellers: list[SuggestedName]


class ProductVariant(TypedDict):
    """A product of the group of variants of a product, as its best offer is."""

    product_id: str
    attributes: dict[str, str]
    price_minor: Minor
    sold_out: bool


StockOf = Callable[[Sequence[str]], Awaitable[Mapping[str, Stock]]]
"""Returns the available units of each seller by product; none while Redis does not answer."""


@dataclass(frozen=True, slots=True)
class IndexedProducts:
    """Finds products in the live index. Each method returns None if there is none."""

    index: LiveIndex
    currency: str
    stock_of: StockOf

    async def find(
        self, search: Search, limit: int, after: Position | None, with_facets: bool
    ) -> FoundProducts | None:
        """Return the page behind `after`."""
        found = await self._read(
            partial(find, search=search, limit=limit, after=after, with_facets=with_facets)
        )
        if found is None:
            return None
        products = await self._products((*found.hits, *found.instead), search.filters)
        return {
            "found": found.products,
            "products": products[: len(found.hits)],
            "next_cursor": found.end.encode() if found.end else None,
            "tried": [
                {"step": attempt.step, "text": attempt.text, "products": attempt.products}
                for attempt in found.tried
            ],
            "did_you_mean": found.did_you_mean,
            "facets": found.facets,
            "instead": products[len(found.hits) :],
        }

    async def window(self, search: Search, limit: int, until: Position | None) -> ListingWindow | None:
        """Return the first products of a list, in the order `best`."""
        found = await self._read(partial(window, search=search, limit=limit, until=until))
        if found is None:
            return None
        return {
            "found": found.products,
            "products": await self._products(found.hits, search.filters),
            "ranks": [hit.section for hit in found.hits],
            "until": found.end.encode() if found.end else None,
        }

    async def suggestions(self, text: str, popular: Mapping[str, int], limit: int) -> Suggestions | None:
        """Return what a shopper may be typing. `popular` is search → its visitors."""

        def complete(
            searcher: tantivy.Searcher,
        ) -> tuple[list[str], Sequence[Hit], list[Completion], list[Completion]]:
            return (
                searches_begun(searcher, popular, text, limit),
                products_begun(searcher, text, limit),
                completions(searcher, CATEGORY, text, limit),
                completions(searcher, SELLER, text, limit),
            )

        found = await self._read(complete)
        if found is None:
            return None
        searches, hits, categories, sellers = found
        named = {hit.offers[0].name: hit.offers[0].product_id for hit in reversed(hits)}
        return {
            "searches": searches,
            "products": [{"product_id": key, "name": name} for name, key in reversed(named.items())],
            "categories": [_name(each) for each in categories],
            "sellers": [_name(each) for each in sellers],
        }

    async def variants(self, group_id: str) -> list[ProductVariant]:
        """Return the products on offer of a group, the first listed one first; none if there is no index."""
        found = await self._read(partial(offers_of_document, document=document_of("", group_id)))
        offers: dict[str, list[CardOffer]] = {}
        for offer in found or ():
            offers.setdefault(offer.product_id, []).append(offer)
        stock = await self.stock_of(sorted(offers)) if offers else {}
        variants: list[ProductVariant] = []
        for product_id, of_product in sorted(offers.items()):
            card = self._product(of_product, stock)
            variants.append(
                {
                    "product_id": product_id,
                    "attributes": dict(of_product[0].attributes),
                    "price_minor": card["price_minor"],
                    "sold_out": card["sold_out"],
                }
            )
        return variants

    async def _read(self, ask: Callable[[tantivy.Searcher], T]) -> T | None:
        """Ask the index in a thread, because that may take some milliseconds."""

        def read() -> T | None:
            with self.index.read() as searcher:
                return None if searcher is None else ask(searcher)

        try:
            answer = await asyncio.to_thread(read)
        except IndexDamaged:
            answer = None
        SEARCHES.labels("none" if answer is None else "index").inc()
        return answer

    async def _products(self, hits: Sequence[Hit], filters: Filters) -> list[Product]:
        offers = [_wanted(hit.offers, filters) for hit in hits]
        stock = await self.stock_of(sorted({offer.product_id for of_hit in offers for offer in of_hit}))
        return [self._product(of_hit, stock) for of_hit in offers]

    def _product(self, offers: Sequence[CardOffer], stock: Mapping[str, Stock]) -> Product:
        names = {offer.seller_id: offer.seller_name for offer in offers}
        pictures = {(offer.product_id, offer.seller_id): offer.picture for offer in offers}
        card = choose_offer(
            Offer(
                product_id=each.product_id,
                seller_id=each.seller_id,
                name=each.name,
                category=each.category,
                currency=self.currency,
                price_minor=each.price_minor,
                listed=True,
                available=stock.get(each.product_id, {}).get(each.seller_id, None if each.in_stock else 0),
            )
            for each in offers
        )
        assert card is not None  # a document has at least one offer
        return product_of(card, names[card.seller_id], pictures[card.product_id, card.seller_id])


def _wanted(offers: Sequence[CardOffer], filters: Filters) -> Sequence[CardOffer]:
    """Return the offers that fit the filters on attributes, the seller and the price. If none does, the price
    may be any, then the rest, too."""
    fitting = [
        offer
        for offer in offers
        if (not filters.seller_id or offer.seller_id == filters.seller_id)
        and all(offer.attributes.get(key) in values for key, values in filters.attributes)
    ]
    return [offer for offer in fitting if _has_price(offer, filters)] or fitting or offers


def _has_price(offer: CardOffer, filters: Filters) -> bool:
    low, high = filters.price_min, filters.price_max
    return (low is None or offer.price_minor >= low) and (high is None or offer.price_minor <= high)


def _name(completion: Completion) -> SuggestedName:
    return {"id": completion.key, "name": completion.name, "products": completion.products}
