"""The names of the caches, the tags of their entries, and the keys of both in Redis. Pure."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Literal

import orjson

CacheName = Literal[
    "products",
    "listing_window",
    "product",
    "categories",
    "similar",
    "popular_products",
    "listing_page",
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
