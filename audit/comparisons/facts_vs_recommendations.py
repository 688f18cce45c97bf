"""Compares what recommendations are made from in Redis with the same told again from the facts.

What came in during the last `REMEMBERED_DAYS` must be there; what is older may have been forgotten (what a
shopper did, and pairs that nobody touched, after 30 days). Sessions go after half an hour.
`popular:{category}` is made of the same figures as `similar:{product}`.
"""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from audit.comparison import About, Comparison
from audit.forgotten import reconciled
from audit.stores import Stores
from audit.tables import ROUNDING, compare_tables
from jobs.recommendations.logic import KEPT_BOUGHT, KEPT_RECENT, KEPT_SIMILAR

NAME = "facts_vs_recommendations"
COMPARED = KEPT_SIMILAR // 2
"""Neighbours of a product that answers look at; the others are there so that one that falls leaves no gap."""

CARD = ("seller_id", "name", "category", "currency", "price_minor", "listed", "available")
WHOLE = ("price_minor", "listed", "available")
UNKNOWN = {"name": "", "category": "", "available": "-1"}
"""What the query says where the hash has no such field."""

REMEMBERED_DAYS = 29
"""A day less than the 30 of job `recommendations`: it and job `facts` do not read an event in one moment."""


def about(what: str, unit: str, *key: str) -> About:
    """What one of the comparisons is about."""
    return About(name=NAME, what=what, left="facts", right="Redis", unit=unit, key=key or ("owner", "member"))


def neighbours(expected: pa.Table, actual: pa.Table) -> Comparison:
    """Both sides have owner, member and score, best first; of each owner the first `COMPARED` count.

    Members whose scores are equal at the end of a list may stand for each other. Scores add fractions up.
    """
    first, last = _first(actual, COMPARED)
    about_them = about(f"scores of the first {COMPARED} of similar:{{product}}", "neighbours")
    both = reconciled(expected, first, KEPT_SIMILAR, last, rounding=ROUNDING)
    return compare_tables(about_them, *both, rounding=ROUNDING)


def latest(what: str, expected: pa.Table, actual: pa.Table, full: int) -> Comparison:
    """Both sides have owner, member and score (Unix time in whole seconds), the best `full` of each owner."""
    return compare_tables(about(what, "moments"), *reconciled(expected, actual, full))


def cards(expected: pa.Table, found: dict[str, list[str | None]]) -> Comparison:
    """Every field of every product that was ever listed."""
    listed = {product: fields for product, fields in found.items() if fields[0] is not None}
    columns: dict[str, pa.Array] = {"product_id": pa.array(listed, pa.string())}
    for place, name in enumerate(CARD):
        values = [
            fields[place] if fields[place] is not None else UNKNOWN.get(name) for fields in listed.values()
        ]
        plain = pa.array(values, pa.string())
        columns[name] = plain.cast(pa.int64()) if name in WHOLE else plain
    return compare_tables(about("product:{product}", "products", "product_id"), expected, pa.table(columns))


def run(stores: Stores) -> Iterator[Comparison]:
    """Fetch both sides of each and compare them."""
    ask, redis, days = stores.clickhouse.query, stores.redis, {"days": REMEMBERED_DAYS}
    yield neighbours(ask(f"{NAME}/similar", days), redis.ranked("similar:", COMPARED))
    shoppers = ask(f"{NAME}/recent", days)
    recent = redis.ranked("recent:", KEPT_RECENT)
    of_shoppers = recent.filter(pc.is_in(recent["owner"], value_set=pc.unique(shoppers["owner"])))
    yield latest("recent:{shopper}", shoppers, of_shoppers, KEPT_RECENT)
    bought = redis.ranked("bought:", KEPT_BOUGHT)
    yield latest("bought:{shopper}", ask(f"{NAME}/bought", days), bought, KEPT_BOUGHT)
    yield cards(ask(f"{NAME}/products"), redis.hashes("product:", CARD))


def _first(ranked: pa.Table, count: int) -> tuple[pa.Table, dict[str, float]]:
    """The first so many of each owner, and the last score of those that have so many."""
    kept: list[int] = []
    seen: dict[str, int] = {}
    last: dict[str, float] = {}
    scores = ranked["score"].to_pylist()
    for row, owner in enumerate(ranked["owner"].to_pylist()):
        seen[owner] = seen.get(owner, 0) + 1
        if seen[owner] <= count:
            kept.append(row)
        if seen[owner] == count:
            last[owner] = scores[row]
    return ranked.take(pa.array(kept, pa.int64())), last
