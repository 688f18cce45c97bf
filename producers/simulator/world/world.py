"""A world: everything that a shape determines, drawn once."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.randomness import Floats, Index
from producers.simulator.world.products import Products, draw_products
from producers.simulator.world.sellers import Sellers, draw_sellers
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.shoppers import Shoppers, draw_shoppers
from producers.simulator.world.tastes import Tastes, draw_tastes

_NEIGHBOURS = 12
_SAME_CATEGORY_FIRST = 2.0


@dataclass(frozen=True)
class World:
    """Sellers, products, shoppers and tastes.

    `neighbours` (products, 12) are the products most similar to each, the most similar first, those of its
    own category before others.
    """

    shape: WorldShape
    sellers: Sellers
    products: Products
    shoppers: Shoppers
    tastes: Tastes
    neighbours: Index


def build_world(shape: WorldShape) -> World:
    """Return the world of this shape; the same shape gives the same world."""
    sellers = draw_sellers(shape)
    products = draw_products(shape, sellers)
    tastes = draw_tastes(shape, products)
    return World(shape, sellers, products, draw_shoppers(shape), tastes, _nearest_products(products))


def _nearest_products(products: Products) -> Index:
    """Rank by the cosine of latent factors; small categories are filled with the nearest of all products."""
    directions: Floats = products.factors / np.linalg.norm(products.factors, axis=1, keepdims=True)
    everything = np.arange(len(products.ids))
    found = np.empty((len(products.ids), _NEIGHBOURS), np.int64)
    for start, end in zip(products.starts[:-1].tolist(), products.starts[1:].tolist(), strict=True):
        others = everything[start:end] if end - start > _NEIGHBOURS else everything
        likeness = np.einsum("if,jf->ij", directions[start:end], directions[others])
        likeness += _SAME_CATEGORY_FIRST * (products.category[others] == products.category[start])
        likeness[others == everything[start:end, None]] = -np.inf
        found[start:end] = others[np.argsort(-likeness, axis=1, kind="stable")[:, :_NEIGHBOURS]]
    return found
