"""Says who there is: sellers, products and their first stock, shoppers as they join."""

from typing import Any

import numpy as np

from producers.feed.events import Events, Millis
from producers.simulator.history.rows import events_of
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.world import World

OPENS_AFTER_MS = 10 * 60_000
"""The first visit comes when all have been introduced."""

STOCKED_AFTER_MS = 2 * 60_000
"""Every product has its first stock."""

_SHOPPERS_AFTER_MS = 5 * 60_000


def catalogue(world: World, start_ms: int) -> list[Events]:
    """Every seller registered and approved, then every product listed, within minutes of `start_ms`."""
    sellers, products = world.sellers, world.products
    nothing: list[Any] = [None] * len(sellers.ids)
    registered = {
        "seller_id": sellers.ids, "name": sellers.names, "zip_prefix": nothing, "city": nothing,
        "state": nothing, "country": nothing,
    }  # fmt: skip
    approved = {
        "seller_id": sellers.ids, "commission_bp": sellers.commission_bp.tolist(), "approved_by": nothing,
    }  # fmt: skip
    listed = {"product_id": products.ids} | listing(world, np.arange(len(products.ids)))
    return [
        events_of("seller_registered", _spread(len(sellers.ids), start_ms, 1_000), registered),
        events_of("seller_approved", _spread(len(sellers.ids), start_ms + 1_000, 1_000), approved),
        events_of("product_listed", _spread(len(products.ids), start_ms + 2_000, 60_000), listed),
    ]


def listing(world: World, product: "np.ndarray[Any, np.dtype[np.int64]]") -> dict[str, list[Any]]:
    """The columns of these products' listings after `product_id`, with their list prices."""
    products = world.products
    return {
        "seller_id": [world.sellers.ids[seller] for seller in products.seller[product].tolist()],
        "name": [products.names[row] for row in product.tolist()],
        "category": [LEAVES[leaf].name for leaf in products.category[product].tolist()],
        "currency": [world.shape.currency] * len(product),
        "price_minor": products.price_minor[product].tolist(),
        "weight_g": products.weight_g[product].tolist(),
        "length_cm": products.size_cm[product, 0].tolist(),
        "height_cm": products.size_cm[product, 1].tolist(),
        "width_cm": products.size_cm[product, 2].tolist(),
        "photos": products.photos[product].tolist(),
    }


def joining(world: World, start_ms: int, end_ms: int) -> Events:
    """Every shopper registered: most at the start, the others one by one until `end_ms`."""
    shoppers = world.shoppers
    at_start = _spread(len(shoppers.ids), start_ms + _SHOPPERS_AFTER_MS, 60_000)
    joined = start_ms + (shoppers.joins * (end_ms - start_ms)).astype(np.int64)
    nothing: list[Any] = [None] * len(shoppers.ids)
    columns = {
        "shopper_id": shoppers.ids, "zip_prefix": nothing, "city": nothing, "state": nothing,
        "country": nothing,
    }  # fmt: skip
    moments = np.where(shoppers.joins == 0, at_start, np.maximum(joined, at_start))
    return events_of("shopper_registered", moments, columns)


def _spread(count: int, start_ms: int, over_ms: int) -> Millis:
    return start_ms + np.arange(count, dtype=np.int64) * over_ms // max(count, 1)
