"""Products: category, seller, price, popularity, quality, latent factors, and what sellers say of them."""

from dataclasses import dataclass, replace

import numpy as np

from common.money import minor_units
from producers.simulator.randomness import Floats, Index, choose_weighted, named_rng
from producers.simulator.world.categories import DEPARTMENT_OF, DEPARTMENTS, LEAVES, NOUNS
from producers.simulator.world.contents import Contents, draw_contents, without_contents
from producers.simulator.world.sellers import Sellers
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.variants import COMBINATIONS, Variants, draw_variants

FACTORS = 8
"""Dimensions of the latent space of products and tastes."""

ZIPF_EXPONENT = 0.8
"""Popularity of the r-th most popular product is (r + 5) ** -ZIPF_EXPONENT (Zipf-Mandelbrot)."""

VARIANT_PRICE_SIGMA, VARIANT_FACTOR_SIGMA, VARIANT_POPULARITY_SIGMA = 0.03, 0.2, 0.6
"""Spread among the variants of a product: of the logarithm of their price, of each latent factor, and of the
logarithm of their popularity."""

_ADJECTIVES = ("Classic", "Compact", "Everyday", "Fine", "Handmade", "Light", "Little", "Modern", "Plain",
               "Rustic", "Simple", "Slim", "Soft", "Striped", "Travel", "Vintage", "Warm")  # fmt: skip
_COLOURS = ("Black", "Blue", "Clay", "Cream", "Forest", "Graphite", "Mustard", "Natural", "Navy", "Olive",
            "Rose", "Sand", "Slate", "Teal", "White")  # fmt: skip
_NOUNS_OF_LEAF = np.array([len(leaf.nouns) for leaf in LEAVES])
_FIRST_NOUN = np.cumsum(_NOUNS_OF_LEAF) - _NOUNS_OF_LEAF


@dataclass(frozen=True)
class Products:
    """n products, ordered by category: those of category c are `starts[c]` up to `starts[c + 1]`.

    `category`, `noun` and `seller` are indices (of LEAVES, NOUNS and sellers); `price_minor` is the list
    price; `relative_price` its logarithm over the category's typical price; `popularity` has mean 1;
    `quality` is in standard deviations; `factors` is (n, FACTORS).
    """

    ids: list[str]
    contents: Contents
    category: Index
    noun: Index
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
    names, noun = _names(rng, category)
    products = Products(
        ids=[f"product-{number:06d}" for number in range(1, n + 1)],
        contents=without_contents(names),
        category=category,
        noun=noun,
        starts=np.searchsorted(category, np.arange(len(LEAVES) + 1)),
        seller=seller,
        price_minor=_shop_prices(category, relative_price, shape.currency),
        relative_price=relative_price,
        popularity=popularity / popularity.mean(),
        quality=0.6 * rng.normal(size=n) + sellers.quality[seller],
        factors=_factors(rng, category),
        weight_g=np.rint(rng.lognormal(6.2, 0.9, n)).astype(np.int64) + 20,
        size_cm=np.rint(rng.lognormal(2.8, 0.5, (n, 3))).astype(np.int64) + 1,
        photos=rng.integers(1, 9, n),
    )
    return _with_contents(shape, sellers, products) if shape.has_contents else products


def _with_contents(shape: WorldShape, sellers: Sellers, products: Products) -> Products:
    """Return the products with variants, and with what their sellers say of them."""
    variants = draw_variants(shape, products.category, products.seller)
    variants = variants.at_most(COMBINATIONS[products.noun[variants.leader]])
    leader, noun = variants.leader, products.noun[variants.leader]
    rng, n = named_rng(shape.seed, "differences of variants"), shape.products
    relative_price = products.relative_price[leader] + _of_members(
        variants, rng.normal(0, VARIANT_PRICE_SIGMA, n)
    )
    factors = (
        products.factors[leader] + _of_members(variants, rng.normal(0, VARIANT_FACTOR_SIGMA, (FACTORS, n))).T
    )
    own_quality = products.quality - sellers.quality[products.seller]
    return replace(
        products,
        contents=draw_contents(shape, sellers, products.category, noun, variants),
        noun=noun,
        seller=variants.seller,
        price_minor=_shop_prices(products.category, relative_price, shape.currency),
        relative_price=relative_price,
        popularity=_shared_popularity(rng, variants, products.popularity),
        quality=own_quality[leader] + sellers.quality[variants.seller],
        factors=factors,
        weight_g=products.weight_g[leader],
        size_cm=products.size_cm[leader],
    )


def _of_members(variants: Variants, values: Floats) -> Floats:
    """Return the values, and 0 for the first product of each group."""
    return np.where(variants.member > 0, values, 0.0)


def _shared_popularity(rng: np.random.Generator, variants: Variants, popularity: Floats) -> Floats:
    """Spread the popularity of each group's products over them, so that none is far from the others."""
    weight = np.where(
        variants.grouped(), rng.lognormal(0, VARIANT_POPULARITY_SIGMA, len(popularity)), popularity
    )
    total, weights = (np.bincount(variants.leader, each) for each in (popularity, weight))
    shared: Floats = weight * total[variants.leader] / weights[variants.leader]
    return shared


def _factors(rng: np.random.Generator, category: Index) -> Floats:
    """Draw factors around those of the category, which are around those of the department; unit variance."""
    department = rng.normal(0, 0.5, (len(DEPARTMENTS), FACTORS))
    leaf = department[np.array(DEPARTMENT_OF)] + rng.normal(0, 0.5, (len(LEAVES), FACTORS))
    factors: Floats = leaf[category] + rng.normal(0, np.sqrt(0.5), (len(category), FACTORS))
    return factors


def _shop_prices(category: Index, relative_price: Floats, currency: str) -> Index:
    """Round to prices as shops have them: 89.90, and 990 in a currency without minor units."""
    typical = np.array([leaf.typical_price for leaf in LEAVES])
    scale = minor_units(currency)
    tens = np.maximum(np.rint(typical[category] * np.exp(relative_price) / 10), 1)
    prices: Index = (10 * tens * scale).astype(np.int64) - max(scale // 10, 1)
    return prices


def _names(rng: np.random.Generator, category: Index) -> tuple[list[str], Index]:
    n = len(category)
    adjective, colour, which = rng.integers((len(_ADJECTIVES), len(_COLOURS), 4), size=(n, 3)).T
    noun: Index = _FIRST_NOUN[category] + which
    parts = zip(adjective.tolist(), noun.tolist(), colour.tolist(), strict=True)
    names = [f"{_ADJECTIVES[a]} {NOUNS[word].names['en'][0]}, {_COLOURS[c]}" for a, word, c in parts]
    return names, noun
