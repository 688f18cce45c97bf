"""The cache tags of responses that show products. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from serving.kit.cache.keys import CATALOGUE, POPULAR, product_tag, seller_tag
from serving.kit.product_lists import Categories, ListingWindow, Products


def categories_tags(_categories: Categories) -> set[str]:
    """Return the tags of the list of categories."""
    return {CATALOGUE}


def products_tags(page: Products | ListingWindow) -> set[str]:
    """Return the tags of a page of products: another product may enter it with any change of a listing."""
    return {CATALOGUE, *_shown(page["products"])}


def product_tags(product: Mapping[str, Any]) -> set[str]:
    """Return the tags of a product with its offers."""
    sellers = (seller_tag(offer["seller_id"]) for offer in product["offers"])
    return {product_tag(product["product_id"]), *sellers}


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
