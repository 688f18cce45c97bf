"""Compares the scores of products in Redis with those that the facts give (forward decay)."""

from collections.abc import Iterator

import pyarrow as pa

from audit.comparison import About, Comparison
from audit.stores import Stores
from audit.tables import compare_tables

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
    """Both sides have product_id and score; scores agree within one part in 10⁹."""
    return compare_tables(about(key), expected, actual)


def run(stores: Stores) -> Iterator[Comparison]:
    """Fetch both sides of each sorted set and compare them."""
    for key, days in HALF_LIFE_DAYS.items():
        expected = stores.clickhouse.query("facts_vs_redis/expected", {"half_life_days": days})
        yield compare(key, expected, stores.redis.scores(key))
