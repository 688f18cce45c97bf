"""Draws the searches before views: what a shopper wants, the words for it, and the page of results.

In worlds of the first version, a search is an English noun or category, and some are misspelt and find
nothing. In later worlds shoppers search in their language by noun, by a noun with one of its attributes, by
category and by brand, with plurals, without accents and with typos. What they wanted is part of the ground
truth and never of an event.
"""

from bisect import bisect
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from producers.simulator.misspelling import beyond_recognition, misspelt
from producers.simulator.randomness import Index, hex_ids
from producers.simulator.world.categories import LEAVES, NOUNS
from producers.simulator.world.inflection import agreeing, other_number, without_accents
from producers.simulator.world.tastes import draw_within
from producers.simulator.world.titles import value_name
from producers.simulator.world.world import World
from schemas.product_categories import default_tree

PAGE_SIZE = 10
"""Products on a page of search results, before duplicates are dropped."""

EMPTY_SHARE = 0.06
"""Share of the searches that follow a misspelt search of the same visit that finds nothing."""

BY_NOUN, BY_ATTRIBUTE, BY_CATEGORY, BY_BRAND = range(4)
KINDS = ("noun", "attribute", "category", "brand")
"""How a shopper describes the product. The numbers of the ground truth are indices of KINDS."""

KIND_SHARES = (0.42, 0.3, 0.18, 0.1)
"""Shares of KINDS among the searches."""

OTHER_NUMBER_SHARE = 0.15
"""Share of the searches by noun with the plural of a name in the singular, or the other way round."""

TYPO_SHARE = 0.08
"""Share of the searches with a typo that the shop's search tolerates."""

WITHOUT_ACCENTS_SHARE = 0.5
"""Share of the Portuguese searches that are typed without accents."""

BRAND_ALONE_SHARE = 0.4
"""Share of the searches by brand that name no product."""

_BY_NOUN_SHARE = 0.7
_BOUNDS = tuple(accumulate(KIND_SHARES[:-1]))
_DRAWS = 10
_BEFORE_NAME_EN = frozenset(
    ("colour", "material", "style", "pattern", "audience", "length", "scent", "genre", "power_source", "fit",
     "diet", "bed_size", "connection", "item_size", "ruling", "theme", "plant_type", "fuel")
)  # fmt: skip
"""Attributes whose English value comes before the noun: `blue desk lamp`, but `mug 350 ml`."""


class Wanted(NamedTuple):
    """What a shopper has in mind: a product, and how they describe it.

    `attribute` is the key of the attribute that the query names; empty for none. `misspelt` says whether the
    query has a typo.
    """

    product: int
    kind: int
    attribute: str
    language: str
    misspelt: bool


@dataclass(frozen=True)
class DrawnSearches:
    """n searches. `pages` are the products found, best first; `result_counts` how many there are in all."""

    ids: list[str]
    queries: list[str]
    result_counts: list[int]
    pages: list[list[int]]
    wanted: list[Wanted]


@dataclass(frozen=True)
class EmptySearches:
    """Searches without a result. `before` are indices of the searches that correct them."""

    ids: list[str]
    queries: list[str]
    before: Index


@dataclass(frozen=True)
class ViewSearches:
    """The searches that led to views. `views` are the indices of the views that `found` led to."""

    views: Index
    found: DrawnSearches
    empty: EmptySearches


class SearchModel:
    """Draws the searches of a world's shoppers."""

    def __init__(self, world: World) -> None:
        self._world = world

    def draw(self, rng: np.random.Generator, shopper: Index, product: Index) -> DrawnSearches:
        """Draw a search that finds each product. `shopper` has the same length as `product`."""
        if not self._world.shape.has_contents:
            return self._draw_first_version(rng, shopper, product)
        ids = hex_ids(rng, len(product))
        languages = [self._world.shoppers.languages[row] for row in shopper.tolist()]
        draws = rng.random((len(product), _DRAWS)).tolist()
        rows = zip(product.tolist(), languages, draws, strict=True)
        found = [self._search(wanted, language, draw) for wanted, language, draw in rows]
        pages = [self._page(each.matches, each.wanted.product, each.place) for each in found]
        return DrawnSearches(
            ids, [each.query for each in found], [len(each.matches) for each in found], pages,
            [each.wanted for each in found],
        )  # fmt: skip

    def draw_empty(self, rng: np.random.Generator, searches: DrawnSearches) -> EmptySearches:
        """Draw misspelt searches before a share of `searches`.

        They lack one letter of the query. In later worlds, whose searches tolerate that, they have a wrong
        first letter.
        """
        before = np.flatnonzero(rng.random(len(searches.ids)) < EMPTY_SHARE)
        draws = zip(before.tolist(), rng.random(len(before)).tolist(), strict=True)
        if self._world.shape.has_contents:
            queries = [beyond_recognition(searches.queries[row], draw) for row, draw in draws]
        else:
            queries = [
                _without_letter(searches.queries[row], 1 + int(draw * (len(searches.queries[row]) - 2)))
                for row, draw in draws
            ]
        return EmptySearches(hex_ids(rng, len(before)), queries, before)

    def _draw_first_version(self, rng: np.random.Generator, shopper: Index, product: Index) -> DrawnSearches:
        """The other products on a page are drawn from the category by the shopper's taste."""
        n, world, products = len(product), self._world, self._world.products
        ids = hex_ids(rng, n)
        category = products.category[product]
        by_noun = (rng.random(n) < _BY_NOUN_SHARE).tolist()
        others = draw_within(
            world.tastes,
            world.shoppers,
            rng,
            np.repeat(shopper, PAGE_SIZE - 1),
            np.repeat(category, PAGE_SIZE - 1),
        )
        page = np.column_stack([product, others.reshape(n, PAGE_SIZE - 1)])
        rows = zip(by_noun, products.noun[product].tolist(), category.tolist(), strict=True)
        names = [
            NOUNS[noun].names["en"][0] if named else LEAVES[leaf].category_id for named, noun, leaf in rows
        ]
        return DrawnSearches(
            ids=ids,
            queries=[name.lower() for name in names],
            result_counts=np.diff(products.starts)[category].tolist(),
            pages=[list(dict.fromkeys(row)) for row in rng.permuted(page, axis=1).tolist()],
            wanted=[
                Wanted(row, BY_NOUN if named else BY_CATEGORY, "", "en", False)
                for row, named in zip(product.tolist(), by_noun, strict=True)
            ],
        )

    def _search(self, product: int, language: str, draw: list[float]) -> "_Search":
        products = self._world.products
        noun, attributes = int(products.noun[product]), products.contents.attributes[product]
        kind, attribute = bisect(_BOUNDS, draw[0]), ""
        names = NOUNS[noun].names[language]
        name = names[int(draw[1] ** 2 * len(names))]
        if draw[2] < OTHER_NUMBER_SHARE:
            name = other_number(name, language)
        matches = self._matches[(noun, "", "")]
        if kind == BY_ATTRIBUTE:
            others = [key for key in attributes if key != "brand"]
            attribute = others[int(draw[3] ** 1.5 * len(others))]
            name = described(name, attribute, attributes[attribute], language)
            matches = self._matches[(noun, attribute, attributes[attribute])]
        elif kind == BY_CATEGORY:
            leaf = int(products.category[product])
            name, matches = _category(leaf, language), self._matches[(_ANY, "category", str(leaf))]
        elif kind == BY_BRAND:
            attribute, brand = "brand", attributes["brand"]
            alone = draw[3] < BRAND_ALONE_SHARE
            name, scope = (brand, _ANY) if alone else (f"{brand} {name}", noun)
            matches = self._matches[(scope, "brand", brand)]
        query = name.lower()
        if language == "pt_BR" and draw[4] < WITHOUT_ACCENTS_SHARE:
            query = without_accents(query)
        typed = misspelt(query, draw[6], draw[7]) if draw[5] < TYPO_SHARE else query
        return _Search(typed, Wanted(product, kind, attribute, language, typed != query), matches, draw[8])

    def _page(self, matches: list[int], product: int, place: float) -> list[int]:
        """Return the most popular matches, and the product: at a place drawn if it is none of these."""
        page = matches[:PAGE_SIZE]
        if product not in page:
            page[int(place * len(page))] = product
        return page

    @cached_property
    def _matches(self) -> dict[tuple[int, str, str], list[int]]:
        """Return noun, attribute and value → products, the most popular first."""
        products, found = self._world.products, defaultdict[tuple[int, str, str], list[int]](list)
        noun, category = products.noun.tolist(), products.category.tolist()
        for row in np.argsort(-products.popularity, kind="stable").tolist():
            attributes = products.contents.attributes[row]
            found[(noun[row], "", "")].append(row)
            found[(_ANY, "category", str(category[row]))].append(row)
            found[(_ANY, "brand", attributes["brand"])].append(row)
            for key, value in attributes.items():
                found[(noun[row], key, value)].append(row)
        return dict(found)


@cache
def described(name: str, attribute: str, value: str, language: str) -> str:
    """Return the name of a product with a value of one of its attributes, as shoppers type it.

    >>> described("Desk Lamp", "colour", "blue", "en")
    'Blue Desk Lamp'
    """
    text = value_name(attribute, value, language)
    if language == "pt_BR":
        if attribute in ("colour", "item_size", "style", "pattern"):
            text = agreeing(text, name)
        return f"{name} de {text}" if attribute == "material" else f"{name} {text}"
    if attribute == "audience":
        text = {"women": "Women's", "men": "Men's", "children": "Children's"}.get(value, text)
    return f"{text} {name}" if attribute in _BEFORE_NAME_EN else f"{name} {text}"


_ANY = -1
"""In place of a noun: products with any noun."""


class _Search(NamedTuple):
    query: str
    wanted: Wanted
    matches: list[int]
    place: float


def _category(leaf: int, language: str) -> str:
    return default_tree().categories[LEAVES[leaf].category_id].names[language]


def _without_letter(text: str, place: int) -> str:
    return text[:place] + text[place + 1 :]
