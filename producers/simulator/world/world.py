"""A world: all that one shape decides, drawn once."""

from dataclasses import dataclass

import numpy as np

from producers.simulator.draws import Floats, Index
from producers.simulator.world.products import Products, draw_products
from producers.simulator.world.sellers import Sellers, draw_sellers
from producers.simulator.world.shape import Shape
from producers.simulator.world.shoppers import Shoppers, draw_shoppers
from producers.simulator.world.tastes import Tastes, draw_tastes

_NEIGHBOURS = 12
_SAME_CATEGORY_FIRST = 2.0


@dataclass(frozen=True)
class World:
    """Sellers, products, shoppers and tastes. `neighbours` (products, 12): the products most like each, the
    most like first, of its own category as long as there are."""

    shape: Shape
    sellers: Sellers
    products: Products
    shoppers: Shoppers
    tastes: Tastes
    neighbours: Index


def build(shape: Shape) -> World:
    """The world of this shape; the same shape gives the same world."""
    sellers = draw_sellers(shape)
    products = draw_products(shape, sellers)
    tastes = draw_tastes(shape, products)
    return World(shape, sellers, products, draw_shoppers(shape), tastes, _neighbours(products))


def _neighbours(products: Products) -> Index:
    """By the cosine of latent factors; a category that is too small is filled up with the nearest of all."""
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
