"""Products: category, seller, price, popularity, quality, and latent factors."""

from dataclasses import dataclass

import numpy as np

from common.money import minor_units
from producers.simulator.randomness import Floats, Index, choose_weighted, named_rng
from producers.simulator.world.categories import DEPARTMENT_OF, DEPARTMENTS, LEAVES
from producers.simulator.world.sellers import Sellers
from producers.simulator.world.shape import WorldShape

FACTORS = 8
"""Dimensions of the latent space of products and tastes."""

ZIPF_EXPONENT = 0.8
"""Popularity of the r-th most popular product is (r + 5) ** -ZIPF_EXPONENT (Zipf-Mandelbrot)."""

_ADJECTIVES = ("Classic", "Compact", "Everyday", "Fine", "Handmade", "Light", "Little", "Modern", "Plain",
               "Rustic", "Simple", "Slim", "Soft", "Striped", "Travel", "Vintage", "Warm")  # fmt: skip
_COLOURS = ("Black", "Blue", "Clay", "Cream", "Forest", "Graphite", "Mustard", "Natural", "Navy", "Olive",
            "Rose", "Sand", "Slate", "Teal", "White")  # fmt: skip


@dataclass(frozen=True)
class Products:
    """n products, ordered by category: those of category c are `starts[c]` up to `starts[c + 1]`.

    `category` and `seller` are indices; `price_minor` is the list price; `relative_price` its logarithm over
    the category's typical price; `popularity` has mean 1; `quality` is in standard deviations;
    `factors` is (n, FACTORS).
    """

    ids: list[str]
    names: list[str]
    nouns: list[str]
    category: Index
    starts: Index
    seller: Index
    price_minor: Index
    relative_price: Floats
    popularity: Floats
    quality: Floats
    factors: Floats
    weight_g: Index
    size_cm: Index
    photos: Index


def draw_products(shape: WorldShape, sellers: Sellers) -> Products:
    """Draw the products of this world: at least one in each category and of each seller."""
    rng, n = named_rng(shape.seed, "products"), shape.products
    leaf_weight = rng.lognormal(0, 0.5, len(LEAVES))
    every_leaf = np.arange(len(LEAVES))
    category = np.sort(np.concatenate([every_leaf, choose_weighted(rng, leaf_weight, n - len(LEAVES))]))
    seller = np.concatenate([np.arange(shape.sellers), choose_weighted(rng, sellers.size, n - shape.sellers)])
    rng.shuffle(seller)
    popularity = (rng.permutation(n) + 6.0) ** -ZIPF_EXPONENT
    relative_price = rng.normal(0, 0.45, n)
    typical = np.array([leaf.typical_price for leaf in LEAVES])
    names, nouns = _names(rng, category)
    return Products(
        ids=[f"product-{number:06d}" for number in range(1, n + 1)],
        names=names,
        nouns=nouns,
        category=category,
        starts=np.searchsorted(category, np.arange(len(LEAVES) + 1)),
        seller=seller,
        price_minor=_shop_prices(typical[category] * np.exp(relative_price), shape.currency),
        relative_price=relative_price,
        popularity=popularity / popularity.mean(),
        quality=0.6 * rng.normal(size=n) + sellers.quality[seller],
        factors=_factors(rng, category),
        weight_g=np.rint(rng.lognormal(6.2, 0.9, n)).astype(np.int64) + 20,
        size_cm=np.rint(rng.lognormal(2.8, 0.5, (n, 3))).astype(np.int64) + 1,
        photos=rng.integers(1, 9, n),
    )


def _factors(rng: np.random.Generator, category: Index) -> Floats:
    """Draw factors around those of the category, which are around those of the department; unit variance."""
    department = rng.normal(0, 0.5, (len(DEPARTMENTS), FACTORS))
    leaf = department[np.array(DEPARTMENT_OF)] + rng.normal(0, 0.5, (len(LEAVES), FACTORS))
    factors: Floats = leaf[category] + rng.normal(0, np.sqrt(0.5), (len(category), FACTORS))
    return factors


def _shop_prices(major: Floats, currency: str) -> Index:
    """Round to prices as shops have them: 89.90, and 990 in a currency without minor units."""
    scale = minor_units(currency)
    tens = np.maximum(np.rint(major / 10), 1)
    prices: Index = (10 * tens * scale).astype(np.int64) - max(scale // 10, 1)
    return prices


def _names(rng: np.random.Generator, category: Index) -> tuple[list[str], list[str]]:
    n = len(category)
    adjective, colour, noun = rng.integers((len(_ADJECTIVES), len(_COLOURS), 4), size=(n, 3)).T.tolist()
    nouns = [LEAVES[leaf].nouns[word] for leaf, word in zip(category.tolist(), noun, strict=True)]
    parts = zip(adjective, nouns, colour, strict=True)
    return [f"{_ADJECTIVES[a]} {word}, {_COLOURS[c]}" for a, word, c in parts], nouns
