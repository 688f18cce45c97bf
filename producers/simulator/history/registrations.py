"""Builds the events that register sellers, list their products and register shoppers."""

from typing import Any

import numpy as np

from producers.feed.events import Events, Millis
from producers.simulator.history.event_rows import events_from_columns
from producers.simulator.world.categories import LEAVES
from producers.simulator.world.world import World

OPENS_AFTER_MS = 10 * 60_000
"""Delay of the first visit, so that all registrations precede it."""

STOCKED_AFTER_MS = 2 * 60_000
"""Delay after which every product has its first stock."""

_SHOPPERS_AFTER_MS = 5 * 60_000


def catalogue_events(world: World, start_ms: int) -> list[Events]:
    """Return every seller registered and approved, then every product listed, soon after `start_ms`."""
    sellers, products = world.sellers, world.products
    nothing: list[Any] = [None] * len(sellers.ids)
    registered = {
        "seller_id": sellers.ids, "name": sellers.names, **sellers.places.columns(),
    }  # fmt: skip
    approved = {
        "seller_id": sellers.ids, "commission_bp": sellers.commission_bp.tolist(), "approved_by": nothing,
    }  # fmt: skip
    listed = {"product_id": products.ids} | listing_columns(world, np.arange(len(products.ids)))
    return [
        events_from_columns(
            "seller_registered", _spread_evenly(len(sellers.ids), start_ms, 1_000), registered
        ),
        events_from_columns(
            "seller_approved", _spread_evenly(len(sellers.ids), start_ms + 1_000, 1_000), approved
        ),
        events_from_columns(
            "product_listed", _spread_evenly(len(products.ids), start_ms + 2_000, 60_000), listed
        ),
    ]


def listing_columns(world: World, product: "np.ndarray[Any, np.dtype[np.int64]]") -> dict[str, list[Any]]:
    """Return the columns of these products' listings after `product_id`, with their list prices."""
    products, contents = world.products, world.products.contents
    rows = product.tolist()
    return {
        "seller_id": [world.sellers.ids[seller] for seller in products.seller[product].tolist()],
        "name": [contents.names[row] for row in rows],
        "category": [LEAVES[leaf].category_id for leaf in products.category[product].tolist()],
        "currency": [world.shape.currency] * len(product),
        "price_minor": products.price_minor[product].tolist(),
        "weight_g": products.weight_g[product].tolist(),
        "length_cm": products.size_cm[product, 0].tolist(),
        "height_cm": products.size_cm[product, 1].tolist(),
        "width_cm": products.size_cm[product, 2].tolist(),
        "photos": products.photos[product].tolist(),
        "description": [contents.descriptions[row] for row in rows],
        "group_id": [contents.group_ids[row] for row in rows],
        "attributes": [contents.attributes[row] for row in rows],
        "condition": [contents.conditions[row] for row in rows],
        "handling_days": [contents.handling_days[row] for row in rows],
        "sku": [contents.skus[row] for row in rows],
        "pictures": [[] for _ in rows],
    }


def shopper_registrations(world: World, start_ms: int, end_ms: int) -> Events:
    """Return every shopper registered: most at the start, the others one by one until `end_ms`."""
    shoppers = world.shoppers
    at_start = _spread_evenly(len(shoppers.ids), start_ms + _SHOPPERS_AFTER_MS, 60_000)
    joined = start_ms + (shoppers.joins * (end_ms - start_ms)).astype(np.int64)
    columns = {"shopper_id": shoppers.ids, **shoppers.places.columns()}
    moments = np.where(shoppers.joins == 0, at_start, np.maximum(joined, at_start))
    return events_from_columns("shopper_registered", moments, columns)


def _spread_evenly(count: int, start_ms: int, over_ms: int) -> Millis:
    return start_ms + np.arange(count, dtype=np.int64) * over_ms // max(count, 1)
