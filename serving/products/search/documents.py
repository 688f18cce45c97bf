"""Makes the document of the index from all offers of a product. Pure.

A document is a product as shoppers see it: with all its variants (products with one `group_id`), and with the
offers of all sellers of each. Words of all of them find it. `SCHEMA` says what is indexed of it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from typing import Any, NamedTuple

import orjson
import tantivy

from schemas.product_categories import CategoryTree, with_ancestors
from serving.products.search.text import analysed, fold, phrase_terms, terms_of_all, words_that_matter

FIELD_END, PAIR_END = "\x1f", "\x1e"
"""What separates the parts of a term, and the attributes of a combination. No text of a request has them."""

MAX_TERM = 200
"""Longer names, categories and values are cut where they are terms as a whole."""

PRIOR_REVIEWS, PRIOR_STARS = 5, 4.0
"""The reviews that every product seems to have before its own (Bayesian mean), and their stars. So one review
of 5 stars is worth less than a hundred of 4.8."""

MAX_LEVEL = 2**15 - 1

MAX_PRICE = 2**40 - 1

PRICE_BOUNDS = tuple(digit * 10**power for power in range(2, 9) for digit in (1, 2, 5))
"""The bounds of price bands in minor units: 1, 2, 5, 10, … of the currency."""


def _schema() -> tantivy.Schema:
    """Return the fields of the index. Without positions, because no search asks for the order of words."""
    builder = tantivy.SchemaBuilder()
    for name in ("name", "about", "anything", "word"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in (
        "document",
        "version",
        "exact",
        "category_name",
        "variant",
        "variant_in_stock",
        "variant_key",
        "completion",
    ):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("category", "seller", "seller_name", "attribute"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_boolean_field("in_stock", indexed=True)
    for name in ("price", "price_band", "stars", *SORT_FIELDS):
        builder.add_unsigned_field(name, fast=True)
    builder.add_bytes_field("card", stored=True)
    return builder.build()


SORT_FIELDS = ("by_sales", "by_moment", "by_price", "by_rating")

SCHEMA = _schema()
"""The fields of a document. Those of words have forms and stems (`text.py`):

- `name`: of its names. `about`: besides, of its categories, its attributes' values and its sellers, in both
  languages. `anything`: besides, of its descriptions.
- `category_name`: the whole names of its own category, without stop words.
- `word`: the plain words of `about`, as a dictionary for typing errors and beginnings of words.
- `exact`: its ids and its whole names, folded.
- `category` (with those above it), `seller`, `attribute`, `in_stock`, `price`, `stars`: filters and facets.
  `seller_name` has ids and names, for the facet. `price` has the prices of all offers, `price_band` the lower
  bounds of their bands, each once.
- `variant`, `variant_in_stock`: every combination of attributes that one variant has (one that is in stock).
  `variant_key`: the keys of these attributes.
- `by_…`: the keys of the sorts. A key holds all that an order depends on.
- `completion`: names of sellers and categories, from each of their words on.
- `card`: what a list shows, as JSON. `document` identifies it, `version` says what it was made of.
"""


class CardOffer(NamedTuple):
    """An offer of a document, as its card has it: the best first, but stock may have changed since."""

    product_id: str
    seller_id: str
    seller_name: str | None
    name: str | None
    category: str | None
    price_minor: int
    in_stock: bool
    attributes: Mapping[str, str]
    picture: str | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A seller's offer of a product, listed in the shop's currency, of a seller who may sell."""

    product_id: str
    seller_id: str
    seller_name: str | None
    name: str | None
    category: str | None
    description: str | None
    attributes: Mapping[str, str]
    price_minor: int
    listed_at_ms: int
    in_stock: bool
    picture: str | None = None

    @property
    def card_order(self) -> tuple[bool, int, str, str]:
        """The sort key of the offers of a document: in stock first, then the lowest price."""
        return not self.in_stock, self.price_minor, self.product_id, self.seller_id

    @property
    def card(self) -> CardOffer:
        """What its card has of it."""
        return CardOffer(
            *(self.product_id, self.seller_id, self.seller_name, self.name, self.category),
            *(self.price_minor, self.in_stock, dict(sorted(self.attributes.items())), self.picture),
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """What shoppers think of a product: its published reviews, and how well it sells (`popularity.py`)."""

    reviews: int = 0
    score_sum: int = 0
    level: int = 0

    @property
    def stars(self) -> int:
        """The mean score in hundredths; 0 without reviews."""
        return round(100 * self.score_sum / self.reviews) if self.reviews else 0

    @property
    def bayesian_stars(self) -> int:
        """The mean score with the prior, in thousandths."""
        weighted = PRIOR_REVIEWS * PRIOR_STARS + self.score_sum
        return round(1000 * weighted / (PRIOR_REVIEWS + self.reviews))


Fields = dict[str, Any]


def fields_of(document: str, listings: Sequence[Listing], standing: Standing, tree: CategoryTree) -> Fields:
    """Return the fields of a document by name. There is at least one listing."""
    offers = sorted(listings, key=lambda listing: listing.card_order)
    names = list(dict.fromkeys(offer.name for offer in offers if offer.name))
    own_categories = dict.fromkeys(offer.category for offer in offers if offer.category)
    categories = dict.fromkeys(
        each for own in own_categories for each in with_ancestors(own, tree.categories)
    )
    sellers = {offer.seller_id: offer.seller_name for offer in offers}
    attributes = dict.fromkeys(pair for offer in offers for pair in offer.attributes.items())
    about = [
        *names,
        *(name for category in categories for name in names_of_category(category, tree)),
        *(name for key, value in attributes for name in names_of_value(key, value, tree)),
        *filter(None, sellers.values()),
    ]
    in_about = terms_of_all(dict.fromkeys(about))
    in_descriptions = terms_of_all(dict.fromkeys(offer.description for offer in offers if offer.description))
    ids = {offer.product_id for offer in offers} | {document.partition(FIELD_END)[2]}
    listed_s = min(max(0, min(offer.listed_at_ms for offer in offers) // 1000), 2**32 - 1)
    level, prices = min(standing.level, MAX_LEVEL), [_bounded_price(offer) for offer in offers]
    fields: Fields = {
        "document": document,
        "name": " ".join(sorted(terms_of_all(names).terms)),
        "about": " ".join(sorted(in_about.terms)),
        "anything": " ".join(sorted(in_about.terms | in_descriptions.terms)),
        "category_name": sorted(
            term
            for own in own_categories
            for name in names_of_category(own, tree)
            for term in phrase_terms(words_that_matter(name))
        ),
        "word": " ".join(sorted(in_about.words)),
        "exact": sorted(ids | {exact_term(name) for name in names}),
        "category": [each[:MAX_TERM] for each in categories],
        "seller": sorted(sellers),
        "seller_name": sorted(seller_name_term(*each) for each in sellers.items()),
        "attribute": sorted(attribute_term(*pair) for pair in attributes),
        "variant": _combinations(offers, tree),
        "variant_key": sorted({key for key, _ in attributes} & {*variant_keys(tree)}),
        "variant_in_stock": _combinations((offer for offer in offers if offer.in_stock), tree),
        "in_stock": any(offer.in_stock for offer in offers),
        "price": sorted(set(prices)),
        "price_band": sorted({_band_of(price) for price in prices}),
        "stars": standing.stars,
        "by_sales": level << 48 | listed_s << 16 | _digits(document, 16),
        "by_moment": listed_s << 28 | _digits(document, 28),
        "by_price": first_price_key(prices[0]) | _digits(document, PRICE_DIGITS),
        "by_rating": standing.bayesian_stars << 47 | level << 32 | listed_s,
        "completion": sorted(_completions(sellers, categories, tree)),
        "card": orjson.dumps(
            {
                "document": document,
                "reviews": standing.reviews,
                "stars": standing.stars,
                "offers": [tuple(offer.card) for offer in offers],
            }
        ),
    }
    fields["version"] = version_term(document, fields)
    return fields


def version_term(document: str, fields: Fields) -> str:
    """Return the term that says of which content the index has a document."""
    content = orjson.dumps({name: str(value) for name, value in fields.items()}, option=orjson.OPT_SORT_KEYS)
    return f"{document}{FIELD_END}{blake2b(content, digest_size=12).hexdigest()}"


def to_document(fields: Fields) -> tantivy.Document:
    """Return the document as the engine takes it."""
    return tantivy.Document.from_dict(fields, SCHEMA)


def document_of(product_id: str, group_id: str | None) -> str:
    """Return the key of a product's document. A group and a product may have the same id."""
    return f"group{FIELD_END}{group_id}" if group_id else f"product{FIELD_END}{product_id}"


def _bounded_price(offer: Listing) -> int:
    return min(max(0, offer.price_minor), MAX_PRICE)


def _band_of(price: int) -> int:
    """Return the lower bound of a price's band."""
    return max((bound for bound in PRICE_BOUNDS if bound <= price), default=0)


PRICE_DIGITS = 22
"""The bits of `by_price` that tell products of one price apart."""


def first_price_key(price: int) -> int:
    """Return the smallest key `by_price` of the products of which the best offer has this price."""
    return price << PRICE_DIGITS


def exact_term(text: str) -> str:
    """Return the term of a whole name."""
    return (" ".join(word.plain for word in analysed(text)) or fold(text.strip()))[:MAX_TERM]


def attribute_term(key: str, value: str) -> str:
    """Return the term of an attribute's value."""
    return f"{key[:MAX_TERM]}{FIELD_END}{value[:MAX_TERM]}"


def seller_name_term(seller_id: str, name: str | None) -> str:
    """Return the term of a seller with the name."""
    return f"{seller_id}{FIELD_END}{(name or '')[:MAX_TERM]}"


def names_of_category(category: str, tree: CategoryTree) -> Iterable[str]:
    """Return the names of a category, and its id, which imports have as free text."""
    known = tree.categories.get(category)
    return (category, *known.names.values()) if known else (category,)


def names_of_value(key: str, value: str, tree: CategoryTree) -> Iterable[str]:
    """Return the names of an attribute's value, and the value, which may be free text."""
    attribute = tree.attributes.get(key)
    names = attribute.values.get(value, {}) if attribute else {}
    return value, *names.values()


def variant_keys(tree: CategoryTree) -> tuple[str, ...]:
    """Return the keys of the attributes in which variants differ, sorted."""
    return tuple(sorted(key for key, attribute in tree.attributes.items() if attribute.is_variant))


MAX_COMBINED = 3
"""The largest number of attributes of a combination."""


def combination_term(others: Iterable[str], own: str) -> str:
    """Return the term of a combination of attributes. `own` is last, so that its values have a prefix."""
    return PAIR_END.join((*others, own))


def _combinations(offers: Iterable[Listing], tree: CategoryTree) -> list[str]:
    """Return the terms of all combinations that a variant has, once with each attribute last."""
    keys = variant_keys(tree)
    found: set[str] = set()
    for variant in {
        tuple((key, each.attributes[key]) for key in keys if key in each.attributes) for each in offers
    }:
        terms = [attribute_term(*pair) for pair in variant]
        for own in terms:
            others = [term for term in terms if term is not own]
            for size in range(min(MAX_COMBINED, len(terms))):
                found.update(combination_term(chosen, own) for chosen in combinations(others, size))
    return sorted(found)


SELLER, CATEGORY = "seller", "category"

_MAX_STARTS = 6


def _completions(
    sellers: Mapping[str, str | None], categories: Iterable[str], tree: CategoryTree
) -> Iterator[str]:
    named = [(SELLER, seller_id, name) for seller_id, name in sellers.items() if name]
    for category in categories:
        named += ((CATEGORY, category, name) for name in names_of_category(category, tree))
    for kind, key, name in named:
        words = [word.plain for word in analysed(name)]
        for at in range(min(len(words), _MAX_STARTS)):
            text = " ".join(words[at:])[:MAX_TERM]
            yield FIELD_END.join((kind, text, key[:MAX_TERM], name[:MAX_TERM]))


def _digits(document: str, bits: int) -> int:
    """Return some bits of a document's hash, so that few documents have the same sort key."""
    return int.from_bytes(blake2b(document.encode(), digest_size=8).digest(), "big") >> (64 - bits)


def folded_words(text: str) -> str:
    """Return the words of a text, folded, as completions have them."""
    return fold(" ".join(word.plain for word in analysed(text)))
