"""Shapes lists of products and sellers. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.analytics.schemas.products import PopularProduct, TopProduct
from serving.analytics.schemas.sellers import SellerFound
from serving.kit.names import UNNAMED, ProductName


def product(row: Mapping[str, Any], names: Mapping[str, ProductName]) -> TopProduct:
    """Return a product from its row of a split of sales by product."""
    name, category = names.get(row["value"], UNNAMED)
    net_sales = int(row["revenue"])
    return {
        "product_id": row["value"],
        "name": name,
        "category": category,
        "orders": int(row["orders"]),
        "units": int(row["units"]),
        "gross_minor": int(row["gross"]),
        "revenue_minor": net_sales,
        "shipping_minor": int(row["shipping"]),
        "net_sales_minor": net_sales,
    }


def popular(ranked: Sequence[tuple[str, float]], names: Mapping[str, ProductName]) -> list[PopularProduct]:
    """Return a ranking with the names and categories of its products."""
    products: list[PopularProduct] = []
    for rank, (product_id, score) in enumerate(ranked, 1):
        name, category = names.get(product_id, UNNAMED)
        products.append(
            {"rank": rank, "product_id": product_id, "name": name, "category": category, "score": score}
        )
    return products


def seller_found(row: Mapping[str, Any]) -> SellerFound:
    """Return a seller from its row of the query `sellers`."""
    return {
        "seller_id": row["seller_id"],
        "name": row["name"],
        "city": row["city"],
        "state": row["state"],
        "orders": int(row["orders"]),
        "revenue_minor": int(row["revenue_minor"]),
        "net_sales_minor": int(row["revenue_minor"]),
    }
