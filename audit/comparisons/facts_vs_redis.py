"""Compares the products' scores in Redis with those computed from the facts (forward decay)."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import ComparisonSpec
from audit.stores import Stores
from audit.table_comparison import KeyFilter, Sides, TableComparison
from audit.tables import ROUNDING

NAME = "facts_vs_redis"
HALF_LIFE_DAYS = {"popular_products": 30, "trending_products": 7}


def spec(key: str) -> ComparisonSpec:
    """Return the specification of one sorted set."""
    return ComparisonSpec(
        name=NAME,
        what=f"score of every product in {key}",
        left="facts",
        right="Redis",
        unit="products",
        key=("product_id",),
    )


def relative_scores(key: str, expected: pa.Table, actual: pa.Table) -> Sides:
    """Return both sides with each product's score relative to the best one, which is 1.

    Both tables have product_id and score, which is a time in seconds.
    """
    best = pc.max(expected["score"])
    return Sides(*(_relative(key, side, best) for side in (expected, actual)))


def run(stores: Stores) -> Iterator[TableComparison]:
    """Compare each sorted set."""
    for key in HALF_LIFE_DAYS:
        yield TableComparison(spec(key), partial(_read, stores, key), rounding=ROUNDING)


def _read(stores: Stores, key: str, keys: KeyFilter | None) -> Sides:
    actual = stores.redis.scores(key)
    parameters = {"half_life_days": HALF_LIFE_DAYS[key]}
    return relative_scores(key, stores.clickhouse.query(f"{NAME}/expected", parameters, keys), actual)


def _relative(key: str, scored: pa.Table, best: pa.Scalar) -> pa.Table:
    half_lives = pc.divide(pc.subtract(scored["score"], best), 86_400.0 * HALF_LIFE_DAYS[key])
    return scored.set_column(scored.column_names.index("score"), "score", pc.power(2.0, half_lives))
