"""Compares the scores of products in Redis with those that the facts give (forward decay)."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.stores import Stores
from audit.tables import ROUNDING, compare_tables

HALF_LIFE_DAYS = {"popular_products": 30, "trending_products": 7}


def about(key: str) -> About:
    """What is compared of one sorted set."""
    return About(
        name="facts_vs_redis",
        what=f"score of every product in {key}",
        left="facts",
        right="Redis",
        unit="products",
        key=("product_id",),
    )


def compare(key: str, expected: pa.Table, actual: pa.Table) -> Comparison:
    """Both sides have product_id and score, a moment; compared is what each is worth beside the best."""
    best = pc.max(expected["score"])
    shares = (_shares(key, side, best) for side in (expected, actual))
    return compare_tables(about(key), *shares, rounding=ROUNDING)


def _shares(key: str, scored: pa.Table, best: pa.Scalar) -> pa.Table:
    """What each product is worth, where the best is worth 1."""
    half_lives = pc.divide(pc.subtract(scored["score"], best), 86_400.0 * HALF_LIFE_DAYS[key])
    return scored.set_column(scored.column_names.index("score"), "score", pc.power(2.0, half_lives))


def run(stores: Stores) -> Iterator[Comparison]:
    """Fetch both sides of each sorted set and compare them."""
    for key, days in HALF_LIFE_DAYS.items():
        expected = stores.clickhouse.query("facts_vs_redis/expected", {"half_life_days": days})
        yield compare(key, expected, stores.redis.scores(key))
