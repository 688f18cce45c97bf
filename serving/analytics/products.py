"""Shapes rows about products and sellers for lists. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.analytics.schemas.products import PopularProduct, TopProduct
from serving.analytics.schemas.sellers import SellerFound

Listing = tuple[str | None, str | None]
"""A product's name and category."""

UNLISTED: Listing = (None, None)


def product(row: Mapping[str, Any], listings: Mapping[str, Listing]) -> TopProduct:
    """One row of the query `seller_products`."""
    name, category = listings.get(row["product_id"], UNLISTED)
    return {
        "product_id": row["product_id"],
        "name": name,
        "category": category,
        "orders": int(row["orders"]),
        "units": int(row["units"]),
        "gross_minor": int(row["gross_minor"]),
        "revenue_minor": int(row["gross_minor"]) - int(row["discount_minor"]),
        "shipping_minor": int(row["shipping_minor"]),
    }


def popular(ranked: Sequence[tuple[str, float]], listings: Mapping[str, Listing]) -> list[PopularProduct]:
    """A ranking's ids and scores, with what the products are."""
    products: list[PopularProduct] = []
    for rank, (product_id, score) in enumerate(ranked, 1):
        name, category = listings.get(product_id, UNLISTED)
        products.append(
            {"rank": rank, "product_id": product_id, "name": name, "category": category, "score": score}
        )
    return products


def seller_found(row: Mapping[str, Any]) -> SellerFound:
    """One row of the query `sellers`."""
    return {
        "seller_id": row["seller_id"],
        "name": row["name"],
        "city": row["city"],
        "state": row["state"],
        "orders": int(row["orders"]),
        "revenue_minor": int(row["revenue_minor"]),
    }
