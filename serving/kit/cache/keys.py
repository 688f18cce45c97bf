"""The names of the caches, the tags of entries and responses, and the keys of both in Redis. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal

import orjson

from serving.kit.product_lists import Categories, ListingWindow, Products

CacheName = Literal[
    "products",
    "listing_window",
    "product",
    "categories",
    "similar",
    "popular_products",
    "listing_page",
    "seller_page",
    "suggestions",
    "product_page",
]

PREFIX = "cache:1:"
"""The prefix of all keys. The number is the version of the format of entries: raise it with each change."""

CATALOGUE = "catalogue"
"""The tag of lists of products. Every change of a listing drops them."""

POPULAR = "popular_products"
"""The tag of rankings. Every confirmed order drops them."""

SEQUENCE, FLOOR, WATCHED, WATCHER = (PREFIX + name for name in ("sequence", "floor", "watched", "watcher"))
INDEX, SIZES, BYTES = (PREFIX + name for name in ("index", "sizes", "bytes"))


def product_tag(product_id: str) -> str:
    """Return the tag of entries that show this product."""
    return f"product:{product_id}"


def seller_tag(seller_id: str) -> str:
    """Return the tag of entries that show this seller's name."""
    return f"seller:{seller_id}"


def tag_key(tag: str) -> str:
    """Return the key with the newest change of a tag."""
    return f"{PREFIX}tag:{tag}"


def entry_key(name: CacheName, parts: Sequence[object]) -> str:
    """Return the key of an entry. `parts` is all that the response depends on, as JSON values."""
    digest = blake2b(orjson.dumps(parts), digest_size=16).hexdigest()
    return f"{PREFIX}entry:{name}:{digest}"


def lock_key(entry: str) -> str:
    """Return the key of the lock that the process holds which computes an entry."""
    return f"{entry}:lock"


def categories_tags(_categories: Categories) -> set[str]:
    """Return the tags of the list of categories."""
    return {CATALOGUE}


def products_tags(page: Products | ListingWindow) -> set[str]:
    """Return the tags of a page of products: another product may enter it with any change of a listing."""
    return {CATALOGUE, *_shown(page["products"])}


def found_tags(page: Mapping[str, Any]) -> set[str]:
    """Return the tags of a page of a search, and of what is offered if it finds nothing."""
    return {CATALOGUE, *_shown(page["products"]), *_shown(page["instead"])}


def suggestions_tags(_suggestions: Mapping[str, Any]) -> set[str]:
    """Return the tags of what a shopper may be typing."""
    return {CATALOGUE}


def product_tags(product: Mapping[str, Any]) -> set[str]:
    """Return the tags of a product with its offers and variants."""
    sellers = (seller_tag(offer["seller_id"]) for offer in product["offers"])
    return {product_tag(product["product_id"]), *_products(product["variants"]), *sellers}


def similar_tags(similar: Mapping[str, Any]) -> set[str]:
    """Return the tags of similar products: a product that is sold out is not among them."""
    return {product_tag(similar["product_id"]), *_products(similar["items"])}


def popular_tags(popular: Mapping[str, Any]) -> set[str]:
    """Return the tags of a ranking."""
    return {POPULAR, *_products(popular["products"])}


def _products(products: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    return (product_tag(product["product_id"]) for product in products)


def _shown(products: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for product in products:
        yield product_tag(product["product_id"])
        yield seller_tag(product["seller_id"])
